// SPDX-License-Identifier: Apache-2.0
//
// Aging in the multi-gen LRU (spec 04 G-6 to G-8, G-14, G-15): what was accessed is promoted to the youngest
// generation, a new one begins, and the oldest is retired when there are four.
//
// There are no page tables to walk: the frames of a node are looked at in their order, and so is the neighbourhood of a
// page that reclaim finds accessed (A-8j). A Bloom filter would save nothing here.

#include "engine/mglru.h"

enum { WINDOW = 64 }; // frames that are looked at together
enum { ANY_TYPE = 100 }; // a swappiness that allows both

// ---- looking at pages ----

// V-5. The first access promotes program code; anything else has to be seen a second time.
static bool first_sighting(const struct yard *yard, uint32_t word)
{
	bool code = word_mapping(word) == YARD_MAPPED_EXEC && word_is_file(word);

	return !(word & (PG_REFERENCED | PG_WORKINGSET)) && !(code && yard->policy.gen_exec_first);
}

// lru_lock held. G-6's update.
static void promote(struct yard *yard, uint32_t pfn, const struct lru_gen *gens)
{
	uint32_t word = frame_word(yard, pfn);

	if (word_place(word) != PLACE_LRU || word & PG_MLOCKED || !mm_of(yard, pfn)->lru_gen)
		return;
	if (first_sighting(yard, word))
		frame_change(yard, pfn, PG_REFS, PG_REFERENCED);
	else
		gen_renumber(yard, pfn, seq_gen(gens->max_seq), PG_ACCESSES, PG_WORKINGSET);
}

// Not under lru_lock, for the owner may be asked. The page may go meanwhile.
static bool accessed(struct yard *yard, uint32_t pfn, unsigned node, int swappiness)
{
	uint32_t word = frame_word(yard, pfn);

	if (word_state(word) != YARD_FRAME_ALLOCATED || word_place(word) != PLACE_LRU || node_of(yard, pfn) != node)
		return false;
	if (!(word & PG_MAPPING) || word_mapping(word) == YARD_MAPPED_NO_RECENCY || word & PG_MLOCKED
	    || !type_allowed(swappiness, word_lru_type(word)))
		return false;
	yard_host_charge(&yard->host, YARD_COST_SCAN_FRAME, 1);
	return (yard->owner.referenced || word & PG_YOUNG) && page_references(yard, pfn) > 0;
}

static void look_at_window(struct yard *yard, unsigned node, uint32_t start, uint32_t end, int swappiness)
{
	struct node_mm *mm = &yard->mm[node];
	uint64_t young = 0;

	for (uint32_t pfn = start; pfn < end; pfn++)
		if (accessed(yard, pfn, node, swappiness))
			young |= 1ull << (pfn - start);
	if (!young)
		return;
	yard_host_charge(&yard->host, YARD_COST_LRU_PAGE, (uint64_t)__builtin_popcountll(young));
	yard_spin_lock(&mm->lru_lock);
	for (; young; young &= young - 1)
		promote(yard, start + (uint32_t)__builtin_ctzll(young), &mm->lruvec.gen);
	yard_spin_unlock(&mm->lru_lock);
}

// Up to GEN_BATCH_MAX frames of a zone.
struct part {
	uint32_t start, end;
};

// lru_lock held. Callers that come while a walk is under way share it (G-6): each takes the next part that nobody has
// taken. False: all are.
static bool take_part(struct yard *yard, unsigned node, struct lru_gen *gens, uint64_t max_seq, struct part *part)
{
	struct gen_walk *walk = &gens->walk;

	if (walk->seq != max_seq)
		*walk = (struct gen_walk){ .seq = max_seq, .walkers = walk->walkers };
	for (; walk->zone < YARD_ZONE_TYPES; walk->zone++, walk->offset = 0) {
		const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + walk->zone);
		uint32_t span = zone->end_pfn - zone->start_pfn, left;

		if (walk->offset >= span)
			continue;
		left = span - walk->offset < GEN_BATCH_MAX ? span - walk->offset : GEN_BATCH_MAX;
		part->start = zone->start_pfn + walk->offset;
		part->end = part->start + left;
		walk->offset += left;
		return true;
	}
	return false;
}

static void walk_part(struct yard *yard, unsigned node, const struct part *part, int swappiness)
{
	for (uint32_t pfn = part->start; pfn < part->end; pfn += WINDOW)
		look_at_window(yard, node, pfn, part->end - pfn > WINDOW ? pfn + WINDOW : part->end, swappiness);
	yard_host_yield(&yard->host);
}

