// SPDX-License-Identifier: Apache-2.0
//
// Reclaim that an administrator asks for ahead of need (spec 04 P-1 to P-4, spec 05 R1, R2): what is written to
// `memory.reclaim`, and to the `reclaim` file of a node. The two share the text and the loop; a round of the first
// reclaims on all nodes as direct reclaim does, one of the second on its node as node reclaim does.

#include "engine/mm.h"

enum { ALL_NODES = -1 };

// ---- P-1 ----

struct wish {
	uint64_t pages;
	int swappiness; // -1: the yard's
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_spaces(const char *text)
{
	while (is_space(*text))
		text++;
	return text;
}

// Digits, at least one. NULL: none, or too large.
static const char *parse_number(const char *text, uint64_t *value)
{
	const char *start = text;

	for (*value = 0; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(*value, 10, value)
		    || __builtin_add_overflow(*value, (uint64_t)(*text - '0'), value))
			return NULL;
	return text == start ? NULL : text;
}

static const char *parse_size(const char *text, uint64_t *pages)
{
	static const char suffixes[] = "KMGTPE";
	uint64_t bytes;

	text = parse_number(text, &bytes);
	if (!text)
		return NULL;
	for (unsigned i = 0; i < sizeof(suffixes) - 1; i++)
		if ((*text & ~0x20) == suffixes[i]) { // small letters too
			if (__builtin_mul_overflow(bytes, 1ull << 10 * (i + 1), &bytes))
				return NULL;
			text++;
			break;
		}
	*pages = bytes / 4096;
	return text;
}

static const char *skip_word(const char *text, const char *word) // NULL: other text
{
	while (*word)
		if (*text++ != *word++)
			return NULL;
	return text;
}

static const char *parse_swappiness(const char *text, int *swappiness)
{
	const char *max;
	uint64_t value;

	text = skip_word(text, "swappiness=");
	if (!text)
		return NULL;
	max = skip_word(text, "max");
	if (max) {
		*swappiness = SWAPPINESS_ANON_ONLY;
		return max;
	}
	text = parse_number(text, &value);
	if (!text || value > 200)
		return NULL;
	*swappiness = (int)value;
	return text;
}

static bool parse_wish(const char *text, struct wish *wish)
{
	wish->swappiness = -1;
	text = text ? parse_size(skip_spaces(text), &wish->pages) : NULL;
	if (text && is_space(*text) && *skip_spaces(text))
		text = parse_swappiness(skip_spaces(text), &wish->swappiness);
	return text && !*skip_spaces(text);
}

// ---- P-2 ----

// One round for `batch` pages. False: node reclaim runs there already.
static bool reclaim_batch(struct yard *yard, int node, const struct wish *wish, uint64_t batch, uint64_t *got)
{
	if (node != ALL_NODES)
		return node_reclaim_proactive(yard, (unsigned)node, batch, wish->swappiness, got);
	*got += try_to_free_group_pages(yard, batch, wish->swappiness);
	return true;
}

static int reclaim_wish(struct yard *yard, int node, const struct wish *wish, uint64_t *got)
{
	unsigned retries = MAX_RECLAIM_RETRIES;

	while (*got < wish->pages) {
		uint64_t before = *got;

		if (fatal_signal(yard))
			return YARD_EBUSY;
		if (!retries)
			lru_drain_all(yard);
		if (!reclaim_batch(yard, node, wish, (wish->pages - before) / 4, got))
			return YARD_EBUSY;
		if (*got == before && !retries--)
			return YARD_ENOMEM;
	}
	return YARD_OK;
}

static int write_wish(struct yard *yard, int node, const char *text, uint64_t *reclaimed)
{
	struct wish wish;
	uint64_t got = 0;
	int error = parse_wish(text, &wish) ? reclaim_wish(yard, node, &wish, &got) : YARD_EINVAL;

	if (reclaimed)
		*reclaimed = got;
	return error;
}

int yard_memory_reclaim_write(struct yard *yard, const char *text, uint64_t *reclaimed)
{
	return write_wish(yard, ALL_NODES, text, reclaimed);
}

int yard_node_reclaim_write(struct yard *yard, unsigned node, const char *text, uint64_t *reclaimed)
{
	int error;

	if (reclaimed)
		*reclaimed = 0;
	if (node >= yard->nr_nodes)
		return YARD_ERANGE;
	error = write_wish(yard, (int)node, text, reclaimed);
	return error == YARD_EBUSY && !yard->policy.node_file_all_zones ? YARD_ENOMEM : error; // V-7
}
