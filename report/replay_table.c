// SPDX-License-Identifier: Apache-2.0

#include "report/replay_table.h"

#include <ctype.h>
#include <stddef.h>

#include <pageyard/gfp.h>

struct line {
	const char *group, *name;
	enum compare_better better;
	size_t offset; // of a uint64_t in struct replay_figures
	bool state;    // only known with the final state
};

#define LINE(group, name, better, member, state)                                                                       \
	{                                                                                                              \
		group, name, better, offsetof(struct replay_figures, member), state                                    \
	}

static const struct line extfrag_lines[] = {
	LINE("Extfrag", "claim", COMPARE_LOWER, claims, false),
	LINE("Extfrag", "steal", COMPARE_LOWER, steals, false),
	LINE("Extfrag", "pollute", COMPARE_LOWER, pollutes, false),
	LINE("Pcp", "refill-blocks", COMPARE_NEITHER, refills, false),
	LINE("Pcp", "drain-blocks", COMPARE_NEITHER, drains, false),
	{0},
};

static const struct line state_lines[] = {
	LINE("Blocks", "mixed", COMPARE_LOWER, mixed_blocks, true),
	LINE("Blocks", "free", COMPARE_HIGHER, free_blocks, true),
	LINE("Pages", "free", COMPARE_NEITHER, free_pages, true),
	LINE("Pages", "pcp", COMPARE_NEITHER, pcp_pages, true),
	LINE("Pages", "used", COMPARE_NEITHER, used_pages, true),
	{0},
};

static uint64_t value_of(const struct replay_figures *figures, size_t offset)
{
	return *(const uint64_t *)((const char *)figures + offset);
}

// `always`: also when it is 0 in every column.
static void add_line(struct compare *compare, const struct replay_figures *figures, unsigned nr,
		     const struct line *line, bool always)
{
	struct compare_row *row;
	bool any = always;

	for (unsigned i = 0; i < nr; i++)
		any |= value_of(&figures[i], line->offset) != 0;
	if (!any)
		return;
	row = compare_add(compare, line->group, line->name, line->better, 0);
	for (unsigned i = 0; i < nr; i++)
		if (figures[i].state || !line->state)
			row->value[i] = (double)value_of(&figures[i], line->offset);
}

static void add_lines(struct compare *compare, const struct replay_figures *figures, unsigned nr,
		      const struct line *line)
{
	for (; line->group; line++)
		add_line(compare, figures, nr, line, true);
}

static uint64_t sum(const uint64_t value[REPLAY_ORDERS])
{
	uint64_t total = 0;

	for (unsigned order = 0; order < REPLAY_ORDERS; order++)
		total += value[order];
	return total;
}

static void add_requests(struct compare *compare, const struct replay_figures *figures, unsigned nr, const char *group,
			 enum compare_better better, size_t offset)
{
	struct compare_row *row = compare_add(compare, group, "total", better, 0);
	char name[16];

	for (unsigned i = 0; i < nr; i++)
		row->value[i] = (double)sum((const uint64_t *)((const char *)&figures[i] + offset));
	for (unsigned order = 0; order < REPLAY_ORDERS; order++) {
		const struct line line = {group, name, better, offset + order * sizeof(uint64_t), false};

		snprintf(name, sizeof(name), "order-%u", order);
		add_line(compare, figures, nr, &line, false);
	}
}

static void add_pageblocks(struct compare *compare, const struct replay_figures *figures, unsigned nr)
{
	for (unsigned type = 0; type < YARD_MIGRATETYPES; type++) {
		char name[16];
		const struct line line = {"Blocks", name, COMPARE_NEITHER,
					  offsetof(struct replay_figures, pageblocks) + type * sizeof(uint64_t), true};

		snprintf(name, sizeof(name), "%s", yard_migratetype_name(type));
		name[0] = (char)tolower((unsigned char)name[0]);
		add_line(compare, figures, nr, &line, type < YARD_PCPTYPES);
	}
}

static void add_unusable(struct compare *compare, const struct replay_figures *figures, unsigned nr, bool mean)
{
	for (unsigned order = 1; order < REPLAY_ORDERS; order++) {
		struct compare_row *row;
		char name[24];

		snprintf(name, sizeof(name), "%s-order-%u", mean ? "mean" : "end", order);
		row = compare_add(compare, "Unusable", name, COMPARE_LOWER, 3);
		for (unsigned i = 0; i < nr; i++) {
			if (mean && figures[i].samples)
				row->value[i] = figures[i].unusable_mean[order];
			if (!mean && figures[i].state)
				row->value[i] = figures[i].unusable[order];
		}
	}
}

void replay_table(struct compare *compare, const struct replay_figures *figures, unsigned nr)
{
	add_requests(compare, figures, nr, "Allocs", COMPARE_NEITHER, offsetof(struct replay_figures, allocs));
	add_requests(compare, figures, nr, "Failures", COMPARE_LOWER, offsetof(struct replay_figures, failures));
	add_lines(compare, figures, nr, extfrag_lines);
	add_pageblocks(compare, figures, nr);
	add_lines(compare, figures, nr, state_lines);
	add_unusable(compare, figures, nr, false);
	add_unusable(compare, figures, nr, true);
}