// lru_lock held; released in between. Who finds nothing left to walk must not go on to evict pages that nobody has aged yet.
static void wait_for_walkers(struct yard *yard, struct node_mm *mm, uint64_t max_seq)
{
	const struct lru_gen *gens = &mm->lruvec.gen;

	while (gens->max_seq == max_seq && gens->walk.walkers) {
		yard_spin_unlock(&mm->lru_lock);
		yard_host_charge(&yard->host, YARD_COST_ZONE_CHECK, 1);
		yard_host_yield(&yard->host);
		yard_spin_lock(&mm->lru_lock);
	}
}

// G-6. True: everything has been looked at, and by nobody still.
static bool walk_node(struct yard *yard, unsigned node, uint64_t max_seq, int swappiness)
{
	struct node_mm *mm = &yard->mm[node];
	struct lru_gen *gens = &mm->lruvec.gen;
	struct part part;
	bool done;

	yard_spin_lock(&mm->lru_lock);
	while (gens->max_seq == max_seq && take_part(yard, node, gens, max_seq, &part)) {
		gens->walk.walkers++;
		yard_spin_unlock(&mm->lru_lock);
		walk_part(yard, node, &part, swappiness);
		yard_spin_lock(&mm->lru_lock);
		gens->walk.walkers--;
	}
	wait_for_walkers(yard, mm, max_seq);
	done = gens->max_seq == max_seq;
	yard_spin_unlock(&mm->lru_lock);
	return done;
}

// G-8: the window around the page, inside what one page table would map.
static void look_around(struct yard *yard, uint32_t pfn)
{
	uint32_t block = pfn & ~(YARD_PAGEBLOCK_NR_PAGES - 1u), last = block + YARD_PAGEBLOCK_NR_PAGES;
	uint32_t start = pfn - block > WINDOW / 2 ? pfn - WINDOW / 2 : block;
	uint32_t end = last - pfn > WINDOW / 2 ? pfn + WINDOW / 2 : last;

	look_at_window(yard, node_of(yard, pfn), start, end, ANY_TYPE);
}

int gen_check_reference(struct yard *yard, uint32_t pfn) // the page is isolated
{
	int mappings = page_references(yard, pfn);
	uint32_t word = frame_word(yard, pfn);

	if (word & PG_MLOCKED)
		return REFERENCE_ACTIVATE;
	if (mappings <= 0)
		return mappings ? REFERENCE_KEEP : REFERENCE_RECLAIM;
	look_around(yard, pfn);
	if (first_sighting(yard, word)) {
		frame_change(yard, pfn, PG_REFS, PG_REFERENCED);
		return REFERENCE_KEEP;
	}
	if (word_accesses(word) > 1 || !(word & (PG_REFERENCED | PG_WORKINGSET)))
		frame_change(yard, pfn, PG_ACCESSES, PG_WORKINGSET);
	else
		gen_mark_accessed(yard, pfn);
	return REFERENCE_ACTIVATE;
}

// ---- a new generation (G-7) ----

static void retire_page(struct yard *yard, struct lru_gen *gens, struct list *list, unsigned type, unsigned zone)
{
	unsigned oldest = seq_gen(gens->min_seq[type]), gen;
	uint32_t pfn = list->tail, word = frame_word(yard, pfn);

	list_del(yard, list, pfn);
	gen = word_gen(word);
	if (gen == oldest) {
		gen = seq_gen(gens->min_seq[type] + 1);
		gen_protect(gens, word);
		gen_renumber(yard, pfn, gen, PG_ACCESSES, 0);
	}
	list_add_tail(yard, &gens->lists[gen][type][zone], pfn);
}

// True: the oldest generation of the type is empty. At most GEN_BATCH_MAX pages at a time.
static bool retire_some(struct yard *yard, struct lru_gen *gens, unsigned type)
{
	unsigned left = GEN_BATCH_MAX, oldest = seq_gen(gens->min_seq[type]);

	for (unsigned zone = 0; zone < YARD_ZONE_TYPES; zone++) {
		struct list *list = &gens->lists[oldest][type][zone];

		for (; !list_empty(list); left--) {
			if (!left)
				return false;
			retire_page(yard, gens, list, type, zone);
		}
	}
	return true;
}

// lru_lock held; released in between. A type that swappiness excludes keeps its pages: they become the youngest ones.
static void retire_oldest(struct yard *yard, struct node_mm *mm, unsigned type, uint64_t max_seq, int swappiness)
{
	struct lru_gen *gens = &mm->lruvec.gen;

	while (gens->max_seq == max_seq && nr_gens(gens, type) == NR_GENS) {
		bool excluded = !type_allowed(swappiness, type);

		if (excluded || retire_some(yard, gens, type)) {
			gens->aliased[type] |= excluded;
			gen_advance(gens, type, gens->min_seq[type] + 1);
			continue;
		}
		yard_spin_unlock(&mm->lru_lock);
		yard_host_yield(&yard->host);
		yard_spin_lock(&mm->lru_lock);
	}
}

