// SPDX-License-Identifier: Apache-2.0
//
// Scenario and machine files: YAML read into C structs that tables describe.
//
// A struct is described by a table of fields (struct config_field); a schema names the table. From that one table come
// the reading of a file, its error messages, the list of parameters that `pageyard list` prints, and the canonical text
// of a loaded struct, whose digest is the fingerprint of a scenario.
//
//	struct build { uint64_t jobs, object; struct config_range life; bool hugepages; };
//
//	static const struct config_field build_fields[] = {
//		{"jobs", CONFIG_COUNT, CONFIG_AT(struct build, jobs), .default_text = "8", .min = 1, .help = "..."},
//		{"object", CONFIG_SIZE, CONFIG_AT(struct build, object), .help = "..."}, // must be written
//		{"life", CONFIG_TIME, CONFIG_AT(struct build, life), .range = true, .default_text = "1s..10s", ...},
//		{0},
//	};
//	static const struct config_schema build_schema = {"kernel build", sizeof(struct build), build_fields, NULL};
//
// A file goes through these steps, each of which reports all that it finds wrong and lets the next one work on what is
// left; only config_errors() at the end tells whether the result may be used:
//
//	struct config *config = config_new();
//	struct config_node *root = config_read(config, path);
//
//	root = config_resolve(config, root, &machine_include, 1, sets, nr_sets);   // machine: NAME, and --set
//	config_load(config, root, &scenario_schema, &scenario);
//	if (config_errors(config)) { fputs(config_report(config), stderr); ... }
//	config_free(config);                                  // and with it all that `scenario` points to
//
// Every scalar is read as the text that was written ("no" is a word) and converted with integers only.
//
// A `struct config` is for one thread. No function exits or aborts; running out of memory is an error in the report.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config;	    // owns texts, nodes, report, and whatever loaded structs point to
struct config_node; // a value of a document: a scalar, a list or a mapping, and where it was written

// ---- what a struct's members may be ----

// The member is an unsigned integer of 1, 2, 4 or 8 bytes where nothing else is said. What does not fit is an error.
enum config_type {
	CONFIG_END,	  // ends a table
	CONFIG_COUNT,	  // 8
	CONFIG_SIZE,	  // bytes: 64GiB, 4KiB, 512MB, 1.5GiB; a bare number is refused, but for 0
	CONFIG_PAGES,	  // pages of 4 KiB: 64GiB, or 1000 pages
	CONFIG_AMOUNT,	  // struct config_amount: a size, or a share of something: 80%
	CONFIG_TIME,	  // ns: 500us, 2h, 16s (ns us ms s min h)
	CONFIG_PERCENT,	  // parts per million: 10%, 0.5%
	CONFIG_RATIO,	  // thousandths: 1.22
	CONFIG_BANDWIDTH, // bytes a second: 2.4GiB/s
	CONFIG_RATE,	  // struct config_rate: 12/s, 3000/min, 1/16s
	CONFIG_SIGNED,	  // int64_t: -20; .min and .max always count, and are int64_t
	CONFIG_BOOL,	  // bool: on, off, yes, no, true, false
	CONFIG_ENUM,	  // a value of .words
	CONFIG_FLAGS,	  // values of .words or-ed: one word, or a list of words
	CONFIG_STRING,	  // const char *
	CONFIG_NAME, // const char *: letters, digits, '-' and '_', not only digits. It names an element of a list for
		     // --set: the field is called "name", and no two elements have the same. "": it has none.
	CONFIG_SECTION,	 // a struct of .schema; a section that is not written has its fields' defaults
	CONFIG_OPTIONAL, // a pointer to a struct of .schema; NULL if it is not written, or "none"
	CONFIG_LIST,	 // CONFIG_LIST_OF(): elements as .element says, which may be lists again
	CONFIG_VARIANT,	 // struct config_variant: a mapping whose key `kind` selects the schema
	CONFIG_CHANGES,	 // const struct config_node *: a mapping of --set's paths to values, for config_resolve(); NULL
			 // if it is not written
	CONFIG_PLACE,	 // const struct config_node *: the mapping that the struct was read from, for
			 // config_error(); has no name and is not written in a file
};

