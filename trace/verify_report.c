// SPDX-License-Identifier: Apache-2.0
//
// Differences with their causes and reasons, and the printed verdict.

#include "trace/verify_internal.h"

#include <string.h>

const char *verify_decision_name(unsigned decision)
{
	static const char *const names[VERIFY_DECISIONS] = {
		[VERIFY_FRAMES] = "frames", [VERIFY_FAILURES] = "failed requests", [VERIFY_REFILLS] = "refills",
		[VERIFY_WAKES] = "failed fast attempts",
		[VERIFY_CLAIMS] = "claims", [VERIFY_STEALS] = "steals",
		[VERIFY_RESERVES] = "highatomic reserves", [VERIFY_PUTS] = "frees to per-CPU lists",
		[VERIFY_DIRECT] = "frees to buddy lists", [VERIFY_DRAINS] = "drains", [VERIFY_DECAYS] = "timed decays",
		[VERIFY_ISOLATED] = "isolated free blocks",
		[VERIFY_KSWAPD_WAKEUPS] = "kswapd wake-ups", [VERIFY_KSWAPD_RUNS] = "kswapd runs",
		[VERIFY_KSWAPD_STOPS] = "kswapd goes on or stops", [VERIFY_KSWAPD_SLEEPS] = "kswapd sleeps",
		[VERIFY_SCAN_ORDERS] = "orders of reclaim scans", [VERIFY_RECLAIM_ORDERS] = "orders of direct reclaim",
		[VERIFY_SUITABLE] = "compaction suitable", [VERIFY_DEFERRALS] = "compaction deferred",
		[VERIFY_KCOMPACTD_WAKEUPS] = "kcompactd wake-ups", [VERIFY_KCOMPACTD_RUNS] = "kcompactd runs",
		[VERIFY_PROACTIVE] = "proactive compaction", [VERIFY_DIRECT_COMPACTION] = "direct compactions",
		[VERIFY_POSITIONS] = "scanner positions", [VERIFY_SOURCE_BLOCKS] = "source blocks",
		[VERIFY_SOURCES] = "source scans", [VERIFY_FREE_SEARCHES] = "fast free searches",
		[VERIFY_FREE_SCANS] = "linear free scans", [VERIFY_MIGRATED] = "migrated pages",
		[VERIFY_RESCANS] = "rescans of a block", [VERIFY_RUN_DRAINS] = "drains by compaction",
		[VERIFY_FINISHED] = "compaction finished", [VERIFY_RUN_RESULTS] = "results of compaction",
	};

	return decision < VERIFY_DECISIONS ? names[decision] : "?";
}

const char *verify_cause_name(unsigned cause)
{
	static const char *const names[VERIFY_CAUSES] = {
		[VERIFY_CAUSE_NONE] = "none",
		[VERIFY_CAUSE_ROTATED] = "free list rotated by compaction's search (T7j)",
		[VERIFY_CAUSE_LOST_PROBE] = "a put probe was lost, or may have been",
		[VERIFY_CAUSE_RACE] = "two CPUs within the clock's resolution",
		[VERIFY_CAUSE_PORTIONS] = "portions of a drain whose task lost its CPU (N1)",
		[VERIFY_CAUSE_KSWAPD] = "kswapd on its way to or from its wait queue (A6)",
		[VERIFY_CAUSE_RULE] = "a rule differs",
	};

	return cause < VERIFY_CAUSES ? names[cause] : "?";
}

const char *verify_silent_name(unsigned silent)
{
	static const char *const names[VERIFY_SILENTS] = {
		[VERIFY_SILENT_CAPTURED] = "frames captured by direct compaction (T7d)",
		[VERIFY_SILENT_BULK] = "bulk pages, taken without mm_page_alloc (T7e)",
		[VERIFY_SILENT_BELIEVED_FREE] = "frees of frames believed free (T8.4)",
		[VERIFY_SILENT_BUSY] = "set's lock held by the interrupted task (N1)",
		[VERIFY_SILENT_PREEMPTED] = "drains whose task lost its CPU between two portions (N1)",
		[VERIFY_SILENT_LOST_PUT] = "frames on a per-CPU list without a put (lost probe)",
	};

	return silent < VERIFY_SILENTS ? names[silent] : "?";
}

