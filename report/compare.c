// SPDX-License-Identifier: Apache-2.0

#include "report/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	GROUP_WIDTH = 10, // at least, as NAME_WIDTH
	NAME_WIDTH = 18,
	VALUE_WIDTH = 12,
	PERCENT_WIDTH = 12, // " (%8.2f%%)"
	CELL_WIDTH = VALUE_WIDTH + PERCENT_WIDTH,
};

struct compare_row *compare_add(struct compare *compare, const char *group, const char *name,
				enum compare_better better, unsigned decimals)
{
	static struct compare_row nowhere;
	struct compare_row *row = &nowhere;

	if (compare->nr_rows == compare->rows_max) {
		size_t max = compare->rows_max ? 2 * compare->rows_max : 64;
		struct compare_row *rows = realloc(compare->row, max * sizeof(*rows));

		if (rows) {
			compare->row = rows;
			compare->rows_max = max;
		}
	}
	if (compare->nr_rows < compare->rows_max)
		row = &compare->row[compare->nr_rows++];
	else
		compare->failed = true;
	*row = (struct compare_row){.group = group, .better = better, .decimals = decimals};
	snprintf(row->name, sizeof(row->name), "%s", name);
	for (unsigned i = 0; i < COMPARE_COLUMNS_MAX; i++)
		row->value[i] = NAN;
	return row;
}

double compare_percent(enum compare_better better, double baseline, double value)
{
	double gain = better == COMPARE_LOWER ? baseline - value : value - baseline;

	if (gain == 0)
		return 0;
	return baseline == 0 ? NAN : gain / baseline * 100;
}

// One line of a column's heading: the next part of its name, up to a comma. *name becomes NULL after the last.
static int heading_part(const char **name, const char **part)
{
	const char *comma = *name ? strchr(*name, ',') : NULL;
	int length = *name ? (int)strcspn(*name, ",") : 0;

	*part = *name ? *name : "";
	*name = comma ? comma + 1 : NULL;
	return length;
}

static int column_width(const char *name)
{
	int width = CELL_WIDTH;

	while (name) {
		const char *part;
		int length = heading_part(&name, &part);

		if (length > width)
			width = length;
	}
	return width;
}

// Spaces are written when something follows them, so that lines end where their text does.
static void put(FILE *file, int *spaces, int width, const char *text, int length)
{
	*spaces += width > length ? width - length : 0;
	if (!length)
		return;
	fprintf(file, "%*s%.*s", *spaces, "", length, text);
	*spaces = 0;
}

struct widths { // of the first two columns
	int group, name;
};

static struct widths left_widths(const struct compare *compare)
{
	struct widths widths = {GROUP_WIDTH, NAME_WIDTH};

	for (size_t i = 0; i < compare->nr_rows; i++) {
		int group = (int)strlen(compare->row[i].group) + 1, name = (int)strlen(compare->row[i].name);

		widths.group = group > widths.group ? group : widths.group;
		widths.name = name > widths.name ? name : widths.name;
	}
	return widths;
}

static void print_heading(const struct compare *compare, struct widths widths, FILE *file)
{
	const char *left[COMPARE_COLUMNS_MAX];
	bool more = true;

	memcpy(left, compare->column, sizeof(left));
	while (more) {
		int spaces = widths.group + widths.name;

		more = false;
		for (unsigned i = 0; i < compare->nr_columns; i++) {
			const char *part;
			int length = heading_part(&left[i], &part);

			put(file, &spaces, column_width(compare->column[i]) + 1, part, length);
			more |= left[i] != NULL;
		}
		fputc('\n', file);
	}
}

static void print_cell(const struct compare_row *row, unsigned column, FILE *file, int *spaces, int width)
{
	double value = row->value[column], gain = compare_percent(row->better, row->value[0], value);
	char text[64] = "-", percent[32] = "";

	if (!isnan(value))
		snprintf(text, sizeof(text), "%.*f", (int)row->decimals, value);
	if (!isnan(value) && !isnan(row->value[0]) && row->better != COMPARE_NEITHER)
		snprintf(percent, sizeof(percent), " (%8.2f%%)", gain);
	if (*percent && isnan(gain)) // from 0 no share can be told
		snprintf(percent, sizeof(percent), " (%9s)", "-");
	put(file, spaces, width - PERCENT_WIDTH, text, (int)strlen(text));
	put(file, spaces, PERCENT_WIDTH, percent, (int)strlen(percent));
}

static void print_row(const struct compare *compare, const struct compare_row *row, struct widths widths, FILE *file)
{
	int spaces = 0;

	fprintf(file, "%-*s%-*s", widths.group, row->group, widths.name, row->name);
	for (unsigned i = 0; i < compare->nr_columns; i++)
		print_cell(row, i, file, &spaces, column_width(compare->column[i]) + 1);
	fputc('\n', file);
}

void compare_print(const struct compare *compare, FILE *file)
{
	struct widths widths = left_widths(compare);

	print_heading(compare, widths, file);
	for (size_t i = 0; i < compare->nr_rows; i++)
		print_row(compare, &compare->row[i], widths, file);
}

void compare_free(struct compare *compare)
{
	free(compare->row);
	*compare = (struct compare){0};
}
