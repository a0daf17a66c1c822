// SPDX-License-Identifier: Apache-2.0
//
// Spilled pages of local-reclaim move home when there is room again (spec 05 L8), and what may be read of its state.

#include "engine/local_reclaim.h"

enum {
	MOVE_PAGES = CLUSTER_MAX,
	MOVE_PERIOD_SHARE = 100, // moves each 10 ms
	RUNS_THAT_GROW = 64,
};

// ---- runs of spilled pages ----

static struct local_run *run_at(struct local_reclaim *local, uint32_t i)
{
	return &local->run[(local->first_run + i) % LOCAL_RUNS];
}

// Frames come in runs, upwards or downwards.
static bool extend(struct local_run *run, unsigned owner, unsigned home, uint32_t pfn, uint32_t pages)
{
	if (run->owner != owner || run->home != home || run->pages + pages > UINT16_MAX)
		return false;
	if (pfn != run->start + run->pages && pfn + pages != run->start)
		return false;
	run->start = pfn < run->start ? pfn : run->start;
	run->pages = (uint16_t)(run->pages + pages);
	return true;
}

// Each CPU takes frames that follow each other: one of the last runs goes on.
static bool extend_some(struct local_reclaim *local, unsigned owner, unsigned home, uint32_t pfn, uint32_t pages)
{
	uint32_t oldest = local->nr_runs > RUNS_THAT_GROW ? local->nr_runs - RUNS_THAT_GROW : 0;

	for (uint32_t i = local->nr_runs; i-- > oldest;)
		if (extend(run_at(local, i), owner, home, pfn, pages))
			return true;
	return false;
}

// Those before it move up; the order stays.
static void remove_run(struct local_reclaim *local, uint32_t i)
{
	for (; i; i--)
		*run_at(local, i) = *run_at(local, i - 1);
	local->first_run = (local->first_run + 1) % LOCAL_RUNS;
	local->nr_runs--;
}

// When there is no room for more they are not known: nothing moves them home.
void local_note_spill(struct yard *yard, unsigned owner, unsigned home, uint32_t pfn, unsigned order)
{
	struct local_reclaim *local = yard->local;
	uint32_t pages = 1u << order;
	bool noted, first;

	if (!local->owner[owner].config.repatriate_mbps || !yard->owner.move || !yard->owner.local_home)
		return;
	yard_spin_lock(&local->runs_lock);
	noted = extend_some(local, owner, home, pfn, pages);
	if (!noted && local->nr_runs < LOCAL_RUNS) {
		*run_at(local, local->nr_runs++) =
			(struct local_run){ pfn, (uint16_t)pages, (uint8_t)owner, (uint8_t)home };
		noted = true;
	}
	first = noted && !local_read(&local->waiting[home]);
	if (noted)
		local_add(&local->waiting[home], pages);
	yard_spin_unlock(&local->runs_lock);
	if (first) // where there is no headroom nothing else wakes the reclaimer that moves them
		yard_host_wake(&yard->host, queue_of(home, YARD_QUEUE_LOCAL_RECLAIM));
}

void local_forget_spills(struct yard *yard, unsigned owner)
{
	struct local_reclaim *local = yard->local;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < local->nr_runs; i++) {
		const struct local_run run = *run_at(local, i);

		if (run.owner == owner)
			atomic_fetch_sub_explicit(&local->waiting[run.home], run.pages, memory_order_relaxed);
		else
			*run_at(local, kept++) = run;
	}
	local->nr_runs = kept;
}

// The oldest run that wants to go to this node and whose owner has something left; nr_runs: none.
static uint32_t oldest_run(struct local_reclaim *local, unsigned node, const uint64_t *left)
{
	uint32_t i = 0;

	while (i < local->nr_runs && (run_at(local, i)->home != node || !left[run_at(local, i)->owner]))
		i++;
	return i;
}