const char *verify_unjudged_name(unsigned unjudged)
{
	static const char *const names[VERIFY_UNJUDGEDS] = {
		[VERIFY_UNJUDGED_STATE] = "compaction: the snapshot does not tell its state",
		[VERIFY_UNJUDGED_BEFORE] = "of runs that began before the record",
		[VERIFY_UNJUDGED_ROUNDS] = "of a request's later rounds: what led to them is not recorded",
		[VERIFY_UNJUDGED_GATES] = "tests of zones by reclaim itself: their place in its walk is not recorded",
		[VERIFY_UNJUDGED_ASKED] = "kswapd, and who wakes it, between the wait queue and the event: who was first is not recorded",
		[VERIFY_UNJUDGED_PLACES] = "source scans with pages from before the record that joined an LRU list unseen (N2)",
		[VERIFY_UNJUDGED_LARGE] = "linear free scans over large pages from before the record: their size is not recorded",
		[VERIFY_UNJUDGED_REST] = "the rest of a search after a difference",
		[VERIFY_UNJUDGED_GIVEN_UP] = "results of runs that ended with a captured page or were given up",
		[VERIFY_UNJUDGED_PAGES] = "scans of LRU lists: which pages are taken and reclaimed, the lists are not recorded",
		[VERIFY_UNJUDGED_MOVES] = "migrations: which pages can be moved is not recorded",
	};

	return unjudged < VERIFY_UNJUDGEDS ? names[unjudged] : "?";
}

// ---- reasons ----

// One of the engine's reasons in words, with its rule. Returns the length.
static int reason_text(const struct yard_event *event, char *text, size_t size)
{
	switch (event->kind) {
	case YARD_EVENT_WHY_ATTEMPT:
		return snprintf(text, size, "walk with flags %#x (A2)", (unsigned)event->a);
	case YARD_EVENT_WHY_ZONE_SKIPPED:
		return snprintf(text, size, "zone %u skipped: %s", event->zone, yard_skip_name((unsigned)event->a));
	case YARD_EVENT_WHY_WATERMARK:
		return snprintf(text, size, "zone %u: %u free, %d unusable, mark and reserve %d: %s (W11)", event->zone, event->pfn,
				event->c, event->a, event->b ? "passes" : "fails");
	case YARD_EVENT_WHY_REFILL:
		return snprintf(text, size, "list empty, refill of %d blocks, high %d, alloc_factor %d (P7)", event->a, event->b,
				event->c);
	case YARD_EVENT_WHY_PCP_BUSY:
		return snprintf(text, size, "set locked, direct path (P9, B12)");
	case YARD_EVENT_WHY_PCP_HIGH:
		return snprintf(text, size, "count %d reached high %d, %d to free (P11, P12)", event->a, event->b, event->c);
	case YARD_EVENT_WHY_NO_CLAIM:
		return snprintf(text, size, "pageblock of %u not claimed: %d free + %d alike < half (R11)", event->pfn, event->a, event->b);
	case YARD_EVENT_WHY_BOOST:
		return snprintf(text, size, "watermark boost %d of at most %d (W7)", event->a, event->b);
	case YARD_EVENT_WHY_RESTART:
		return snprintf(text, size, event->a ? "again with nodes whose kswapd is active (A11)" : "again without NOFRAGMENT (A5, A12)");
	case YARD_EVENT_WHY_SLOWPATH:
		return snprintf(text, size, "pass %d of the slow path: reclaim and compaction for order %d (SP-45)", event->c,
				event->b);
	case YARD_EVENT_WHY_RETRY:
		return snprintf(text, size, "pass %d of the slow path goes from %s to %s (spec 02 2.2)", event->c,
				yard_slow_state_name((unsigned)event->a), yard_slow_state_name((unsigned)event->b));
	case YARD_EVENT_BULK_DRAIN:
		return snprintf(text, size, "drains %d pages from list %d on (P14)", event->a, event->b);
	case YARD_EVENT_PAGE_ALLOC_ZONE_LOCKED:
		return snprintf(text, size, "frame %u leaves the smallest list that fits, type %u (R4)", event->pfn, event->migratetype);
	case YARD_EVENT_PAGE_ALLOC_EXTFRAG:
		return snprintf(text, size, event->c ? "frame %u through a claim of an order-%d block (R9)"
						      : "frame %u stolen from an order-%d block (R13)", event->pfn, event->a);
	case YARD_EVENT_TAKE:
		if (event->pfn == YARD_PFN_NONE)
			return snprintf(text, size, "neither list nor zone had one (P6)");
		return snprintf(text, size, "frame %u is the head of the list (P6)", event->pfn);
	case YARD_EVENT_PUT:
		return snprintf(text, size, "frame %u goes to the head of list type %u (P10, B12)", event->pfn, event->migratetype);
	case YARD_EVENT_FREE_DIRECT:
		return snprintf(text, size, "frame %u goes to the buddy lists (B11)", event->pfn);
	default:
		return 0;
	}
}

