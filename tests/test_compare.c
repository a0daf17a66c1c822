// SPDX-License-Identifier: Apache-2.0
//
// The comparison table, character by character, and its percentages.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "report/compare.h"
#include "report/replay_table.h"

static char *printed(const struct compare *compare)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	compare_print(compare, file);
	fclose(file);
	return text;
}

static void plus_is_better(void **state)
{
	(void)state;
	assert_true(fabs(compare_percent(COMPARE_LOWER, 512.25, 301.77) - 41.0893) < 1e-3);
	assert_true(fabs(compare_percent(COMPARE_LOWER, 10, 15) + 50) < 1e-3);
	assert_true(fabs(compare_percent(COMPARE_HIGHER, 10, 15) - 50) < 1e-3);
	assert_true(fabs(compare_percent(COMPARE_HIGHER, 10, 0) + 100) < 1e-3);
	assert_true(fabs(compare_percent(COMPARE_LOWER, 0, 0) - 0) < 1e-3);
	assert_true(isnan(compare_percent(COMPARE_LOWER, 0, 1)));
	assert_true(isnan(compare_percent(COMPARE_HIGHER, 0, 1)));
}

static void layout(void **state)
{
	static const char expected[] =
		"                                              vanilla                linux-7.3                 "
		"recorded\n"
		"                                                                 defrag_mode=1\n"
		"Amean     fault-both-1             512.25 (    0.00%)       301.77 (   41.09%)            -\n"
		"Extfrag   claim                         0 (    0.00%)            2 (        -)            0 (    "
		"0.00%)\n"
		"Pages     free                       1024                     2048                        -\n"
		"Blocks    free                          -                       10                       20\n";
	struct compare compare = {.nr_columns = 3, .column = {"vanilla", "linux-7.3,defrag_mode=1", "recorded"}};
	struct compare_row *row;
	char *text;

	(void)state;
	row = compare_add(&compare, "Amean", "fault-both-1", COMPARE_LOWER, 2);
	row->value[0] = 512.25;
	row->value[1] = 301.77;
	row = compare_add(&compare, "Extfrag", "claim", COMPARE_LOWER, 0);
	row->value[0] = row->value[2] = 0;
	row->value[1] = 2;
	row = compare_add(&compare, "Pages", "free", COMPARE_NEITHER, 0);
	row->value[0] = 1024;
	row->value[1] = 2048;
	row = compare_add(&compare, "Blocks", "free", COMPARE_HIGHER, 0); // no baseline: nothing to compare with
	row->value[1] = 10;
	row->value[2] = 20;
	text = printed(&compare);
	assert_string_equal(text, expected);
	free(text);
	compare_free(&compare);
}

static void long_names_widen_their_column(void **state)
{
	static const char expected[] =
		"                             a-name-that-is-longer-than-a-cell                        b\n"
		"x         y                                      1 (    0.00%)            2 ( -100.00%)\n";
	struct compare compare = {.nr_columns = 2, .column = {"a-name-that-is-longer-than-a-cell", "b"}};
	struct compare_row *row = compare_add(&compare, "x", "y", COMPARE_LOWER, 0);
	char *text;

	(void)state;
	row->value[0] = 1;
	row->value[1] = 2;
	text = printed(&compare);
	assert_string_equal(text, expected);
	free(text);
	compare_free(&compare);
}

static void many_rows(void **state)
{
	struct compare compare = {.nr_columns = 1, .column = {"a"}};

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		compare_add(&compare, "g", "n", COMPARE_NEITHER, 0)->value[0] = i;
	assert_int_equal(compare.nr_rows, 1000);
	assert_false(compare.failed);
	for (unsigned i = 0; i < 1000; i++)
		assert_true(compare.row[i].value[0] == i && isnan(compare.row[i].value[1]));
	compare_free(&compare);
}

static const struct compare_row *find(const struct compare *compare, const char *group, const char *name)
{
	for (size_t i = 0; i < compare->nr_rows; i++)
		if (!strcmp(compare->row[i].group, group) && !strcmp(compare->row[i].name, name))
			return &compare->row[i];
	return NULL;
}

// Orders that nobody asked for have no row; what is not known is shown as such, not as 0.
static void table_of_a_replay(void **state)
{
	struct replay_figures figures[2] = {
		{.allocs = {5, 0, 0, 7},
		 .failures = {[3] = 1},
		 .pollutes = 4,
		 .state = true,
		 .samples = 1,
		 .mixed_blocks = 2},
		{.allocs = {5, 0, 0, 8}, .claims = 3},
	};
	struct compare compare = {.nr_columns = 2, .column = {"a", "recorded"}};

	(void)state;
	figures[0].unusable[9] = 0.5;
	replay_table(&compare, figures, 2);
	assert_true(find(&compare, "Allocs", "total")->value[0] == 12);
	assert_true(find(&compare, "Allocs", "order-3")->value[1] == 8);
	assert_null(find(&compare, "Allocs", "order-1"));
	assert_true(find(&compare, "Failures", "order-3")->value[0] == 1);
	assert_true(find(&compare, "Extfrag", "pollute")->value[0] == 4);
	assert_true(find(&compare, "Extfrag", "claim")->value[1] == 3);
	assert_true(find(&compare, "Blocks", "mixed")->value[0] == 2);
	assert_true(isnan(find(&compare, "Blocks", "mixed")->value[1]));
	assert_true(find(&compare, "Unusable", "end-order-9")->value[0] == 0.5);
	assert_true(isnan(find(&compare, "Unusable", "end-order-9")->value[1]));
	assert_true(isnan(find(&compare, "Unusable", "mean-order-9")->value[1]));
	assert_null(find(&compare, "Blocks", "CMA"));
	assert_non_null(find(&compare, "Blocks", "movable"));
	compare_free(&compare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plus_is_better),
		cmocka_unit_test(layout),
		cmocka_unit_test(long_names_widen_their_column),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(table_of_a_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
