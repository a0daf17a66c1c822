// SPDX-License-Identifier: Apache-2.0
//
// Fields of schemas, and the check that a schema describes its struct.

#include <string.h>

#include "sim/config_internal.h"

enum { SCHEMAS_MAX = 128 }; // within one schema

// ---- fields ----

// Counts *i down by the fields that are passed.
static const struct config_field *field_at(const struct config_schema *schema, size_t *i)
{
	const struct config_field *field = schema->base ? field_at(schema->base, i) : NULL;

	if (field)
		return field;
	for (field = schema->fields; field->type != CONFIG_END; field++)
		if (!(*i)--)
			return field;
	return NULL;
}

const struct config_field *config_field_at(const struct config_schema *schema, size_t i)
{
	return field_at(schema, &i);
}

const struct config_field *config_find_field(const struct config_schema *schema, const char *name)
{
	const struct config_field *field;

	for (size_t i = 0; (field = config_field_at(schema, i)); i++)
		if (field->name && !strcmp(field->name, name))
			return field;
	return NULL;
}

// ---- the check ----

struct check {
	struct config *config;
	const struct config_schema *seen[SCHEMAS_MAX];
	size_t nr_seen;
	const char *what;
	bool kind; // the mappings have a key `kind` as well
};

static void check_schema(struct check *check, const struct config_schema *schema, const char *what, bool kind);

static void complain(const struct check *check, const struct config_field *field, const char *text)
{
	const struct config_source source = {.name = "schema"};

	config_say(check->config, (struct config_place){.source = &source}, "field '%s' of %s: %s",
		   field->name ? field->name : "", check->what, text);
}

static void check_inside(struct check *check, const struct config_field *field)
{
	const char *what = check->what;
	bool kind = check->kind;
	char name[96];

	if (field->schema)
		check_schema(check, field->schema, field->schema->name, false);
	if (field->type == CONFIG_VARIANT) {
		for (const struct config_kind *const *each = field->variants->kind; *each; each++) {
			snprintf(name, sizeof(name), "%s '%s'", field->variants->what, (*each)->name);
			check_schema(check, (*each)->schema, name, true);
		}
	}
	check->what = what;
	check->kind = kind;
}

// The parts that the type of a field needs, and its size.
static void check_type(struct check *check, const struct config_field *field)
{
	enum config_type type = field->type;
	size_t size;

	if ((type == CONFIG_SECTION || type == CONFIG_OPTIONAL) != !!field->schema
	    || (type == CONFIG_VARIANT) != !!field->variants || (type == CONFIG_LIST) != !!field->element
	    || ((type == CONFIG_ENUM || type == CONFIG_FLAGS) && !field->words)) {
		complain(check, field, "schema, variants, element or words are missing, or too many for its type");
		return;
	}
	if (field->range && (!config_measure(type) || type == CONFIG_AMOUNT || type == CONFIG_RATE))
		complain(check, field, "the type has no ranges");
	size = config_member_size(field);
	if (size ? field->size != size : field->size != 1 && field->size != 2 && field->size != 4 && field->size != 8)
		complain(check, field, "the member's size does not fit the type");
	if (type == CONFIG_LIST)
		check_type(check, field->element);
	check_inside(check, field);
}

static void check_default(struct check *check, const struct config_schema *schema, const struct config_field *field)
{
	const struct config_field fields[] = {*field, {0}};
	const struct config_schema alone = {check->what, schema->size, fields, NULL};
	const struct config_source source = {.name = "schema"};
	struct config_node *nothing =
		config_node_new(check->config, CONFIG_NODE_MAPPING, (struct config_place){&source, 0, 0});
	void *object = config_alloc(check->config, 1, schema->size);

	if (nothing && object)
		config_load(check->config, nothing, &alone, object);
}

static void check_field(struct check *check, const struct config_schema *schema, const struct config_field *field)
{
	if (field->offset + field->size > schema->size)
		complain(check, field, "the member is not within the struct");
	if (field->type == CONFIG_PLACE) {
		if (field->name || field->size != sizeof(void *))
			complain(check, field, "a place has no name and is a pointer");
		return;
	}
	if (!field->name || !*field->name || strpbrk(field->name, ".= "))
		complain(check, field, "a name without '.', '=' and spaces is missing");
	else if (config_find_field(schema, field->name) != field || (check->kind && !strcmp(field->name, "kind")))
		complain(check, field, "another field has the same name");
	if ((field->type == CONFIG_NAME) != (field->name && !strcmp(field->name, "name")))
		complain(check, field, "a field is called 'name' if its type is CONFIG_NAME, and no other");
	if (!field->help || !*field->help)
		complain(check, field, "help is missing");
	check_type(check, field);
}

static void check_schema(struct check *check, const struct config_schema *schema, const char *what, bool kind)
{
	const struct config_field *field;
	unsigned errors = check->config->errors;

	for (size_t i = 0; i < check->nr_seen; i++)
		if (check->seen[i] == schema)
			return;
	if (check->nr_seen == SCHEMAS_MAX)
		return;
	check->seen[check->nr_seen++] = schema;
	check->what = what ? what : "";
	check->kind = kind;
	for (size_t i = 0; (field = config_field_at(schema, i)); i++)
		check_field(check, schema, field);
	for (size_t i = 0; check->config->errors == errors && (field = config_field_at(schema, i)); i++)
		if (field->default_text)
			check_default(check, schema, field);
}

bool config_check_schema(struct config *config, const struct config_schema *schema)
{
	struct check check = {.config = config};
	unsigned errors = config->errors;

	check_schema(&check, schema, schema->name, false);
	return config->errors == errors;
}
