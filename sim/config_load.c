// SPDX-License-Identifier: Apache-2.0
//
// Nodes to structs, as schemas say. All errors are reported; loading goes on behind each.

#include <stdlib.h>
#include <string.h>

#include "sim/config_internal.h"

// What is loaded at the moment, for messages.
struct context {
	struct config *config;
	const char *what; // "machine", "task kind 'thp-burst'"
	const char *key;  // of the value; NULL: of the document as a whole
	bool kind;	  // the mapping has a key `kind` that is no field
};

static bool load_value(const struct context *context, const struct config_field *field, const struct config_node *node,
		       void *member);

// ---- messages ----

static bool refuse(const struct context *context, const struct config_node *node, const char *reason)
{
	if (!context->key)
		config_say(context->config, node->place, "%s: %s", context->what, reason);
	else
		config_say(context->config, node->place, "'%s': %s", context->key, reason);
	return false;
}

static bool refuse_type(const struct context *context, const struct config_field *field, const struct config_node *node)
{
	char expected[CONFIG_REASON_MAX], reason[CONFIG_REASON_MAX + 64];

	snprintf(reason, sizeof(reason), "expected %s, not %s", config_expected(field, expected),
		 node->blank ? "nothing" : config_node_noun(node));
	return refuse(context, node, reason);
}

// NULL: no key of the schema is near.
static const char *nearest_key(const struct config_schema *schema, const char *word)
{
	struct config_near near = config_near(word);
	const struct config_field *field;

	for (size_t i = 0; (field = config_field_at(schema, i)); i++)
		config_near_add(&near, field->name);
	return near.name;
}

static bool refuse_key(const struct context *context, const struct config_schema *schema,
		       const struct config_item *item)
{
	config_say(context->config, item->place, "unknown key %s of %s%s", config_quote(item->key).text, context->what,
		   config_hint(nearest_key(schema, item->key)).text);
	return false;
}

// True: an unknown key was told of which this one was meant; that it is missing needs no second message.
static bool is_mistyped(const struct config_schema *schema, const struct config_node *mapping, const char *key)
{
	for (size_t i = 0; i < mapping->nr; i++) {
		const char *written = mapping->item[i].key, *near;

		near = config_find_field(schema, written) ? NULL : nearest_key(schema, written);
		if (near && !strcmp(near, key))
			return true;
	}
	return false;
}

// ---- structs ----

static bool load_default(const struct context *context, const struct config_field *field, void *member)
{
	const char *text = field->default_text;
	const struct config_source *source;
	const struct config_node *node;
	char name[160];

	snprintf(name, sizeof(name), "default of '%s' of %s", context->key, context->what);
	source = config_source_new(context->config, name, NULL, 0);
	if (!source)
		return false;
	if (config_is_scalar(field->type))
		node = config_scalar_new(context->config, (struct config_place){source, 0, 0}, text, strlen(text));
	else
		node = config_parse_source(context->config, source, text, strlen(text));
	return node && load_value(context, field, node, member);
}

static bool load_absent(const struct context *context, const struct config_schema *schema,
			const struct config_field *field, const struct config_node *mapping, void *member)
{
	char expected[CONFIG_REASON_MAX];
	const struct config_node nothing = {.blank = true, .place = mapping->place, .text = ""};

	if (field->type == CONFIG_PLACE) {
		memcpy(member, &mapping, sizeof(mapping));
		return true;
	}
	if (field->default_text)
		return load_default(context, field, member);
	if (field->type == CONFIG_OPTIONAL || field->type == CONFIG_CHANGES)
		return true; // NULL already
	if (field->type == CONFIG_SECTION)
		return load_value(context, field, &nothing, member);
	if (!is_mistyped(schema, mapping, field->name))
		config_say(context->config, mapping->place, "missing key '%s' of %s; expected %s", field->name,
			   context->what, config_expected(field, expected));
	return false;
}

static bool load_fields(struct context *context, const struct config_schema *schema, const struct config_node *mapping,
			unsigned char *object)
{
	const struct config_field *field;
	bool fine = true;

	for (size_t i = 0; i < mapping->nr; i++) {
		const struct config_item *item = &mapping->item[i];

		if (context->kind && !strcmp(item->key, "kind"))
			continue;
		field = config_find_field(schema, item->key);
		context->key = item->key;
		fine &= field ? load_value(context, field, item->value, object + field->offset)
			      : refuse_key(context, schema, item);
	}
	for (size_t i = 0; (field = config_field_at(schema, i)); i++) {
		context->key = field->name;
		if (!field->name || !config_node_find(mapping, field->name))
			fine &= load_absent(context, schema, field, mapping, object + field->offset);
	}
	return fine;
}

