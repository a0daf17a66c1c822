// SPDX-License-Identifier: Apache-2.0
//
// Loaded structs as canonical text, and schemas as lists of fields.

#include <stdio.h>
#include <string.h>

#include "sim/config_internal.h"

enum { NAME_WIDTH = 24, TYPE_WIDTH = 32, DEFAULT_WIDTH = 14 }; // at most; wider ones push the rest of the line

// ---- canonical text ----

// The way to a value, from the end.
struct path {
	const struct path *above; // NULL: the document
	const char *key;	  // NULL: an element
	size_t index;
};

static void write_struct(FILE *file, const struct path *path, const struct config_schema *schema, const void *object);

static void write_path(FILE *file, const struct path *path)
{
	if (path->above) {
		write_path(file, path->above);
		fputc('.', file);
	}
	if (path->key)
		fputs(path->key, file);
	else
		fprintf(file, "%zu", path->index);
}

static void write_quoted(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(file, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", file);
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			fprintf(file, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, file);
	}
	fputc('"', file);
}

// Text that --set reads back as it was.
static void write_text(FILE *file, const char *text, bool in_list)
{
	bool plain = !in_list && *text != '"' && *text != '[' && *text != '{';

	for (const char *at = text; *at; at++)
		plain &= (unsigned char)*at >= ' ' && *at != 0x7f;
	if (plain)
		fputs(text, file);
	else
		write_quoted(file, text);
}

static void write_flags(FILE *file, const struct config_field *field, uint64_t flags)
{
	const char *comma = "";

	fputc('[', file);
	for (const struct config_word *word = field->words; word->name; word++) {
		if (!word->value || (flags & word->value) != word->value)
			continue;
		fprintf(file, "%s%s", comma, word->name);
		comma = ", ";
		flags &= ~word->value;
	}
	fputc(']', file);
}

// True for what fits in a line behind '=': values, and lists of them.
static bool in_a_line(const struct config_field *field)
{
	return config_is_scalar(field->type) || field->type == CONFIG_FLAGS
	       || (field->type == CONFIG_LIST && in_a_line(field->element));
}

static void write_value(FILE *file, const struct config_field *field, const void *member, bool in_list)
{
	CONFIG_LIST_OF(const unsigned char) list;
	char text[128];

	if (field->type == CONFIG_FLAGS) {
		write_flags(file, field, config_fetch(member, field->size));
	} else if (field->type == CONFIG_LIST) {
		memcpy(&list, member, sizeof(list));
		fputc('[', file);
		for (size_t i = 0; i < list.nr; i++) {
			fputs(i ? ", " : "", file);
			write_value(file, field->element, list.item + i * field->element->size, true);
		}
		fputc(']', file);
	} else if (field->type == CONFIG_STRING) {
		write_text(file, config_value_text(field, member, text, sizeof(text)), in_list);
	} else {
		fputs(config_value_text(field, member, text, sizeof(text)), file);
	}
}

static void write_line(FILE *file, const struct path *path, const char *text)
{
	write_path(file, path);
	fprintf(file, " = %s\n", text);
}

static void write_field(FILE *file, const struct path *path, const struct config_field *field, const void *member);

static void write_list(FILE *file, const struct path *path, const struct config_field *field, const void *member)
{
	CONFIG_LIST_OF(const unsigned char) list;

	memcpy(&list, member, sizeof(list));
	if (!list.nr)
		write_line(file, path, "[]");
	for (size_t i = 0; i < list.nr; i++) {
		const struct path below = {path, NULL, i};

		write_field(file, &below, field->element, list.item + i * field->element->size);
	}
}

static void write_variant(FILE *file, const struct path *path, const void *member)
{
	const struct path below = {path, "kind", 0};
	struct config_variant variant;

	memcpy(&variant, member, sizeof(variant));
	write_line(file, &below, variant.kind->name);
	write_struct(file, path, variant.kind->schema, variant.object);
}

static void write_optional(FILE *file, const struct path *path, const struct config_field *field, const void *member)
{
	const void *object;

	memcpy(&object, member, sizeof(object));
	if (object)
		write_struct(file, path, field->schema, object);
	else
		write_line(file, path, "none");
}

