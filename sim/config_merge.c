// SPDX-License-Identifier: Apache-2.0
//
// Documents from several sources: overlays, included files, the command line's assignments.

#include <string.h>

#include "sim/config_internal.h"

enum { INCLUDES_MAX = 8 }; // files that are laid on each other

// ---- overlays ----

static bool overlay_item(struct config *config, struct config_item *item, const struct config_item *over)
{
	item->value = config_overlay(config, item->value, over->value);
	return item->value;
}

// Lays each item of a mapping on `whole`, a mapping or a list that is changed.
static bool overlay_items(struct config *config, struct config_node *whole, const struct config_node *over)
{
	for (size_t i = 0; i < over->nr; i++) {
		const struct config_item *change = &over->item[i];
		struct config_item *item;

		if (whole->type == CONFIG_NODE_LIST) {
			item = config_select(config, whole, change->key, change->place);
			if (item && !overlay_item(config, item, change))
				return false;
			continue;
		}
		item = config_node_find(whole, change->key);
		if (item ? !overlay_item(config, item, change)
			 : !config_node_add(config, whole, change->key, change->place,
					    config_node_copy(config, change->value)))
			return false;
	}
	return true;
}

struct config_node *config_overlay(struct config *config, const struct config_node *base,
				   const struct config_node *over)
{
	struct config_node *whole;

	if (!base || !over)
		return base || over ? config_node_copy(config, base ? base : over) : NULL;
	if (base->type == CONFIG_NODE_SCALAR || over->type != CONFIG_NODE_MAPPING)
		return config_node_copy(config, over);
	whole = config_node_copy(config, base);
	return whole && overlay_items(config, whole, over) ? whole : NULL;
}

// ---- assignments ----

// Replaces what is in the list or mapping under a key, or adds it; with `value` NULL an empty mapping is added if
// nothing is there. Returns the value; NULL: cannot be, with a message.
static struct config_node *put(struct config *config, struct config_node *node, const char *key,
			       struct config_place place, struct config_node *value)
{
	struct config_item *item;

	if (node->type == CONFIG_NODE_SCALAR && node->blank) {
		node->type = CONFIG_NODE_MAPPING;
		node->blank = false;
	}
	if (node->type == CONFIG_NODE_SCALAR) {
		config_say(config, place, "there is no %s in the single value %s", config_quote(key).text,
			   config_quote(node->text).text);
		return NULL;
	}
	item = node->type == CONFIG_NODE_LIST ? config_select(config, node, key, place) : config_node_find(node, key);
	if (item && value)
		item->value = value;
	if (item || node->type == CONFIG_NODE_LIST)
		return item ? item->value : NULL;
	if (!value)
		value = config_node_new(config, CONFIG_NODE_MAPPING, place);
	return config_node_add(config, node, key, place, value) ? value : NULL;
}

// What stands behind the '='.
static struct config_node *assigned_value(struct config *config, struct config_place place, const char *text)
{
	if (!config_check_text(config, place.source, text, strlen(text)))
		return NULL;
	if (*text == '[' || *text == '{' || *text == '"')
		return config_parse_source(config, place.source, text, strlen(text));
	return config_scalar_new(config, place, text, strlen(text));
}

static bool assign(struct config *config, struct config_node *root, char *path, struct config_place place,
		   struct config_node *value)
{
	unsigned depth = 0;

	while (value) {
		char *dot = strchr(path, '.');

		if (dot)
			*dot = '\0';
		if (!*path || ++depth > CONFIG_DEPTH_MAX) {
			config_say(config, place, *path ? "the path is too long" : "the path has an empty key");
			return false;
		}
		root = put(config, root, path, place, dot ? NULL : value);
		if (!root || !dot)
			return root;
		path = dot + 1;
	}
	return false;
}

bool config_override(struct config *config, struct config_node *root, const char *assignment)
{
	struct config_place place = {0};
	char name[512];
	char *path, *equals;

	snprintf(name, sizeof(name), "--set %s", assignment);
	place.source = config_source_new(config, name, NULL, 0);
	path = config_copy_text(config, assignment, strlen(assignment));
	if (!place.source || !path)
		return false;
	equals = strchr(path, '=');
	if (!equals) {
		config_say(config, place, "expected KEY.KEY...=VALUE, such as machine.memory=64GiB");
		return false;
	}
	*equals = '\0';
	return assign(config, root, path, place, assigned_value(config, place, equals + 1));
}

// ---- included files ----

static struct config_node *broken(struct config *config, struct config_place place)
{
	struct config_node *node = config_node_new(config, CONFIG_NODE_SCALAR, place);

	if (node)
		node->broken = true;
	return node;
}

static struct config_node *include(struct config *config, const struct config_include *what, struct config_node *node,
				   unsigned depth);