// The reasons of the pupil's last operation, joined; long runs of removals are left out.
static void join_reasons(const struct verifier *v, char *text, size_t size)
{
	size_t length = 0;

	text[0] = '\0';
	for (unsigned n = 0; n < v->nr_said; n++) {
		char part[160];

		if (v->said[n].kind < YARD_EVENT_STEPS && v->said[n].kind != YARD_EVENT_PAGE_ALLOC_EXTFRAG)
			continue;
		if (reason_text(&v->said[n], part, sizeof(part)) <= 0 || length + strlen(part) + 3 > size)
			continue;
		length += (size_t)snprintf(text + length, size - length, "%s%s", length ? "; " : "", part);
	}
}

// ---- differences ----

// Where even the teacher's own state had the frame elsewhere, no rule could have named it: the record is silent about
// something (T7), if there is evidence of what. Otherwise the engine decided differently. Once it has, nothing that follows
// is excused.
static enum verify_cause cause_of(const struct verifier *v, const struct op *op)
{
	int zone = op->pfn == YARD_PFN_NONE ? -1 : yard_zone_of(v->teacher, op->pfn);

	if (v->result->cause[VERIFY_CAUSE_RULE])
		return VERIFY_CAUSE_RULE;
	if (v->hint != VERIFY_CAUSE_NONE)
		return v->hint;
	if (v->worst == YARD_FORCED_AS_PREDICTED || zone < 0)
		return VERIFY_CAUSE_RULE;
	if (v->raced[zone])
		return VERIFY_CAUSE_RACE;
	if (v->worst == YARD_FORCED_REPAIRED)
		return VERIFY_CAUSE_LOST_PROBE;
	return v->searched[zone] ? VERIFY_CAUSE_ROTATED : VERIFY_CAUSE_RULE;
}

// Differences from `first` on belong to the operation that the teacher has just been forced through.
void settle_causes(struct verifier *v, const struct op *op, uint64_t first)
{
	struct verify_result *result = v->result;
	enum verify_cause cause = cause_of(v, op);

	for (; first < result->all_differences; first++) {
		result->cause[cause]++;
		if (first < result->nr_differences)
			result->difference[first].cause = (uint8_t)cause;
	}
}