static void write_field(FILE *file, const struct path *path, const struct config_field *field, const void *member)
{
	switch (field->type) {
	case CONFIG_CHANGES: // applied, it is seen in what it changed
	case CONFIG_PLACE: return;
	case CONFIG_SECTION: write_struct(file, path, field->schema, member); return;
	case CONFIG_OPTIONAL: write_optional(file, path, field, member); return;
	case CONFIG_VARIANT: write_variant(file, path, member); return;
	default: break;
	}
	if (!in_a_line(field)) {
		write_list(file, path, field, member);
		return;
	}
	write_path(file, path);
	fputs(" = ", file);
	write_value(file, field, member, false);
	fputc('\n', file);
}

static void write_struct(FILE *file, const struct path *path, const struct config_schema *schema, const void *object)
{
	const struct config_field *field;

	for (size_t i = 0; (field = config_field_at(schema, i)); i++) {
		const struct path below = {path, field->name, 0};

		write_field(file, &below, field, (const unsigned char *)object + field->offset);
	}
}

void config_write_canonical(FILE *file, const struct config_schema *schema, const void *object)
{
	write_struct(file, NULL, schema, object);
}

// ---- lists of fields ----

struct widths {
	int name, type, value;
};

static const char *default_of(const struct config_field *field)
{
	if (field->default_text)
		return *field->default_text ? field->default_text : "-";
	switch (field->type) {
	case CONFIG_SECTION: return "";
	case CONFIG_CHANGES:
	case CONFIG_OPTIONAL: return "none";
	default: return "required";
	}
}

static int wider(int width, const char *text, int most)
{
	int length = (int)strlen(text);

	return length > width && length <= most ? length : width;
}

static struct widths widths_of(const struct config_schema *schema)
{
	struct widths widths = {0};
	const struct config_field *field;
	char type[160];

	for (size_t i = 0; (field = config_field_at(schema, i)); i++) {
		if (field->type == CONFIG_PLACE)
			continue;
		widths.name = wider(widths.name, field->name, NAME_WIDTH);
		widths.type = wider(widths.type, config_type_text(field, type, sizeof(type)), TYPE_WIDTH);
		widths.value = wider(widths.value, default_of(field), DEFAULT_WIDTH);
	}
	return widths;
}

void config_print_fields(FILE *file, const struct config_schema *schema, unsigned indent)
{
	struct widths widths = widths_of(schema);
	const struct config_field *field;
	char type[160];

	for (size_t i = 0; (field = config_field_at(schema, i)); i++) {
		const struct config_field *inner = field;

		if (field->type == CONFIG_PLACE)
			continue;
		fprintf(file, "%*s%-*s  %-*s  %-*s  %s\n", (int)indent, "", widths.name, field->name, widths.type,
			config_type_text(field, type, sizeof(type)), widths.value, default_of(field), field->help);
		while (inner->type == CONFIG_LIST)
			inner = inner->element;
		if (inner->schema)
			config_print_fields(file, inner->schema, indent + 2);
	}
}

// ---- changes ----

static void print_node(FILE *file, const struct config_node *node, bool inside)
{
	bool list = node->type == CONFIG_NODE_LIST;

	if (node->type == CONFIG_NODE_SCALAR) {
		write_text(file, node->text, inside && node->text[strcspn(node->text, ",:{}[] ")]);
		return;
	}
	fputc(list ? '[' : '{', file);
	for (size_t i = 0; i < node->nr; i++) {
		fputs(i ? ", " : "", file);
		if (!list)
			fprintf(file, "%s: ", node->item[i].key);
		print_node(file, node->item[i].value, true);
	}
	fputc(list ? ']' : '}', file);
}

void config_print_changes(FILE *file, const struct config_node *changes, unsigned indent)
{
	for (size_t i = 0; changes && i < changes->nr; i++) {
		fprintf(file, "%*s%s = ", (int)indent, "", changes->item[i].key);
		print_node(file, changes->item[i].value, false);
		fputc('\n', file);
	}
}
