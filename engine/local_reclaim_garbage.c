// SPDX-License-Identifier: Apache-2.0
//
// Garbage (spec 05 L2): which pages of a node may go, and a batch of them. The lists are looked at from their old ends,
// in passes; what is no garbage goes to the young end of its list and waits for the next pass.

#include "engine/lru.h"
#include "engine/local_reclaim.h"
#include "engine/mglru.h"

enum { RETRY_SHARE = 16 }; // a pass in vain is tried again after so many times its own length

// ---- how much there may be ----

// Mapped pages of shmem are on other lists. An estimate that is too high costs a pass in vain.
uint64_t local_inactive(const struct yard *yard, unsigned node)
{
	uint64_t pages = lruvec_size(yard, node, YARD_LRU_INACTIVE_FILE, YARD_ZONE_TYPES - 1);
	int64_t mapped = node_stat(yard, node, YARD_NODE_FILE_MAPPED) - node_stat(yard, node, YARD_NODE_SHMEM);
	int64_t busy = node_stat(yard, node, YARD_NODE_FILE_DIRTY) + (mapped > 0 ? mapped : 0);

	return pages > (uint64_t)busy ? pages - (uint64_t)busy : 0;
}

bool local_has_garbage(struct yard *yard, unsigned node, unsigned level)
{
	const struct local_none *none = &local_node(yard, node)->none[level];
	uint64_t pages = local_inactive(yard, node), size = local_read(&none->size);

	if (!yard->owner.release || pages < CLUSTER_MAX)
		return false;
	if (now_ns(yard) >= local_read(&none->until))
		return true;
	return size != UINT64_MAX && pages >= size + CLUSTER_MAX;
}

// L4: a whole pass found next to nothing.
static void note_none(struct yard *yard, unsigned node, unsigned level)
{
	struct local_node *n = local_node(yard, node);
	uint64_t now = now_ns(yard), wait = RETRY_SHARE * time_since(now, local_read(&n->pass.began));
	bool young = atomic_load_explicit(&n->pass.young, memory_order_relaxed);
	bool floored = atomic_load_explicit(&n->pass.floored, memory_order_relaxed);

	atomic_store_explicit(&n->none[level].floored, floored, memory_order_relaxed);
	local_store(&n->none[level].size, young || floored ? UINT64_MAX : local_inactive(yard, node));
	local_store(&n->none[level].until, now + (wait > LOCAL_PERIOD ? wait : LOCAL_PERIOD));
}

// ---- looking (lru_lock held) ----

static bool may_be_garbage(uint32_t word)
{
	const uint32_t never = PG_ANON | PG_SWAPBACKED | PG_SWAPCACHE | PG_MLOCKED | PG_MAPPING | PG_DIRTY
			       | PG_WRITEBACK | PG_PINNED | PG_BATCH | PG_ACTIVE;

	return !(word & never);
}

// NULL: no such list, or its pages count as active.
static struct list *list_of_pass(struct yard *yard, unsigned node, unsigned i, uint64_t *pages)
{
	struct lruvec *lruvec = &yard->mm[node].lruvec;
	struct lru_gen *gens = &lruvec->gen;
	unsigned zone = YARD_ZONE_TYPES - 1 - i % YARD_ZONE_TYPES, gen; // lower zones were filled later
	uint64_t seq = gens->min_seq[FILE_LRU] + i / YARD_ZONE_TYPES;

	if (!yard->mm[node].lru_gen) {
		*pages = lruvec_size(yard, node, YARD_LRU_INACTIVE_FILE, YARD_ZONE_TYPES - 1);
		return i ? NULL : &lruvec->lists[YARD_LRU_INACTIVE_FILE];
	}
	gen = seq_gen(seq);
	*pages = gens->size[gen][FILE_LRU][zone];
	return seq + MIN_GENS <= gens->max_seq ? &gens->lists[gen][FILE_LRU][zone] : NULL;
}