void record_difference(struct verifier *v, const struct op *op, enum verify_decision decision, const char *recorded,
		       const char *engine)
{
	struct verify_result *result = v->result;
	struct verify_difference *difference;

	result->all_differences++;
	if (result->nr_differences >= v->options->differences)
		return;
	difference = &result->difference[result->nr_differences++];
	*difference = (struct verify_difference){
		.seq = event_at(v, op->start)->seq, .decision = (uint8_t)decision, .order = op->order,
		.migratetype = op->migratetype, .cpu = op->cpu,
	};
	snprintf(difference->recorded, sizeof(difference->recorded), "%s", recorded);
	snprintf(difference->engine, sizeof(difference->engine), "%s", engine);
	if (v->pupil)
		join_reasons(v, difference->reason, sizeof(difference->reason));
}

// ---- --explain ----

static void explain_zone(struct verifier *v, struct yard *yard, unsigned id, unsigned cpu, FILE *out)
{
	struct yard_zone_state zone;
	struct yard_pcp_state pcp;

	(void)v;
	yard_get_zone(yard, id, &zone);
	if (!zone.populated)
		return;
	yard_get_pcp(yard, id, cpu, &pcp);
	fprintf(out, "  zone %u %s of node %u: free %lld, min/low/high %llu/%llu/%llu, boost %llu, flags %#x\n", id,
		yard_zone_type_name(id % YARD_ZONE_TYPES), id / YARD_ZONE_TYPES, (long long)zone.stat[YARD_NR_FREE_PAGES],
		(unsigned long long)zone.wmark[0], (unsigned long long)zone.wmark[1], (unsigned long long)zone.wmark[2],
		(unsigned long long)zone.boost, zone.flags);
	fprintf(out, "    cpu %u: count %d high %d (%d..%d) batch %d alloc_factor %d free_count %d\n", cpu, pcp.count, pcp.high,
		pcp.high_min, pcp.high_max, pcp.batch, pcp.alloc_factor, pcp.free_count);
	for (unsigned type = 0; type < YARD_PCPTYPES; type++) {
		fprintf(out, "    %-11s heads by order:", yard_migratetype_name(type));
		for (unsigned order = 0; order < YARD_NR_PAGE_ORDERS; order++) {
			uint32_t head = yard_free_list_next(yard, id, order, type, YARD_PFN_NONE);

			if (head == YARD_PFN_NONE)
				fprintf(out, " -");
			else
				fprintf(out, " %u", head);
		}
		fprintf(out, "\n");
	}
}

void explain_before(struct verifier *v, const struct op *op)
{
	FILE *out = v->options->explain_to;

	if (op->kind == OP_ALLOC && op->pfn == YARD_PFN_NONE)
		fprintf(out, "event %llu, cpu %u: a request of order %u, gfp %#x; the kernel had no frame for it\n",
			(unsigned long long)v->options->explain, op->cpu, op->order, op->gfp);
	else if (op->kind == OP_ALLOC)
		fprintf(out, "event %llu, cpu %u: a request of order %u, type %s, gfp %#x; the kernel handed out frame %u\n",
			(unsigned long long)v->options->explain, op->cpu, op->order,
			yard_migratetype_name((unsigned)op->migratetype), op->gfp, op->pfn);
	else if (op->kind == OP_WAKE || op->kind == OP_DECAY || op->kind == OP_DRAIN || op->kind == OP_RESUME || op->kind == OP_KSWAPD)
		fprintf(out, "event %llu, cpu %u: %s\n", (unsigned long long)v->options->explain, op->cpu,
			op->kind == OP_WAKE    ? "a request whose fast attempt failed"
			: op->kind == OP_DECAY ? "a timed decay"
			: op->kind == OP_KSWAPD ? "a step of kswapd"
						: "a drain");
	else
		fprintf(out, "event %llu, cpu %u: %s of frame %u, order %u\n", (unsigned long long)v->options->explain, op->cpu,
			op->kind == OP_FREE ? "a free" : "a step", op->pfn, op->order);
	fprintf(out, "state before:\n");
	for (unsigned id = 0; id < yard_nr_zones(v->teacher); id++)
		explain_zone(v, v->pupil ? v->pupil : v->teacher, id, op->cpu, out);
	fprintf(out, "what the kernel did:\n");
	for (uint32_t i = op->first; i != NO_OP; i = i == op->last ? NO_OP : v->window->next[i & WINDOW_MASK]) {
		const struct trace_event *event = event_at(v, i);

		fprintf(out, "  %llu %s pfn=%lld order=%u migratetype=%d a=%d b=%d c=%d\n", (unsigned long long)event->seq,
			trace_kind_name((enum trace_kind)event->kind), (long long)event->pfn, event->order, event->migratetype,
			event->a, event->b, event->c);
	}
}