// The second youngest generation is no longer active, the one to come is.
static void move_active_border(struct yard *yard, unsigned node)
{
	struct lru_gen *gens = gens_of(yard, node);

	for (unsigned type = 0; type < LRU_TYPES; type++)
		for (unsigned z = 0; z < YARD_ZONE_TYPES; z++) {
			const struct zone *zone = zone_at(yard, node * YARD_ZONE_TYPES + z);
			unsigned inactive = type == ANON ? YARD_LRU_INACTIVE_ANON : YARD_LRU_INACTIVE_FILE;
			int64_t pages = (int64_t)gens->size[seq_gen(gens->max_seq - 1)][type][z]
					- (int64_t)gens->size[seq_gen(gens->max_seq + 1)][type][z];

			account_lru(yard, zone, inactive, pages);
			account_lru(yard, zone, inactive + 1, -pages);
		}
}

static void begin_generation(struct yard *yard, unsigned node, uint64_t max_seq, int swappiness)
{
	struct node_mm *mm = &yard->mm[node];
	struct lru_gen *gens = &mm->lruvec.gen;

	yard_spin_lock(&mm->lru_lock);
	for (unsigned type = 0; type < LRU_TYPES; type++)
		retire_oldest(yard, mm, type, max_seq, swappiness);
	if (gens->max_seq == max_seq) { // else somebody else was faster
		move_active_border(yard, node);
		gens->birth_ns[seq_gen(max_seq + 1)] = now_ns(yard);
		__atomic_store_n(&gens->max_seq, max_seq + 1, __ATOMIC_RELAXED);
	}
	yard_spin_unlock(&mm->lru_lock);
}

bool gen_run_aging(struct yard *yard, unsigned node, int swappiness)
{
	uint64_t max_seq = __atomic_load_n(&gens_of(yard, node)->max_seq, __ATOMIC_RELAXED);

	if (!walk_node(yard, node, max_seq, swappiness))
		return false;
	begin_generation(yard, node, max_seq, swappiness);
	return true;
}

// ---- kswapd's step ----

void gen_initial_priority(struct yard *yard, unsigned node, struct scan_control *sc)
{
	uint64_t reclaimable = (uint64_t)node_stat(yard, node, YARD_NODE_INACTIVE_FILE);
	int64_t priority;

	if (sc->priority != DEF_PRIORITY || sc->nr_to_reclaim < GEN_BATCH_MIN)
		return;
	if (can_reclaim_anon(yard, node, sc))
		reclaimable += (uint64_t)node_stat(yard, node, YARD_NODE_INACTIVE_ANON);
	priority = (int64_t)fls64(reclaimable) - 1 - (int64_t)fls64(sc->nr_to_reclaim - 1);
	sc->priority = (int8_t)clamp64(priority, DEF_PRIORITY / 2, DEF_PRIORITY);
}

uint64_t gen_evictable_min_seq(const struct lru_gen *gens, int swappiness)
{
	uint64_t seq = UINT64_MAX;

	for (unsigned type = 0; type < LRU_TYPES; type++)
		if (type_allowed(swappiness, type) && gens->min_seq[type] < seq)
			seq = gens->min_seq[type];
	return seq;
}

// Is there a generation that may be evicted and has lived for min_ttl?
static bool old_enough(struct yard *yard, unsigned node, const struct scan_control *sc)
{
	struct node_mm *mm = &yard->mm[node];
	struct lru_gen *gens = &mm->lruvec.gen;
	uint64_t birth;

	yard_spin_lock(&mm->lru_lock);
	birth = gens->birth_ns[seq_gen(gen_evictable_min_seq(gens, gen_swappiness(yard, node, sc)))];
	yard_spin_unlock(&mm->lru_lock);
	return time_since(now_ns(yard), birth) >= yard->lru_gen_min_ttl_ns;
}

static void kill_for_min_ttl(struct yard *yard, unsigned node, const struct scan_control *sc)
{
	const struct alloc_context ctx = {
		.zonelist = yard->nodes[node].fallback, .first = yard->nodes[node].fallback, .gfp = sc->gfp,
		.highest_zone = sc->highest_zone, .node = (uint8_t)node,
	};

	if (!yard_spin_trylock(&yard->oom_lock))
		return;
	out_of_memory(yard, &ctx);
	yard_spin_unlock(&yard->oom_lock);
}

void gen_age_node(struct yard *yard, unsigned node, struct scan_control *sc) // G-15
{
	gen_initial_priority(yard, node, sc);
	if (yard->lru_gen_min_ttl_ns && !old_enough(yard, node, sc))
		kill_for_min_ttl(yard, node, sc);
}

void yard_set_lru_gen_min_ttl(struct yard *yard, uint64_t ms)
{
	yard->lru_gen_min_ttl_ns = ms * NSEC_PER_MSEC;
}
