// SPDX-License-Identifier: Apache-2.0
//
// JSON Lines: one value a line, printed as it is built, without spaces. Numbers are integers or decimals given as an
// integer and its number of decimals; no floating point, so that the bytes are the same everywhere.
//
//	struct json json = {.file = file};
//	json_object(&json, NULL);
//	json_u64(&json, "run", 1);
//	json_fixed(&json, "ratio", 1985, 2);   // 19.85
//	json_array(&json, "stalls");
//	json_u64(&json, NULL, 7);
//	json_end(&json);
//	json_end(&json);
//	if (!json_line(&json)) ...             // {"run":1,"ratio":19.85,"stalls":[7]}

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JSON_DEPTH_MAX = 32 };

struct json {
	FILE *file;
	// Private; all zero at the start.
	unsigned depth;
	bool array[JSON_DEPTH_MAX]; // what is open: an array, else an object
	bool more;		    // something precedes at this depth
};

// In an object each value has a key; in an array, and for the one value of a line, it is NULL. Another use is a bug and
// stops the program.
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
void json_end(struct json *json); // of the innermost object or array

void json_u64(struct json *json, const char *key, uint64_t value);
void json_i64(struct json *json, const char *key, int64_t value);
void json_fixed(struct json *json, const char *key, int64_t value, unsigned decimals); // value / 10^decimals, <= 18
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

// UTF-8; a byte that belongs to no character becomes U+FFFD. NULL is printed as null.
void json_string(struct json *json, const char *key, const char *text);

// Ends the line; everything must be ended. False if something could not be written since the file was opened.
bool json_line(struct json *json);
