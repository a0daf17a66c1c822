// SPDX-License-Identifier: Apache-2.0
//
// How much local-reclaim takes, from whom and for whom: headroom (spec 05 L3), rates, victims' floors, feedback from
// refaults, sharing among owners, and what others take of the headroom (L6).

#include "engine/local_reclaim.h"

enum {
	REFRESH_NS = 10 * NSEC_PER_MSEC,
	START_NS = 20 * NSEC_PER_MSEC,	// L3: t without the measured part
	LEAD_MIN = 64 * LOCAL_PAGES_PER_MB, // 64 MiB
	LEAD_SHARE = 50,		// of the node, at most: 2 %
	FLOOR_MIN = 64 * LOCAL_PAGES_PER_MB,
	LIMIT_MIN = LOCAL_PAGES_PER_MB, // pages a second
	BUCKET_SHARE = 10,		// a bucket holds a tenth of a second
};
#define CALM_NS (10 * LOCAL_SECOND) // without a full window of evictions: no reason to go on with less

// ---- free memory ----

static uint64_t beyond(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

// What is held back for requests that need low zones is not there for the owners.
uint64_t local_free(const struct yard *yard, unsigned node)
{
	uint64_t pages = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		if (zone_populated(zone))
			pages += beyond((uint64_t)zone_stat(zone, YARD_NR_FREE_PAGES),
					zone->lowmem_reserve[YARD_ZONE_MOVABLE]);
	}
	return pages;
}

static uint64_t marks_of(const struct yard *yard, unsigned node, enum wmark mark)
{
	uint64_t pages = 0;

	for (unsigned type = 0; type < YARD_ZONE_TYPES; type++) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + type);

		pages += zone_populated(zone) ? zone_wmark(zone, mark) : 0;
	}
	return pages;
}

bool local_below(const struct yard *yard, unsigned node, enum wmark mark)
{
	return local_free(yard, node) < marks_of(yard, node, mark);
}

// ---- L3 ----

static uint64_t lead_of(struct yard *yard, unsigned node, uint64_t now)
{
	struct local_node *n = local_node(yard, node);
	uint64_t lead = mult_frac(n->rate, START_NS + n->start_ns, LOCAL_SECOND);
	uint64_t most = node_managed_pages(yard, node) / LEAD_SHARE;

	lead = lead > LEAD_MIN ? lead : LEAD_MIN;
	lead = lead < most ? lead : most;
	return now < n->strangers_until ? lead / 4 : lead;
}

uint64_t local_high_mark(struct yard *yard, unsigned node)
{
	struct local_node *n = local_node(yard, node);
	uint64_t lead;

	yard_spin_lock(&n->lock);
	lead = lead_of(yard, node, now_ns(yard));
	yard_spin_unlock(&n->lock);
	return marks_of(yard, node, WMARK_HIGH) + 2 * lead;
}

static bool active(const struct local_node *n, unsigned owner)
{
	return local_read(&n->share[owner].rate) || local_read(&n->share[owner].allocated);
}

bool local_garbage_for_owners(struct yard *yard, unsigned node)
{
	for (unsigned i = 0; i < yard->local->nr_owners; i++)
		if (active(local_node(yard, node), i) && local_has_garbage(yard, node, local_level(yard, node, i)))
			return true;
	return false;
}

static void set_marks(struct yard *yard, unsigned node, uint64_t now)
{
	struct local_node *n = local_node(yard, node);
	uint64_t lead = lead_of(yard, node, now), low = marks_of(yard, node, WMARK_HIGH) + lead;
	bool any = n->rate && local_garbage_for_owners(yard, node) && local_inactive(yard, node) > lead;

	local_store(&n->wmark_high, any ? low + lead : 0);
	local_store(&n->wmark_low, any ? low : 0);
}

// ---- averages (L3, L6 iv) ----

static uint64_t average(uint64_t rate, uint64_t pages, uint64_t elapsed)
{
	uint64_t now = mult_frac(pages, LOCAL_SECOND, elapsed), part = elapsed < LOCAL_SECOND ? elapsed : LOCAL_SECOND;

	if (now > rate)
		return rate + mult_frac(now - rate, part, LOCAL_SECOND);
	return rate - mult_frac(rate - now, part, LOCAL_SECOND);
}