// The next page of the oldest run; *owner: only his, -1: anybody's, and is told. PFN_NONE: none.
static uint32_t next_spilled(struct yard *yard, unsigned node, uint64_t *left, int *owner)
{
	struct local_reclaim *local = yard->local;
	uint32_t pfn = PFN_NONE, i;
	struct local_run *run;

	yard_spin_lock(&local->runs_lock);
	i = oldest_run(local, node, left);
	run = run_at(local, i);
	if (i < local->nr_runs && (*owner < 0 || run->owner == *owner)) {
		*owner = run->owner;
		left[run->owner]--;
		pfn = run->start++;
		if (!--run->pages)
			remove_run(local, i);
		atomic_fetch_sub_explicit(&local->waiting[node], 1, memory_order_relaxed);
	}
	yard_spin_unlock(&local->runs_lock);
	return pfn;
}

// ---- moving ----

// It is still what was spilled: a page of the owner's that lies elsewhere.
static bool wants_home(struct yard *yard, unsigned node, unsigned owner, uint32_t pfn)
{
	uint32_t word = frame_word(yard, pfn);
	uint64_t home = yard->local->owner[owner].config.home;

	home = home ? home : 1ull << node;
	return word_on_lru(word) && !(home >> node_of(yard, pfn) & 1)
	       && yard->owner.local_home(yard->owner.context, pfn, word_order(word), home) == owner + 1;
}

// Pages of one owner. Returns how many of those that wait it has looked at; adds to *moved.
static uint64_t move_batch(struct yard *yard, unsigned node, uint64_t *left, uint64_t most, uint64_t *moved)
{
	const uint32_t gfp = (YARD_GFP_HIGHUSER_MOVABLE & ~(uint32_t)YARD_GFP_NOIO) | YARD_GFP_NOMEMALLOC
			     | YARD_GFP_NOWARN;
	uint64_t taken = 0, some;
	struct list list;
	int owner = -1;

	list_init(&list);
	for (; taken < most && taken < MOVE_PAGES; taken++) {
		uint32_t pfn = next_spilled(yard, node, left, &owner);

		if (pfn == PFN_NONE)
			break;
		if (wants_home(yard, node, (unsigned)owner, pfn) && lru_isolate(yard, pfn))
			list_add_tail(yard, &list, pfn);
	}
	if (list_empty(&list))
		return taken;
	some = migrate_to_node(yard, &list, node, gfp, YARD_MIGRATE_ASYNC, MR_NUMA_MISPLACED);
	local_add(&yard->local->owner[owner].repatriated, some);
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_HOME, .zone = (uint8_t)(node * YARD_ZONE_TYPES), .a = (int32_t)owner + 1,
	    .b = (int32_t)some);
	*moved += some;
	return taken;
}

// Whose pages are next; -1: nobody's.
static int waiting_owner(struct yard *yard, unsigned node, const uint64_t *left)
{
	struct local_reclaim *local = yard->local;
	uint32_t i;
	int owner;

	yard_spin_lock(&local->runs_lock);
	i = oldest_run(local, node, left);
	owner = i < local->nr_runs ? run_at(local, i)->owner : -1;
	yard_spin_unlock(&local->runs_lock);
	return owner;
}

static bool may_evict(struct yard *yard, unsigned node, unsigned owner)
{
	return local_has_garbage(yard, node, local_level(yard, node, owner)) && local_may_take(yard, node, owner);
}

// Room above W_high; where garbage is in the way it goes first.
static uint64_t room_at_home(struct yard *yard, unsigned node, const uint64_t *left)
{
	uint64_t mark = local_high_mark(yard, node);
	int owner = waiting_owner(yard, node, left);
	uint64_t pages = owner >= 0 ? left[owner] : 0;
	struct local_batch batch = { .freed = 1 };

	while (owner >= 0 && batch.freed && local_free(yard, node) < mark + pages
	       && may_evict(yard, node, (unsigned)owner)) {
		local_evict(yard, node, (unsigned)owner, ROLE_PROACTIVE, &batch);
		local_add(&yard->local->owner[owner].reclaimed, batch.freed);
	}
	return local_free(yard, node) > mark ? local_free(yard, node) - mark : 0;
}