// 12/s is 12 events a 1,000,000,000 ns; in lowest terms.
struct config_rate {
	uint64_t events, period_ns;
};

// What a field with .range = true is, whatever its integer type: "1s..10s", or "5s" for both ends.
struct config_range {
	uint64_t min, max;
};

// Bytes, or parts per million of what the field's help names; the other one is 0.
struct config_amount {
	uint64_t bytes, parts;
};

// Bytes of an amount, given the whole that a share is of.
uint64_t config_amount_bytes(struct config_amount amount, uint64_t whole);

struct config_kind;

struct config_variant {
	const struct config_kind *kind;
	void *object; // a struct of kind->schema
};

// A list as a member of a struct; the elements belong to the `struct config`.
#define CONFIG_LIST_OF(type)                                                                                           \
	struct {                                                                                                       \
		type *item;                                                                                            \
		size_t nr;                                                                                             \
	}

struct config_word {
	const char *name; // NULL ends a table
	uint64_t value;
};

#define CONFIG_AT(type, member) offsetof(type, member), sizeof(((type *)NULL)->member)

// The field of a CONFIG_PLACE.
#define CONFIG_PLACE_AT(struct_type, member)                                                                           \
	{                                                                                                              \
		.type = CONFIG_PLACE, .offset = offsetof(struct_type, member), .size = sizeof(void *)                  \
	}

struct config_field {
	const char *name;
	enum config_type type;
	size_t offset, size;	  // CONFIG_AT()
	const char *default_text; // as a file would say it, "[]" or "[a, b]" for a list; NULL: must be written
				  // (but sections, optional ones, changes and places)
	uint64_t min, max;	  // in units of the type, of a rate in events per 1000 s, of a list and of flags in
				  // elements; max 0: no limit
	bool range;		  // the member is a struct config_range
	const struct config_word *words;	// ENUM, FLAGS; words that a number may be as well: "auto"
	const struct config_schema *schema;	// SECTION, OPTIONAL
	const struct config_variants *variants; // VARIANT
	const struct config_field *element;	// LIST: type and the rest; offset 0 and size of an element
	const char *help;			// one line
};

struct config_schema {
	const char *name; // what messages call it: "machine"; of a variant's kind NULL: its name is put together
	size_t size;	  // of the struct
	const struct config_field *fields;
	const struct config_schema *base; // fields that come first: the struct begins with a struct of this schema
};

// One kind of a variant: `kind: kernel-build`.
struct config_kind {
	const char *name;
	const char *help; // one line
	const struct config_schema *schema;
};

struct config_variants {
	const char *what;		       // "task kind"
	const struct config_kind *const *kind; // ends with NULL
};

// ---- documents ----

// NULL: no memory.
struct config *config_new(void);

// Frees everything, loaded structs' strings, lists and sections as well. NULL is fine.
void config_free(struct config *config);

// Reads one document. NULL, with a message: the file cannot be read or is not YAML. Aliases are copies of their
// anchors; "<<: *anchor" puts in the keys of a mapping that are not written beside it. Tags, complex keys and
// second documents are errors; so is a key that is written twice (the first one counts).
struct config_node *config_read(struct config *config, const char *path);

// The same from memory; `name` is what messages call it. The text is copied.
struct config_node *config_parse(struct config *config, const char *name, const char *text, size_t length);

// `over` laid on `base`, which both stay as they are: keys of a mapping replace those of the base, mapping by mapping;
// a list or scalar replaces as a whole. A mapping laid on a list changes elements, each key selecting one as in --set.
// Either may be NULL: the other one is the result.
struct config_node *config_overlay(struct config *config, const struct config_node *base,
				   const struct config_node *over);

// Applies one "workload.hugeburst.size=1GiB" to a document that belongs to this config. A path is made of keys; an
// element of a list is selected by its `name`, by its `kind` if no other has it, or by its index from 0. A value that
// begins with [ or { or " is read as YAML, any other is taken as it stands. Keys that are not in the document are added
// (it may use a default), elements of lists are not; whether a key can be there is config_load()'s question. Messages
// about the value name the place as "--set workload.hugeburst.size=1GiB". false, with a message: no such path.
bool config_override(struct config *config, struct config_node *root, const char *assignment);