// Unless something else than a mapping stands there. A mapping of which nothing was written has defaults.
static const struct config_node *mapping_of(const struct context *context, const struct config_field *field,
					    const struct config_node *node)
{
	if (node->type == CONFIG_NODE_MAPPING)
		return node;
	if (node->blank && field->type == CONFIG_SECTION)
		return config_node_new(context->config, CONFIG_NODE_MAPPING, node->place);
	refuse_type(context, field, node);
	return NULL;
}

static bool load_section(const struct context *context, const struct config_field *field,
			 const struct config_node *node, void *object)
{
	struct context inner = {context->config, field->schema->name, context->key, false};
	const struct config_node *mapping = mapping_of(context, field, node);

	return mapping && load_fields(&inner, field->schema, mapping, object);
}

static bool load_changes(const struct context *context, const struct config_field *field,
			 const struct config_node *node, void *member)
{
	if (node->blank)
		return true;
	if (node->type != CONFIG_NODE_MAPPING)
		return refuse_type(context, field, node);
	memcpy(member, &node, sizeof(node));
	return true;
}

static bool load_optional(const struct context *context, const struct config_field *field,
			  const struct config_node *node, void *member)
{
	void *object;

	if (node->type == CONFIG_NODE_SCALAR && !strcmp(node->text, "none"))
		return true;
	object = config_alloc(context->config, 1, field->schema->size);
	if (!object)
		return false;
	memcpy(member, &object, sizeof(object));
	return load_section(context, field, node, object);
}

static struct config_names kind_names(const struct config_variants *variants)
{
	struct config_names names = {.length = 0};

	for (const struct config_kind *const *kind = variants->kind; *kind; kind++)
		config_names_add(&names, (*kind)->name);
	return names;
}

static const struct config_kind *find_kind(const struct context *context, const struct config_variants *variants,
					   const struct config_node *mapping)
{
	const struct config_item *item = config_node_find(mapping, "kind");
	const struct config_node *value = item ? item->value : NULL;
	struct config_near near;

	if (!value || value->type != CONFIG_NODE_SCALAR || value->blank) {
		config_say(context->config, value ? value->place : mapping->place,
			   "missing key 'kind' (%s); expected one of: %s", variants->what, kind_names(variants).text);
		return NULL;
	}
	near = config_near(value->text);
	for (const struct config_kind *const *kind = variants->kind; *kind; kind++) {
		if (!strcmp((*kind)->name, value->text))
			return *kind;
		config_near_add(&near, (*kind)->name);
	}
	config_say(context->config, value->place, "unknown %s %s%s (one of: %s)", variants->what,
		   config_quote(value->text).text, config_hint(near.name).text, kind_names(variants).text);
	return NULL;
}

static bool load_variant(const struct context *context, const struct config_field *field,
			 const struct config_node *node, void *member)
{
	const struct config_node *mapping = mapping_of(context, field, node);
	struct config_variant variant = {0};
	char what[96];
	struct context inner = {context->config, what, context->key, true};

	if (!mapping)
		return false;
	variant.kind = find_kind(context, field->variants, mapping);
	if (!variant.kind)
		return false;
	variant.object = config_alloc(context->config, 1, variant.kind->schema->size);
	if (!variant.object)
		return false;
	memcpy(member, &variant, sizeof(variant));
	snprintf(what, sizeof(what), "%s '%s'", field->variants->what, variant.kind->name);
	return load_fields(&inner, variant.kind->schema, mapping, variant.object);
}

// ---- lists ----

struct element_name {
	const struct config_node *node;
	size_t index;
};

static int compare_names(const void *a, const void *b)
{
	const struct element_name *one = a, *other = b;
	int order = strcmp(one->node->text, other->node->text);

	return order ? order : one->index < other->index ? -1 : one->index > other->index;
}