static void average_shares(struct yard *yard, struct local_node *n, uint64_t elapsed)
{
	n->rate = 0;
	for (unsigned i = 0; i < yard->local->nr_owners; i++) {
		struct local_share *share = &n->share[i];
		uint64_t pages = atomic_exchange_explicit(&share->allocated, 0, memory_order_relaxed);

		share->rate = average(share->rate, pages, elapsed);
		share->wanted += pages;
		if (share->wanted > share->rate + CLUSTER_MAX) // what was wanted a second ago is over
			share->wanted = share->rate + CLUSTER_MAX;
		n->rate += share->rate;
		n->window_taken += pages;
	}
}

// L6 v: what went into free memory, and neither the owners nor the free lists have, others took.
static void look_for_strangers(struct yard *yard, unsigned node, uint64_t now)
{
	struct local_node *n = local_node(yard, node);
	uint64_t free = local_free(yard, node), total = local_read(&n->reclaimed);
	uint64_t reclaimed = total - n->window_reclaimed;
	uint64_t taken = beyond(n->window_free + reclaimed, n->window_taken + free);

	if (time_since(now, n->window_at) < LOCAL_SECOND)
		return;
	if (n->window_at && reclaimed && taken > reclaimed / 2)
		n->strangers_until = now + LOCAL_SECOND;
	n->window_at = now;
	n->window_free = free;
	n->window_reclaimed = total;
	n->window_taken = 0;
}

void local_refresh(struct yard *yard, unsigned node, uint64_t now)
{
	struct local_node *n = local_node(yard, node);
	uint64_t elapsed = time_since(now, local_read(&n->refreshed_at));

	if (elapsed < REFRESH_NS)
		return;
	yard_spin_lock(&n->lock);
	elapsed = time_since(now, local_read(&n->refreshed_at));
	if (elapsed >= REFRESH_NS) {
		local_store(&n->refreshed_at, now);
		average_shares(yard, n, elapsed);
		look_for_strangers(yard, node, now);
		set_marks(yard, node, now);
	}
	yard_spin_unlock(&n->lock);
	if (local_free(yard, node) >= local_read(&n->wmark_low))
		atomic_store_explicit(&n->compact_asked, false, memory_order_relaxed);
}

// ---- rates (L6 i) ----

static uint64_t parameter_rate(const struct yard_local_config *config)
{
	return (uint64_t)config->rate_mbps * LOCAL_PAGES_PER_MB;
}

void local_reset_share(struct local_share *share, const struct yard_local_config *config)
{
	share->limit = parameter_rate(config);
	share->tokens = (int64_t)(share->limit / BUCKET_SHARE);
	share->level = config->garbage;
	share->evictions = share->refaults = 0;
}

static void fill(struct local_share *share, uint64_t now)
{
	uint64_t elapsed = time_since(now, share->filled_at), depth = share->limit / BUCKET_SHARE;
	uint64_t pages = mult_frac(share->limit, elapsed < LOCAL_SECOND ? elapsed : LOCAL_SECOND, LOCAL_SECOND);

	if (!pages)
		return;
	share->filled_at = now;
	share->tokens = min64(share->tokens + (int64_t)pages, (int64_t)(depth > CLUSTER_MAX ? depth : CLUSTER_MAX));
}

// lock held. Less than before because of refaults, and no evictions to learn from since: it may take a little more.
static void recover(struct local_share *share, const struct yard_local_config *config, uint64_t now)
{
	uint64_t most = parameter_rate(config);

	if (share->limit >= most && share->level >= config->garbage)
		return;
	share->limit += share->limit / 10 + 1;
	if (share->limit >= most) {
		share->limit = most;
		share->level = (uint8_t)min64(share->level + 1, config->garbage);
	}
	share->window_at = now;
}

bool local_may_take(struct yard *yard, unsigned node, unsigned owner)
{
	struct local_node *n = local_node(yard, node);
	struct local_share *share = &n->share[owner];
	uint64_t now = now_ns(yard);
	bool may;

	yard_spin_lock(&n->lock);
	if (time_since(now, share->window_at) > CALM_NS)
		recover(share, &yard->local->owner[owner].config, now);
	fill(share, now);
	may = share->tokens > 0;
	yard_spin_unlock(&n->lock);
	return may;
}

unsigned local_level(struct yard *yard, unsigned node, unsigned owner)
{
	return atomic_load_explicit(&local_node(yard, node)->share[owner].level, memory_order_relaxed);
}

