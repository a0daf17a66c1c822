// SPDX-License-Identifier: Apache-2.0
//
// What the files of the configuration reader share: the nodes of documents, messages, conversions of single values.
//
//	config_tree.c	 memory, nodes
//	config_file.c	 files to texts
//	config_yaml.c	 texts to nodes; the only user of libfyaml
//	config_report.c	 messages with their place
//	config_select.c	 elements of lists, by name
//	config_merge.c	 overlays, --set, included files
//	config_number.c	 text to numbers with units
//	config_value.c	 text to values of all types: words, limits, ranges
//	config_rate.c	 text to rates and back
//	config_text.c	 values to text; names of types
//	config_schema.c	 fields of schemas; the check of schemas
//	config_load.c	 nodes to structs
//	config_print.c	 structs to canonical text; lists of fields

#pragma once

#include <stdarg.h>

#include "sim/config.h"

enum {
	CONFIG_DEPTH_MAX = 64,	   // of lists and mappings in each other
	CONFIG_KEYS_MAX = 1000,	   // of one mapping
	CONFIG_ERRORS_MAX = 50,	   // shown; the others are counted
	CONFIG_FILE_MAX = 4 << 20, // bytes of a file
	CONFIG_REASON_MAX = 240,   // a reason or an expectation, with its end
};
#define CONFIG_MEMORY_MAX ((size_t)32 << 20) // of all documents and structs; aliases of aliases grow fast

__extension__ typedef unsigned __int128 config_wide;

struct config_block;

struct config {
	struct config_block *blocks;
	size_t memory_left;
	bool no_memory;
	char *report;
	size_t report_length, report_size;
	unsigned errors;
};

// Where something comes from: a file with lines, or (text NULL) an assignment or a default that is its own place.
struct config_source {
	const char *name;
	const char *text;
	size_t length;
};

struct config_place {
	const struct config_source *source;
	uint32_t line, column; // from 1
};

enum config_node_type { CONFIG_NODE_SCALAR, CONFIG_NODE_LIST, CONFIG_NODE_MAPPING };

struct config_item {
	const char *key;	   // of a mapping
	struct config_place place; // of the key
	struct config_node *value;
};

struct config_node {
	enum config_node_type type;
	bool blank;  // a scalar of which nothing was written: "key:"
	bool broken; // a scalar instead of what could not be had: everything was said about it
	struct config_place place;
	const char *text; // of a scalar
	struct config_item *item;
	size_t nr, max;
};

// ---- memory and nodes: NULL or false, noted in the report, when there is no memory ----

void *config_alloc(struct config *config, size_t nr, size_t size); // zeroed, until config_free()
char *config_copy_text(struct config *config, const char *text, size_t length);
const struct config_source *config_source_new(struct config *config, const char *name, const char *text, size_t length);
struct config_node *config_node_new(struct config *config, enum config_node_type type, struct config_place place);
struct config_node *config_scalar_new(struct config *config, struct config_place place, const char *text,
				      size_t length);
bool config_node_add(struct config *config, struct config_node *node, const char *key, struct config_place place,
		     struct config_node *value);
struct config_item *config_node_find(const struct config_node *mapping, const char *key); // NULL: not there
void config_node_remove(struct config_node *node, struct config_item *item);
struct config_node *config_node_copy(struct config *config, const struct config_node *node);

// "a mapping", "a list", "a value"
const char *config_node_noun(const struct config_node *node);

// The element of a list that a word selects by name, kind or index; NULL: none, with a message.
struct config_item *config_select(struct config *config, const struct config_node *list, const char *word,
				  struct config_place place);

// True if a text is UTF-8 without control characters, else false with a message.
bool config_check_text(struct config *config, const struct config_source *source, const char *text, size_t length);

// Reads a document from a source; with source->text NULL, the places of all its nodes are the source itself.
struct config_node *config_parse_source(struct config *config, const struct config_source *source, const char *text,
					size_t length);

// ---- messages ----

void config_say(struct config *config, struct config_place place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// A word of the input for a message: shortened, without control characters. Use it inside the call that prints it.
struct config_quoted {
	char text[64];
};
struct config_quoted config_quote(const char *text);

// The name nearest to a word among those that are added.
struct config_near {
	const char *word, *name; // name NULL: none is near
	unsigned distance;
};
struct config_near config_near(const char *word);
void config_near_add(struct config_near *near, const char *name); // NULL is no name

// "; did you mean 'NAME'?", or "" for NULL.
struct config_quoted config_hint(const char *name);

// Names for a message: "A, B"; when there are too many, "A, B, ...".
struct config_names {
	char text[800]; // with what stands around them less than a message's 1024
	size_t length;
};
void config_names_add(struct config_names *names, const char *name); // NULL is no name

// ---- single values ----

// Stores the value that the text stands for in the member of a field, any type but sections, lists, flags and variants.
// STRING and NAME store `text` itself. false: reason[CONFIG_REASON_MAX] says what is wrong and what would be right.
bool config_convert(const struct config_field *field, const char *text, void *member, char *reason);

// Looks a word up among .words (a bool has its own); false as above.
bool config_convert_word(const struct config_field *field, const char *text, uint64_t *value, char *reason);

// "a size such as 64GiB", for text[CONFIG_REASON_MAX].
const char *config_expected(const struct config_field *field, char *text);

const struct config_word *config_words(const struct config_field *field);
void config_store(void *member, size_t size, uint64_t value); // size 1, 2, 4 or 8
uint64_t config_fetch(const void *member, size_t size);
bool config_is_scalar(enum config_type type);		     // a single value; flags are a list
size_t config_member_size(const struct config_field *field); // what the type wants; 0: any unsigned integer

// ---- numbers ----

enum { CONFIG_PAGE_BYTES = 4096 };
#define CONFIG_NS_OF_1000_S (UINT64_C(1000) * 1000000000) // a rate's limits are events in this time

struct config_unit {
	const char *name; // NULL ends a table
	uint64_t factor;
};

// How the text of a type becomes a number: number * factor of its unit / divisor.
struct config_measure {
	const struct config_unit *units; // the smallest first
	uint64_t divisor;
	bool rounds;	      // a written fraction is rounded down, not refused
	const char *expected; // "a size such as 64GiB"
	const char *fraction; // what is wrong with a value that is not whole
};

// 12.5 is digits 125 with 1 decimal. Zeros at the end of the decimals do not count.
struct config_decimal {
	uint64_t digits;
	unsigned decimals;
	bool too_large, too_fine;
};

const struct config_measure *config_measure(enum config_type type); // NULL: not a number
const struct config_unit *config_find_unit(enum config_type type, const char *name);
bool config_take_decimal(const char **text, struct config_decimal *number); // off the front; false: there is none
const char *config_skip_spaces(const char *text);
uint64_t config_power_of_10(unsigned exponent);

// One number of a field's type with its unit and nothing else, whatever limits and words the field has.
bool config_convert_number(const struct config_field *field, const char *text, uint64_t *value, char *reason);

bool config_convert_rate(const struct config_field *field, const char *text, struct config_rate *rate, char *reason);
const char *config_rate_text(struct config_rate rate, char *text, size_t size);

// Write the reason, return false: "'TEXT' WHAT"; "'TEXT' is not ...", with what the field expects.
bool config_refuse(char *reason, const char *text, const char *what);
bool config_refuse_text(const struct config_field *field, const char *text, char *reason);

// ---- schemas ----

// Field i of a schema, those of its bases first; NULL: there are no more.
const struct config_field *config_field_at(const struct config_schema *schema, size_t i);
const struct config_field *config_find_field(const struct config_schema *schema, const char *name);