void explain_after(struct verifier *v)
{
	FILE *out = v->options->explain_to;

	fprintf(out, "what the engine did, and by which rule:\n");
	for (unsigned n = 0; n < v->nr_said; n++) {
		char text[200];

		if (reason_text(&v->said[n], text, sizeof(text)) > 0)
			fprintf(out, "  %s\n", text);
	}
}

// ---- the verdict as text ----

static double percent(const struct verify_share *share)
{
	return share->all ? 100.0 * (double)share->right / (double)share->all : 100.0;
}

static void print_share(FILE *out, const char *name, const struct verify_share *share)
{
	if (share->all)
		fprintf(out, "  %-24s %9.4f %%  %llu of %llu\n", name, percent(share), (unsigned long long)share->right,
			(unsigned long long)share->all);
}

static void print_shares(const struct verify_result *r, FILE *out)
{
	char name[32];

	fprintf(out, "Identical decisions\n");
	for (unsigned i = 0; i < VERIFY_DECISIONS; i++)
		print_share(out, verify_decision_name(i), &r->decision[i]);
	fprintf(out, "Identical frames by order\n");
	for (unsigned i = 0; i < YARD_NR_PAGE_ORDERS; i++) {
		snprintf(name, sizeof(name), "order %u", i);
		print_share(out, name, &r->by_order[i]);
	}
	fprintf(out, "Identical frames by migratetype\n");
	for (unsigned i = 0; i < YARD_MIGRATETYPES; i++)
		print_share(out, yard_migratetype_name(i), &r->by_type[i]);
	fprintf(out, "Identical frames by path\n");
	for (unsigned i = 0; i < YARD_PATHS; i++)
		print_share(out, yard_path_name(i), &r->by_path[i]);
}

static void print_final(const struct verify_final *f, FILE *out)
{
	if (!f->compared) {
		fprintf(out, "End state: not compared, events are missing from the record\n");
		return;
	}
	fprintf(out, "End state, identical to the second snapshot\n");
	fprintf(out, "  free lists, in order     %llu of %llu (%llu more differ only in order)\n",
		(unsigned long long)f->free_lists_same, (unsigned long long)f->free_lists, (unsigned long long)f->free_lists_order_only);
	fprintf(out, "  per-CPU lists, in order  %llu of %llu (%llu more differ only in order)\n",
		(unsigned long long)f->pcp_lists_same, (unsigned long long)f->pcp_lists, (unsigned long long)f->pcp_lists_order_only);
	if (f->pcp_fields)
		fprintf(out, "  per-CPU set fields       %llu of %llu\n", (unsigned long long)f->pcp_fields_same,
			(unsigned long long)f->pcp_fields);
	fprintf(out, "  pageblock types          %llu of %llu\n", (unsigned long long)f->pageblocks_same,
		(unsigned long long)f->pageblocks);
	fprintf(out, "  counters                 %llu of %llu\n", (unsigned long long)f->counters_same, (unsigned long long)f->counters);
	if (f->compact_fields)
		fprintf(out, "  compaction's state       %llu of %llu\n", (unsigned long long)f->compact_fields_same,
			(unsigned long long)f->compact_fields);
	if (f->skip_bits)
		fprintf(out, "  pageblock skip bits      %llu of %llu\n", (unsigned long long)f->skip_bits_same,
			(unsigned long long)f->skip_bits);
	for (unsigned i = 0; i < f->nr_lines; i++)
		fprintf(out, "    %s\n", f->line[i]);
}

