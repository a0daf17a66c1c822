// SPDX-License-Identifier: Apache-2.0
//
// "Did you mean ...?": how far a mistyped word is from a known one. Used by the policy parser and by the tool.

#pragma once

#include <stddef.h>

enum {
	NEAREST_WORD_MAX = 40, // longer words have no near name
	NEAREST_NONE = 1000,   // a distance that suggests nothing
};

static inline unsigned char nearest_fold(char c)
{
	if (c == '_')
		return '-';
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static inline unsigned nearest_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

// The number of letters to insert, delete, replace or swap with their neighbour that turns word[0..length) into
// name, upper and lower case being equal. A beginning of at least three letters counts as one mistake. Returns
// NEAREST_NONE when the two have too little in common for a suggestion.
static inline unsigned nearest_distance(const char *word, size_t length, const char *name)
{
	unsigned rows[3][NEAREST_WORD_MAX + 1]; // of the table of distances between beginnings: before last, last, this
	size_t n = 0, same = 0;

	while (name[n])
		n++;
	if (length == 0 || length > NEAREST_WORD_MAX || n > NEAREST_WORD_MAX)
		return NEAREST_NONE;
	while (same < length && same < n && nearest_fold(word[same]) == nearest_fold(name[same]))
		same++;
	if (same == length && length >= 3 && length < n)
		return 1;

	for (size_t j = 0; j <= n; j++)
		rows[0][j] = rows[1][j] = (unsigned)j;
	for (size_t i = 1; i <= length; i++) {
		unsigned *this = rows[(i + 1) % 3], *last = rows[i % 3], *before_last = rows[(i + 2) % 3];

		this[0] = (unsigned)i;
		for (size_t j = 1; j <= n; j++) {
			unsigned char a = nearest_fold(word[i - 1]), b = nearest_fold(name[j - 1]);

			this[j] = nearest_min(nearest_min(last[j], this[j - 1]) + 1, last[j - 1] + (a != b));
			if (i > 1 && j > 1 && a == nearest_fold(name[j - 2]) && b == nearest_fold(word[i - 2]))
				this[j] = nearest_min(this[j], before_last[j - 2] + 1);
		}
	}
	unsigned distance = rows[(length + 1) % 3][n];

	return distance <= (length < 4 ? 1 : 1 + length / 4) ? distance : NEAREST_NONE;
}