static struct list *next_list(struct yard *yard, unsigned node, struct local_pass *pass)
{
	for (; pass->list < LOCAL_LISTS; pass->list++, pass->left = UINT64_MAX) {
		uint64_t pages;
		struct list *list = list_of_pass(yard, node, pass->list, &pages);

		if (!list || list_empty(list))
			continue;
		if (pass->left == UINT64_MAX)
			pass->left = pages;
		if (pass->left)
			return list;
	}
	return NULL;
}

static void begin_pass(struct yard *yard, struct local_pass *pass)
{
	pass->list = 0;
	pass->left = UINT64_MAX;
	local_store(&pass->began, now_ns(yard));
	local_store(&pass->found, 0);
	atomic_store_explicit(&pass->young, false, memory_order_relaxed);
	atomic_store_explicit(&pass->floored, false, memory_order_relaxed);
}

static void look(struct yard *yard, unsigned node, struct list *taken, struct local_batch *batch)
{
	struct local_pass *pass = &local_node(yard, node)->pass;
	struct list *list;

	if (pass->list >= LOCAL_LISTS)
		begin_pass(yard, pass);
	while (batch->taken < CLUSTER_MAX && batch->looked < LOCAL_LOOK_MAX && (list = next_list(yard, node, pass))) {
		uint32_t pfn = list->tail, word = frame_word(yard, pfn);
		uint64_t pages = (uint64_t)word_pages(word);

		yard_host_charge(&yard->host, YARD_COST_LRU_ISOLATE, 1);
		batch->looked += pages;
		pass->left -= pages < pass->left ? pages : pass->left;
		if (may_be_garbage(word)) {
			lru_unlink(yard, pfn);
			list_add_tail(yard, taken, pfn);
			batch->taken += pages;
		} else {
			lru_list_del(yard, pfn);
			lru_list_add(yard, pfn, false);
		}
	}
	batch->ended = !next_list(yard, node, pass);
}

// ---- judging ----

enum judgement { GARBAGE, NO_GARBAGE, TOO_YOUNG, FLOORED };

static enum judgement by_age(uint64_t age_ns, uint32_t least_ms)
{
	return age_ns >= (uint64_t)least_ms * NSEC_PER_MSEC ? GARBAGE : TOO_YOUNG;
}

static enum judgement by_use(uint32_t word, const struct yard_local_page *page, const struct yard_local_config *config,
			     unsigned level)
{
	bool once = !(word & PG_WORKINGSET) && word_accesses(word) < 2;

	if (level >= YARD_LOCAL_READ_ONCE && once)
		return by_age(page->age_ns, config->age_min_ms);
	if (level >= YARD_LOCAL_IDLE && by_age(page->idle_ns, config->age_idle_ms) == GARBAGE)
		return GARBAGE;
	return NO_GARBAGE;
}

static enum judgement judge(struct yard *yard, unsigned node, unsigned owner, unsigned level, uint32_t pfn)
{
	const struct yard_local_config *config = &yard->local->owner[owner].config;
	struct yard_local_page page = { .age_ns = UINT64_MAX, .idle_ns = UINT64_MAX };
	uint32_t word = frame_word(yard, pfn);
	enum judgement judgement;

	if (lru_gone(yard, pfn) || !may_be_garbage(word))
		return NO_GARBAGE;
	if (yard->owner.local_page)
		yard->owner.local_page(yard->owner.context, pfn, word_order(word), &page);
	if (page.keep)
		return NO_GARBAGE;
	judgement = page.declared ? GARBAGE : by_use(word, &page, config, level);
	if (judgement != GARBAGE)
		return judgement;
	if (!page.declared && !local_take_from(yard, node, config->victim_permille, &page, (uint64_t)word_pages(word)))
		return FLOORED;
	WHY(yard, .kind = YARD_EVENT_WHY_LOCAL_EVICT, .pfn = pfn, .order = (uint8_t)word_order(word),
	    .a = (int32_t)owner + 1, .b = (int32_t)page.victim);
	return GARBAGE;
}