static void print_differences(const struct verify_result *r, FILE *out)
{
	if (!r->all_differences)
		return;
	fprintf(out, "Differences: %llu\n", (unsigned long long)r->all_differences);
	for (unsigned i = 1; i < VERIFY_CAUSES; i++)
		if (r->cause[i])
			fprintf(out, "  %8llu  %s\n", (unsigned long long)r->cause[i], verify_cause_name(i));
	for (unsigned i = 0; i < r->nr_differences; i++) {
		const struct verify_difference *d = &r->difference[i];

		fprintf(out, "  event %llu, cpu %u, order %u, type %d, %s: %s\n", (unsigned long long)d->seq, d->cpu, d->order,
			d->migratetype, verify_decision_name(d->decision), verify_cause_name(d->cause));
		fprintf(out, "    kernel: %s\n    engine: %s\n", d->recorded, d->engine);
		if (d->reason[0])
			fprintf(out, "    why:    %s\n", d->reason);
	}
}

static void print_not_judged(const struct verify_result *r, FILE *out)
{
	bool any = false;

	for (unsigned i = 0; i < VERIFY_UNJUDGEDS; i++) {
		if (!r->unjudged[i])
			continue;
		if (!any)
			fprintf(out, "Not judged\n");
		any = true;
		fprintf(out, "  %8llu  %s\n", (unsigned long long)r->unjudged[i], verify_unjudged_name(i));
	}
}

void verify_print(const struct verify_options *options, const struct verify_result *r, FILE *out)
{
	bool silent = false;

	fprintf(out, "%s: %llu events, %llu operations, policy %s, %s level\n", options->record, (unsigned long long)r->events,
		(unsigned long long)r->operations, r->policy_name, options->level == VERIFY_STEP ? "step" : "request");
	if (r->lost)
		fprintf(out, "warning: the recorder lost events (%llu known)\n", (unsigned long long)r->lost);
	print_shares(r, out);
	for (unsigned i = 0; i < VERIFY_SILENTS; i++) {
		if (!r->silent[i])
			continue;
		if (!silent)
			fprintf(out, "Events with an outside cause, or that no rule explains (spec 01 T7, T8)\n");
		silent = true;
		fprintf(out, "  %8llu  %s\n", (unsigned long long)r->silent[i], verify_silent_name(i));
	}
	print_not_judged(r, out);
	print_differences(r, out);
	print_final(&r->final, out);
}

// ---- the verdict as JSON ----

static void json_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned char)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void json_share(FILE *out, const char *name, const struct verify_share *share, bool *first)
{
	if (!share->all)
		return;
	fprintf(out, *first ? "" : ",");
	*first = false;
	json_text(out, name);
	fprintf(out, ":{\"identical\":%llu,\"of\":%llu}", (unsigned long long)share->right, (unsigned long long)share->all);
}

static void json_shares(FILE *out, const char *name, const struct verify_share *share, unsigned nr,
			const char *(*name_of)(unsigned))
{
	bool first = true;
	char number[16];

	fprintf(out, ",\"%s\":{", name);
	for (unsigned i = 0; i < nr; i++) {
		snprintf(number, sizeof(number), "%u", i);
		json_share(out, name_of ? name_of(i) : number, &share[i], &first);
	}
	fprintf(out, "}");
}

static void json_counts(FILE *out, const char *name, const uint64_t *count, unsigned nr, const char *(*name_of)(unsigned))
{
	bool first = true;

	fprintf(out, ",\"%s\":{", name);
	for (unsigned i = 0; i < nr; i++) {
		if (!count[i])
			continue;
		fprintf(out, first ? "" : ",");
		first = false;
		json_text(out, name_of(i));
		fprintf(out, ":%llu", (unsigned long long)count[i]);
	}
	fprintf(out, "}");
}