static void refuse_file(struct config *config, const struct config_include *what, const struct config_node *name)
{
	const char *near = config_nearest(name->text, what->names);
	struct config_names known = {.length = 0};

	for (const char *const *each = what->names; each && *each; each++)
		config_names_add(&known, *each);
	if (near || !known.length)
		config_say(config, name->place, "unknown %s %s%s", what->key, config_quote(name->text).text,
			   config_hint(near).text);
	else
		config_say(config, name->place, "unknown %s %s (a path, or one of: %s)", what->key,
			   config_quote(name->text).text, known.text);
}

// The file that a scalar names, complete; a broken node, with a message, if it cannot be had.
static struct config_node *included_file(struct config *config, const struct config_include *what,
					 const struct config_node *name, unsigned depth)
{
	struct config_node *file;
	const char *path;

	if (name->type != CONFIG_NODE_SCALAR || name->blank) {
		config_say(config, name->place, "expected the name of a %s, not %s", what->key,
			   name->blank ? "nothing" : config_node_noun(name));
		return broken(config, name->place);
	}
	if (depth == INCLUDES_MAX) {
		config_say(config, name->place, "more than %d files are based on each other; do they name themselves?",
			   INCLUDES_MAX);
		return broken(config, name->place);
	}
	path = what->find(what->context, name->text);
	if (!path) {
		refuse_file(config, what, name);
		return broken(config, name->place);
	}
	file = config_read(config, path);
	if (!file)
		return broken(config, name->place);
	if (file->type != CONFIG_NODE_MAPPING) {
		config_say(config, file->place, "a %s must be a mapping (lines 'key: value'), not %s", what->key,
			   file->blank ? "an empty file" : config_node_noun(file));
		return broken(config, name->place);
	}
	return include(config, what, file, depth + 1);
}

// A mapping with `base` laid on the file that it names; any other node as it is.
static struct config_node *include(struct config *config, const struct config_include *what, struct config_node *node,
				   unsigned depth)
{
	struct config_item *item = config_node_find(node, "base");
	struct config_node *base;

	if (!item)
		return node;
	base = included_file(config, what, item->value, depth);
	if (!base || base->broken)
		return base;
	config_node_remove(node, item);
	return config_overlay(config, base, node);
}

// True for "machine" and "machine.base", alone or with a '=' behind them.
static bool chooses_file(const char *path, const struct config_include *includes, size_t nr_includes)
{
	for (size_t i = 0; i < nr_includes; i++) {
		size_t length = strlen(includes[i].key);

		if (strncmp(path, includes[i].key, length) != 0)
			continue;
		if (!strncmp(path + length, ".base", 5))
			length += 5;
		if (path[length] == '=' || !path[length])
			return true;
	}
	return false;
}

// The changes that choose a file, or the others.
static void apply_changes(struct config *config, struct config_node *root, const struct config_node *changes,
			  const struct config_include *includes, size_t nr_includes, bool files)
{
	for (size_t i = 0; changes && changes->type == CONFIG_NODE_MAPPING && i < changes->nr; i++) {
		const struct config_item *item = &changes->item[i];
		char *path = config_copy_text(config, item->key, strlen(item->key));

		if (path && chooses_file(item->key, includes, nr_includes) == files)
			assign(config, root, path, item->place, config_node_copy(config, item->value));
	}
}

static void apply_sets(struct config *config, struct config_node *root, const char *const *sets, size_t nr_sets,
		       const struct config_include *includes, size_t nr_includes, bool files)
{
	for (size_t i = 0; i < nr_sets; i++)
		if (chooses_file(sets[i], includes, nr_includes) == files)
			config_override(config, root, sets[i]);
}

struct config_node *config_resolve_changed(struct config *config, struct config_node *root,
					   const struct config_node *changes, const struct config_include *includes,
					   size_t nr_includes, const char *const *sets, size_t nr_sets)
{
	if (!root)
		return NULL;
	apply_changes(config, root, changes, includes, nr_includes, true);
	apply_sets(config, root, sets, nr_sets, includes, nr_includes, true);
	for (size_t i = 0; i < nr_includes; i++) {
		struct config_item *item = config_node_find(root, includes[i].key);

		if (!item)
			continue;
		item->value = item->value->type == CONFIG_NODE_SCALAR
				      ? included_file(config, &includes[i], item->value, 0)
				      : include(config, &includes[i], item->value, 0);
		if (!item->value)
			return NULL;
	}
	apply_changes(config, root, changes, includes, nr_includes, false);
	apply_sets(config, root, sets, nr_sets, includes, nr_includes, false);
	return root;
}

struct config_node *config_resolve(struct config *config, struct config_node *root,
				   const struct config_include *includes, size_t nr_includes, const char *const *sets,
				   size_t nr_sets)
{
	return config_resolve_changed(config, root, NULL, includes, nr_includes, sets, nr_sets);
}