// Those that may go stay on *pages, the others go to *rest.
static void choose(struct yard *yard, unsigned node, unsigned owner, struct list *pages, struct list *rest,
		   struct local_batch *batch)
{
	unsigned level = local_level(yard, node, owner);
	struct list chosen;

	list_init(&chosen);
	while (!list_empty(pages)) {
		uint32_t pfn = list_pop_head(yard, pages);
		uint64_t size = (uint64_t)word_pages(frame_word(yard, pfn));
		enum judgement judgement = judge(yard, node, owner, level, pfn);

		batch->chosen += judgement == GARBAGE ? size : 0;
		batch->young += judgement == TOO_YOUNG ? size : 0;
		batch->floored += judgement == FLOORED ? size : 0;
		list_add_tail(yard, judgement == GARBAGE ? &chosen : rest, pfn);
	}
	*pages = chosen;
}

// Behind the first pages that are too young are others of that age: the list is done.
static void account_pass(struct yard *yard, unsigned node, unsigned owner, struct local_batch *batch)
{
	struct local_pass *pass = &local_node(yard, node)->pass;
	unsigned level = local_level(yard, node, owner);

	local_add(&pass->found, batch->freed); // what cannot be freed is none
	if (batch->floored)
		atomic_store_explicit(&pass->floored, true, memory_order_relaxed);
	if (batch->young)
		atomic_store_explicit(&pass->young, true, memory_order_relaxed);
	if (batch->young && !batch->chosen && !batch->ended) {
		yard_spin_lock(&yard->mm[node].lru_lock);
		if (pass->list < LOCAL_LISTS)
			pass->left = 0;
		batch->ended = !next_list(yard, node, pass);
		yard_spin_unlock(&yard->mm[node].lru_lock);
	}
	if (batch->ended && local_read(&pass->found) < CLUSTER_MAX)
		note_none(yard, node, level);
}

// ---- a batch ----

void local_evict(struct yard *yard, unsigned node, unsigned owner, enum reclaim_role role, struct local_batch *batch)
{
	struct scan_control sc = {
		.nr_to_reclaim = CLUSTER_MAX, .highest_zone = YARD_ZONE_TYPES - 1, .role = role, .gfp = YARD_GFP_KERNEL,
		.no_demotion = true, .swappiness = -1, .local_owner = (uint8_t)(owner + 1),
	};
	struct scan_stat stat = { .dirty = 0 };
	struct list pages, rest;

	*batch = (struct local_batch){ .looked = 0 };
	list_init(&pages);
	list_init(&rest);
	lru_drain_cpu(yard, this_cpu(yard));
	yard_spin_lock(&yard->mm[node].lru_lock);
	look(yard, node, &pages, batch);
	yard_spin_unlock(&yard->mm[node].lru_lock);
	mod_node_stat(yard, node, YARD_NODE_ISOLATED_FILE, (int64_t)batch->taken);
	account_scanned(yard, node, &sc, FILE_LRU, batch->taken);
	choose(yard, node, owner, &pages, &rest, batch);
	stat.taken = batch->chosen;
	if (!list_empty(&pages))
		batch->freed = shrink_folio_list(yard, node, &sc, &pages, &stat, true);
	putback_pages(yard, &pages);
	putback_pages(yard, &rest);
	mod_node_stat(yard, node, YARD_NODE_ISOLATED_FILE, -(int64_t)batch->taken);
	account_stolen(yard, node, &sc, FILE_LRU, batch->freed);
	account_pass(yard, node, owner, batch);
	local_charge(yard, node, owner, batch->freed);
	local_add(&local_node(yard, node)->looked_at, batch->looked);
	local_add(&local_node(yard, node)->reclaimed, batch->freed);
}