static void json_differences(FILE *out, const struct verify_result *r)
{
	fprintf(out, ",\"differences\":[");
	for (unsigned i = 0; i < r->nr_differences; i++) {
		const struct verify_difference *d = &r->difference[i];

		fprintf(out, "%s{\"event\":%llu,\"cpu\":%u,\"order\":%u,\"migratetype\":%d,\"decision\":", i ? "," : "",
			(unsigned long long)d->seq, d->cpu, d->order, d->migratetype);
		json_text(out, verify_decision_name(d->decision));
		fprintf(out, ",\"cause\":");
		json_text(out, verify_cause_name(d->cause));
		fprintf(out, ",\"kernel\":");
		json_text(out, d->recorded);
		fprintf(out, ",\"engine\":");
		json_text(out, d->engine);
		fprintf(out, ",\"why\":");
		json_text(out, d->reason);
		fprintf(out, "}");
	}
	fprintf(out, "]");
}

static void json_final(FILE *out, const struct verify_final *f)
{
	const struct {
		const char *name;
		uint64_t right, all;
	} rows[] = {
		{ "free_lists", f->free_lists_same, f->free_lists }, { "pcp_lists", f->pcp_lists_same, f->pcp_lists },
		{ "pcp_fields", f->pcp_fields_same, f->pcp_fields }, { "pageblocks", f->pageblocks_same, f->pageblocks },
		{ "counters", f->counters_same, f->counters }, { "compaction_fields", f->compact_fields_same, f->compact_fields },
		{ "skip_bits", f->skip_bits_same, f->skip_bits },
	};
	bool first = true;

	if (!f->compared) {
		fprintf(out, ",\"end_state\":null");
		return;
	}
	fprintf(out, ",\"end_state\":{");
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		json_share(out, rows[i].name, &(struct verify_share){ rows[i].right, rows[i].all }, &first);
	fprintf(out, "%s\"free_lists_order_only\":%llu,\"differing\":[", first ? "" : ",", (unsigned long long)f->free_lists_order_only);
	for (unsigned i = 0; i < f->nr_lines; i++) {
		fprintf(out, i ? "," : "");
		json_text(out, f->line[i]);
	}
	fprintf(out, "]}");
}

void verify_print_json(const struct verify_options *options, const struct verify_result *r, FILE *out)
{
	fprintf(out, "{\"record\":");
	json_text(out, options->record);
	fprintf(out, ",\"policy\":");
	json_text(out, r->policy_name);
	fprintf(out, ",\"level\":\"%s\",\"cpus\":%u,\"events\":%llu,\"operations\":%llu,\"lost_events\":%llu",
		options->level == VERIFY_STEP ? "step" : "request", r->nr_cpus, (unsigned long long)r->events,
		(unsigned long long)r->operations, (unsigned long long)r->lost);
	json_shares(out, "decisions", r->decision, VERIFY_DECISIONS, verify_decision_name);
	json_shares(out, "frames_by_order", r->by_order, YARD_NR_PAGE_ORDERS, NULL);
	json_shares(out, "frames_by_migratetype", r->by_type, YARD_MIGRATETYPES, yard_migratetype_name);
	json_shares(out, "frames_by_path", r->by_path, YARD_PATHS, yard_path_name);
	json_counts(out, "silent", r->silent, VERIFY_SILENTS, verify_silent_name);
	json_counts(out, "not_judged", r->unjudged, VERIFY_UNJUDGEDS, verify_unjudged_name);
	json_counts(out, "causes", r->cause, VERIFY_CAUSES, verify_cause_name);
	fprintf(out, ",\"all_differences\":%llu", (unsigned long long)r->all_differences);
	json_differences(out, r);
	json_final(out, &r->final);
	fprintf(out, "}\n");
}