// Elements with a `name` have different ones.
static bool check_names(const struct context *context, const struct config_node *list)
{
	struct element_name *names = config_alloc(context->config, list->nr, sizeof(*names));
	size_t nr = 0;
	bool fine = true;

	if (!names)
		return false;
	for (size_t i = 0; i < list->nr; i++) {
		const struct config_item *item = config_node_find(list->item[i].value, "name");

		if (item && item->value->type == CONFIG_NODE_SCALAR && *item->value->text)
			names[nr++] = (struct element_name){item->value, i};
	}
	qsort(names, nr, sizeof(*names), compare_names);
	for (size_t i = 1; i < nr; i++) {
		if (strcmp(names[i].node->text, names[i - 1].node->text))
			continue;
		config_say(context->config, names[i].node->place, "two elements of '%s' have the name %s", context->key,
			   config_quote(names[i].node->text).text);
		fine = false;
	}
	return fine;
}

static bool check_count(const struct context *context, const struct config_field *field, const struct config_node *node,
			size_t nr)
{
	bool few = nr < field->min;
	char reason[96];

	if (!few && (!field->max || nr <= field->max))
		return true;
	snprintf(reason, sizeof(reason), "%zu element%s; at %s %llu", nr, nr == 1 ? "" : "s", few ? "least" : "most",
		 (unsigned long long)(few ? field->min : field->max));
	return refuse(context, node, reason);
}

static bool load_list(const struct context *context, const struct config_field *field, const struct config_node *node,
		      void *member)
{
	const struct config_field *element = field->element;
	size_t nr = node->nr;
	CONFIG_LIST_OF(unsigned char) list = {0};
	bool fine;

	if (node->type != CONFIG_NODE_LIST && !node->blank)
		return refuse_type(context, field, node);
	fine = check_count(context, field, node, nr);
	list.item = config_alloc(context->config, nr, element->size);
	if (!list.item)
		return false;
	list.nr = nr;
	memcpy(member, &list, sizeof(list));
	for (size_t i = 0; i < nr; i++)
		fine &= load_value(context, element, node->item[i].value, list.item + i * element->size);
	if (element->type == CONFIG_SECTION || element->type == CONFIG_VARIANT)
		fine &= check_names(context, node);
	return fine;
}

// ---- values ----

static bool load_flag(const struct context *context, const struct config_field *field, const struct config_node *node,
		      uint64_t *flags)
{
	char reason[CONFIG_REASON_MAX];
	uint64_t value;

	if (node->type != CONFIG_NODE_SCALAR)
		return refuse_type(context, field, node);
	if (!config_convert_word(field, node->text, &value, reason))
		return refuse(context, node, reason);
	*flags |= value;
	return true;
}

static bool load_flags(const struct context *context, const struct config_field *field, const struct config_node *node,
		       void *member)
{
	uint64_t flags = 0;
	bool fine = true;

	if (node->type == CONFIG_NODE_LIST || node->blank) {
		for (size_t i = 0; i < node->nr; i++)
			fine &= load_flag(context, field, node->item[i].value, &flags);
		fine &= check_count(context, field, node, node->nr);
	} else {
		fine = load_flag(context, field, node, &flags);
	}
	config_store(member, field->size, flags);
	return fine;
}

static bool load_scalar(const struct context *context, const struct config_field *field, const struct config_node *node,
			void *member)
{
	char reason[CONFIG_REASON_MAX];

	if (node->type != CONFIG_NODE_SCALAR)
		return refuse_type(context, field, node);
	if (node->blank)
		return refuse_type(context, field, node);
	if (!config_convert(field, node->text, member, reason))
		return refuse(context, node, reason);
	return true;
}

static bool load_value(const struct context *context, const struct config_field *field, const struct config_node *node,
		       void *member)
{
	if (node->broken)
		return false;
	switch (field->type) {
	case CONFIG_SECTION: return load_section(context, field, node, member);
	case CONFIG_OPTIONAL: return load_optional(context, field, node, member);
	case CONFIG_CHANGES: return load_changes(context, field, node, member);
	case CONFIG_LIST: return load_list(context, field, node, member);
	case CONFIG_VARIANT: return load_variant(context, field, node, member);
	case CONFIG_FLAGS: return load_flags(context, field, node, member);
	default: return load_scalar(context, field, node, member);
	}
}

bool config_load(struct config *config, const struct config_node *root, const struct config_schema *schema,
		 void *object)
{
	const struct config_field field = {.type = CONFIG_SECTION, .schema = schema, .size = schema->size};
	const struct context context = {.config = config, .what = schema->name};

	memset(object, 0, schema->size);
	return root && load_value(&context, &field, root, object) && !config->no_memory;
}
