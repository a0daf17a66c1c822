// SPDX-License-Identifier: Apache-2.0
//
// Memory policies as scenarios write them: MODE[=FLAG][:NODES].

#include <stdio.h>
#include <string.h>

#include "sim/machine.h"
#include "sim/placement.h"
#include "sim/simulation.h"

static const struct mode_word {
	const char *name;
	enum yard_mempolicy_mode mode;
	bool has_nodes;
} mode_words[] = {
	{"default", YARD_MPOL_DEFAULT, false},
	{"local", YARD_MPOL_LOCAL, false},
	{"preferred", YARD_MPOL_PREFERRED, true},
	{"preferred-many", YARD_MPOL_PREFERRED_MANY, true},
	{"bind", YARD_MPOL_BIND, true},
	{"interleave", YARD_MPOL_INTERLEAVE, true},
	{"weighted-interleave", YARD_MPOL_WEIGHTED_INTERLEAVE, true},
};

static const struct flag_word {
	const char *name;
	unsigned flag;
} flag_words[] = {
	{"static", YARD_MPOL_STATIC_NODES},
	{"relative", YARD_MPOL_RELATIVE_NODES},
	{"balancing", YARD_MPOL_NUMA_BALANCING},
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct wish {
	const struct mode_word *word;
	unsigned flags;
	uint64_t nodes;
};

struct reader {
	const char *next;
	unsigned nr_nodes;
	char *reason; // of `size` bytes
	size_t size;
};

// The text up to one of the delimiters.
struct part {
	const char *start;
	int length;
};

static struct part take_part(struct reader *reader, const char *delimiters)
{
	struct part part = {reader->next, (int)strcspn(reader->next, delimiters)};

	reader->next += part.length;
	return part;
}

static bool part_is(struct part part, const char *word)
{
	return strlen(word) == (size_t)part.length && !memcmp(part.start, word, (size_t)part.length);
}

static bool take_number(struct reader *reader, unsigned *number)
{
	const char *start = reader->next;

	for (*number = 0; *reader->next >= '0' && *reader->next <= '9' && *number < 1000; reader->next++)
		*number = *number * 10 + (unsigned)(*reader->next - '0');
	return reader->next != start;
}

// "0", or "0-3"
static bool take_range(struct reader *reader, uint64_t *nodes)
{
	unsigned first, last;

	if (!take_number(reader, &first))
		return false;
	last = first;
	if (*reader->next == '-' && (reader->next++, !take_number(reader, &last)))
		return false;
	if (first > last || last >= reader->nr_nodes)
		return false;
	*nodes |= UINT64_MAX >> (63 - last) & UINT64_MAX << first;
	return true;
}

// "0,2-3", or "all"
static bool take_nodes(struct reader *reader, uint64_t *nodes)
{
	if (!strcmp(reader->next, "all")) {
		*nodes = UINT64_MAX >> (64 - reader->nr_nodes);
		return true;
	}
	while (take_range(reader, nodes)) {
		if (!*reader->next)
			return true;
		if (*reader->next++ != ',')
			break;
	}
	snprintf(reader->reason, reader->size, "nodes are written as 0, 0-3, 0,2 or all, and this machine has 0 to %u",
		 reader->nr_nodes - 1);
	return false;
}

static bool take_mode(struct reader *reader, struct wish *wish)
{
	struct part part = take_part(reader, "=:");

	for (size_t i = 0; i < LENGTH(mode_words); i++)
		if (part_is(part, mode_words[i].name)) {
			wish->word = &mode_words[i];
			return true;
		}
	snprintf(reader->reason, reader->size,
		 "'%.*s' is no memory policy: default, local, preferred:0, preferred-many:0-1, bind:0, "
		 "interleave:all or weighted-interleave:all", part.length, part.start);
	return false;
}

static bool take_flag(struct reader *reader, struct wish *wish)
{
	struct part part;

	if (*reader->next != '=')
		return true;
	reader->next++;
	part = take_part(reader, ":");
	for (size_t i = 0; i < LENGTH(flag_words); i++)
		if (part_is(part, flag_words[i].name)) {
			wish->flags = flag_words[i].flag;
			return true;
		}
	snprintf(reader->reason, reader->size, "'%.*s' is no flag of a memory policy: static, relative or balancing",
		 part.length, part.start);
	return false;
}

// M11, M12: what yard_mempolicy_set() calls an error.
static bool fits_together(const struct reader *reader, const struct wish *wish)
{
	const enum yard_mempolicy_mode mode = wish->word->mode;

	if (wish->flags == YARD_MPOL_NUMA_BALANCING && mode != YARD_MPOL_BIND && mode != YARD_MPOL_PREFERRED_MANY)
		snprintf(reader->reason, reader->size, "only bind and preferred-many may have the flag balancing");
	else if (wish->flags && !wish->word->has_nodes)
		snprintf(reader->reason, reader->size, "'%s' has no flags", wish->word->name);
	else
		return true;
	return false;
}

static bool take_wish(struct reader *reader, struct wish *wish)
{
	if (!take_mode(reader, wish) || !take_flag(reader, wish))
		return false;
	if ((*reader->next == ':') != wish->word->has_nodes) {
		const char *format = wish->word->has_nodes ? "'%s' needs nodes: %s:0" : "'%s' has no nodes";

		snprintf(reader->reason, reader->size, format, wish->word->name, wish->word->name);
		return false;
	}
	return (!*reader->next || (reader->next++, take_nodes(reader, &wish->nodes))) && fits_together(reader, wish);
}

bool placement_check(const char *text, unsigned nr_nodes, char *reason, size_t size)
{
	struct reader reader = {text, nr_nodes, reason, size};
	struct wish wish = {0};

	return take_wish(&reader, &wish);
}

bool placement_nodes(const char *text, unsigned nr_nodes, uint64_t *nodes, char *reason, size_t size)
{
	struct reader reader = {text, nr_nodes, reason, size};

	*nodes = 0;
	if (!take_nodes(&reader, nodes))
		return false;
	if (*nodes == UINT64_MAX >> (64 - nr_nodes))
		*nodes = 0;
	return true;
}

bool placement_set(struct simulation *sim, struct placement *placement, const char *text)
{
	char reason[200] = "";
	struct reader reader = {text, sim->machine->nr_nodes, reason, sizeof(reason)};
	struct wish wish = {0};
	int error;

	if (!take_wish(&reader, &wish)) {
		sim_fail(sim, "mempolicy: %s: %s", text, reason);
		return false;
	}
	placement->has_policy = wish.word->mode != YARD_MPOL_DEFAULT;
	error = yard_mempolicy_set(sim->yard, &placement->policy, wish.word->mode, wish.flags, wish.nodes,
				   placement->cpuset);
	if (error)
		sim_fail(sim, "mempolicy: %s: %s", text, yard_error_text(error));
	return !error;
}