enum yard_local_reason local_short_of(struct yard *yard, unsigned node, unsigned owner)
{
	const struct yard_local_config *config = &yard->local->owner[owner].config;
	uint64_t limit = local_read(&local_node(yard, node)->share[owner].limit);

	return limit < parameter_rate(config) ? YARD_LOCAL_REFAULT : YARD_LOCAL_RATE;
}

// ---- feedback (L6 iii) ----

// lock held
static void end_window(struct local_share *share, const struct yard_local_config *config, uint64_t now)
{
	uint64_t ppm = (uint64_t)share->refaults * 1000000 / share->evictions;

	if (ppm > config->refault_max_ppm) {
		share->limit = (uint64_t)max64((int64_t)share->limit / 2, LIMIT_MIN);
		share->level -= share->level > 0;
	} else if (ppm < config->refault_max_ppm / 4) {
		recover(share, config, now);
	}
	share->window_at = now;
	share->evictions = share->refaults = 0;
}

void local_charge(struct yard *yard, unsigned node, unsigned owner, uint64_t pages)
{
	struct local_node *n = local_node(yard, node);
	struct local_share *share = &n->share[owner];

	if (!pages)
		return;
	yard_spin_lock(&n->lock);
	share->tokens -= (int64_t)pages;
	share->wanted = beyond(share->wanted, pages);
	share->evictions += (uint32_t)pages;
	if (share->evictions >= LOCAL_WINDOW)
		end_window(share, &yard->local->owner[owner].config, now_ns(yard));
	yard_spin_unlock(&n->lock);
}

void local_refaulted(struct yard *yard, unsigned node, unsigned owner, uint64_t pages)
{
	struct local_node *n = local_node(yard, node);

	if (owner >= yard->local->nr_owners)
		return;
	local_add(&yard->local->owner[owner].refaults, pages);
	yard_spin_lock(&n->lock);
	n->share[owner].refaults += (uint32_t)pages;
	yard_spin_unlock(&n->lock);
}

// ---- sharing (L6 iv) ----

// The one that most is owed to: over time each gets what it allocates.
int local_choose_owner(struct yard *yard, unsigned node)
{
	struct local_node *n = local_node(yard, node);
	uint64_t most = 0;
	int best = -1;

	for (unsigned i = 0; i < yard->local->nr_owners; i++) {
		uint64_t wanted = local_read(&n->share[i].wanted)
				  + local_read(&n->share[i].allocated);

		if (active(n, i) && (best < 0 || wanted > most)
		    && local_has_garbage(yard, node, local_level(yard, node, i)) && local_may_take(yard, node, i)) {
			best = (int)i;
			most = wanted;
		}
	}
	return best;
}

// ---- victims (L6 ii) ----

// lock held. A new one takes the place of the one whose second began first.
static struct local_victim *find_victim(struct local_node *n, const struct yard_local_page *page, uint64_t now)
{
	struct local_victim *oldest = &n->victim[0];

	for (unsigned i = 0; i < LOCAL_VICTIMS; i++) {
		struct local_victim *victim = &n->victim[i];

		if (victim->id == page->victim)
			return victim;
		if (victim->since < oldest->since)
			oldest = victim;
	}
	*oldest = (struct local_victim){ .id = page->victim, .since = now, .pages = page->victim_pages };
	return oldest;
}

bool local_take_from(struct yard *yard, unsigned node, uint32_t permille, const struct yard_local_page *page,
		     uint64_t pages)
{
	struct local_node *n = local_node(yard, node);
	uint64_t now = now_ns(yard), floor = page->victim_hot > FLOOR_MIN ? page->victim_hot : FLOOR_MIN;
	struct local_victim *victim;
	bool may;

	if (!page->victim)
		return true;
	if (page->victim_pages < floor + pages)
		return false;
	if (!page->victim_hot) // nothing of it was used again: there is little to lose
		return true;
	yard_spin_lock(&n->lock);
	victim = find_victim(n, page, now);
	if (time_since(now, victim->since) >= LOCAL_SECOND)
		*victim = (struct local_victim){ .id = page->victim, .since = now, .pages = page->victim_pages };
	may = victim->taken + pages <= mult_frac(victim->pages, permille, 1000);
	victim->taken += may ? pages : 0;
	yard_spin_unlock(&n->lock);
	return may;
}