// What each owner's pages may do in one period. Returns the sum.
static uint64_t allot(const struct yard *yard, uint64_t *left)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < yard->local->nr_owners; i++) {
		left[i] = (uint64_t)yard->local->owner[i].config.repatriate_mbps * LOCAL_PAGES_PER_MB
			  / MOVE_PERIOD_SHARE;
		sum += left[i];
	}
	return sum;
}

uint64_t local_move_home(struct yard *yard, unsigned node, bool *more)
{
	uint64_t left[YARD_LOCAL_OWNERS_MAX], pages = allot(yard, left), room = room_at_home(yard, node, left);
	uint64_t taken = 1, moved = 0;

	pages = pages < room ? pages : room;
	for (; pages && taken && local_read(&yard->local->waiting[node]); pages -= taken) {
		taken = move_batch(yard, node, left, pages, &moved);
		yard_host_yield(&yard->host);
	}
	*more = local_read(&yard->local->waiting[node]);
	return moved;
}

// ---- what it does ----

const char *yard_local_reason_name(unsigned reason)
{
	static const char *const names[YARD_LOCAL_REASONS] = {
		[YARD_LOCAL_RATE] = "rate", [YARD_LOCAL_NOGARBAGE] = "nogarbage", [YARD_LOCAL_BUDGET] = "budget",
		[YARD_LOCAL_NONBLOCK] = "nonblock", [YARD_LOCAL_REFAULT] = "refault", [YARD_LOCAL_FLOOR] = "floor",
	};

	return reason < YARD_LOCAL_REASONS ? names[reason] : "?";
}

// Nobody has asked for a page for as long as rates are averaged over: what was computed then says nothing of now.
static bool quiet(struct yard *yard, unsigned node)
{
	return time_since(now_ns(yard), local_read(&local_node(yard, node)->refreshed_at)) >= LOCAL_SECOND;
}

int yard_local_get(struct yard *yard, unsigned number, struct yard_local_stat *stat)
{
	struct local_owner *owner;

	if (!number || number > yard->local->nr_owners)
		return YARD_ERANGE;
	owner = &yard->local->owner[number - 1];
	*stat = (struct yard_local_stat){
		.home = local_read(&owner->home), .failed = local_read(&owner->failed),
		.steps = local_read(&owner->steps), .waits = local_read(&owner->waits),
		.stall_ns = local_read(&owner->stall_ns),
		.stall_max_ns = local_read(&owner->stall_max_ns), .stepped = local_read(&owner->stepped),
		.reclaimed = local_read(&owner->reclaimed), .refaults = local_read(&owner->refaults),
		.repatriated = local_read(&owner->repatriated), .level = owner->config.garbage,
	};
	for (unsigned reason = 0; reason < YARD_LOCAL_REASONS; reason++)
		stat->spilled[reason] = local_read(&owner->spilled[reason]);
	for (unsigned node = 0; node < yard->nr_nodes; node++) {
		const struct local_share *share = &local_node(yard, node)->share[number - 1];

		stat->rate += quiet(yard, node) ? 0 : share->rate;
		stat->limit += share->limit;
		stat->level = share->level < stat->level ? share->level : stat->level;
	}
	return YARD_OK;
}

int yard_local_get_node(struct yard *yard, unsigned node, struct yard_local_node *state)
{
	struct local_node *n;

	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	n = local_node(yard, node);
	*state = (struct yard_local_node){
		.wmark_low = quiet(yard, node) ? 0 : local_read(&n->wmark_low),
		.wmark_high = quiet(yard, node) ? 0 : local_read(&n->wmark_high),
		.free = local_free(yard, node), .garbage = local_inactive(yard, node), .wakes = local_read(&n->wakes),
		.reclaimed = local_read(&n->reclaimed), .looked_at = local_read(&n->looked_at),
		.spilled = local_read(&yard->local->waiting[node]),
	};
	for (unsigned thread = 0; thread < YARD_LOCAL_RECLAIMERS_MAX; thread++)
		state->running += n->running[thread];
	return YARD_OK;
}