// A key of the root mapping that names another file: `machine: NAME`, or `machine: {base: NAME, memory: 1GiB}` to
// change parts of it, or a mapping without `base` that is complete. The file may itself have a key `base`.
struct config_include {
	const char *key; // "machine"; also what messages call it
	// The path of a name, valid until the next call; NULL: there is none.
	const char *(*find)(void *context, const char *name);
	const char *const *names; // known ones, for "did you mean"; ends with NULL; may be NULL itself
	void *context;
};

// Puts in the included files and applies the command line's assignments in order: first those that choose a file
// ("machine=NAME", "machine.base=NAME"), then, to the whole, the others. NULL if root is NULL.
struct config_node *config_resolve(struct config *config, struct config_node *root,
				   const struct config_include *includes, size_t nr_includes, const char *const *sets,
				   size_t nr_sets);

// The same with changes that a document itself names: a mapping as CONFIG_CHANGES reads it, NULL: none. They come before
// the command line's assignments, which win. What is wrong with one is told with its place in the document.
struct config_node *config_resolve_changed(struct config *config, struct config_node *root,
					   const struct config_node *changes, const struct config_include *includes,
					   size_t nr_includes, const char *const *sets, size_t nr_sets);

// The element of this name of a list of mappings, and what a mapping has under a key; NULL: it is not there (or `node` is
// NULL or something else).
const struct config_node *config_element(const struct config_node *node, const char *name);
const struct config_node *config_value(const struct config_node *node, const char *key);

// ---- structs ----

// Fills `object`, a struct of the schema, from a document (NULL: nothing, false). false: there were errors, all of
// which are in the report, and the object is not to be used. The strings, lists, sections and places that the object
// points to live until config_free().
bool config_load(struct config *config, const struct config_node *root, const struct config_schema *schema,
		 void *object);

// True if this key was written in the mapping (a CONFIG_PLACE) and does not come from a default.
bool config_given(const struct config_node *place, const char *key);

// True if both keys were written in the mapping, and by the same document: not one of them by a base that the other one
// changes.
bool config_given_with(const struct config_node *place, const char *key, const char *other);

// Writes the struct as lines "path = value" in the order of the schema, defaults included: the same for every file
// that means the same. Paths and values are those that --set takes.
void config_write_canonical(FILE *file, const struct config_schema *schema, const void *object);

// Looks for mistakes in a schema and all that it contains: members that do not fit their type, defaults that cannot be
// read, missing help. For tests; true: none, else they are in the report.
bool config_check_schema(struct config *config, const struct config_schema *schema);

// ---- descriptions ----

// One line for each field: name, type, default, help; sections indented below. `indent`: columns in front.
void config_print_fields(FILE *file, const struct config_schema *schema, unsigned indent);

// One line "path = value" for each of the changes, as --set takes them; lists and mappings as YAML. NULL: none.
void config_print_changes(FILE *file, const struct config_node *changes, unsigned indent);

// What a field takes: "size", "time..time", "always|madvise|never". Returns text.
const char *config_type_text(const struct config_field *field, char *text, size_t size);

// The value of a scalar member as a file would say it, in the largest unit that divides it: "64GiB".
const char *config_value_text(const struct config_field *field, const void *member, char *text, size_t size);

// ---- messages ----

// Reports "FILE:LINE:COLUMN: error: MESSAGE" with the line and a caret. The place is the value of `key` in the mapping
// `place` (a CONFIG_PLACE), or the mapping itself if key is NULL or was not written.
void config_error(struct config *config, const struct config_node *place, const char *key, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

// All messages so far (after 50, a line that there are more), each one or more whole lines; "" if there is none.
const char *config_report(const struct config *config);
unsigned config_errors(const struct config *config);

// The one of the names (NULL at the end) that a mistyped word is nearest to; NULL: none is near.
const char *config_nearest(const char *word, const char *const *names);
