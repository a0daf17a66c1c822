// SPDX-License-Identifier: Apache-2.0
//
// YAML to nodes, through the events of libfyaml's parser. Aliases, merge keys and keys that are written twice are dealt
// with here; tags, complex keys and further documents are refused.

#include <libfyaml.h>
#include <string.h>

#include "sim/config_internal.h"

struct anchor {
	struct anchor *next; // older ones
	const char *name;
	const struct config_node *node;
};

// A list or mapping whose end was not seen yet.
struct level {
	struct config_node *node;
	const char *anchor; // NULL: none
	const char *key;    // the next value's in a mapping; NULL: the next event is a key
	struct config_place key_place;
	bool drop; // the next value: its key was refused
};

struct reader {
	struct config *config;
	const struct config_source *source;
	struct fy_parser *parser;
	struct config_node *root;
	struct anchor *anchors;
	unsigned depth;
	struct level level[CONFIG_DEPTH_MAX];
	struct config_place last; // where the latest event was that tells its place
};

// ---- places ----

static struct config_place place_of(struct reader *reader, const struct fy_mark *mark)
{
	if (mark)
		reader->last =
			(struct config_place){reader->source, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
	return reader->last;
}

// ---- values find their way into the list or mapping that is open ----

static bool add_value(struct reader *reader, struct config_node *node)
{
	struct level *level = reader->depth ? &reader->level[reader->depth - 1] : NULL;
	bool drop = level && level->drop;
	const char *key = level ? level->key : NULL;

	if (!node)
		return false;
	if (!level) {
		reader->root = node;
		return true;
	}
	level->key = NULL;
	level->drop = false;
	return drop || config_node_add(reader->config, level->node, key, level->key_place, node);
}

static bool wants_key(const struct reader *reader)
{
	const struct level *level = reader->depth ? &reader->level[reader->depth - 1] : NULL;

	return level && level->node->type == CONFIG_NODE_MAPPING && !level->key;
}

static bool add_key(struct reader *reader, const char *key, struct config_place place)
{
	struct level *level = &reader->level[reader->depth - 1];
	const struct config_item *item = config_node_find(level->node, key);

	if (item && item->place.line)
		config_say(reader->config, place, "key %s is here a second time; the first one is in line %u",
			   config_quote(key).text, (unsigned)item->place.line);
	else if (item)
		config_say(reader->config, place, "key %s is here a second time", config_quote(key).text);
	if (level->node->nr == CONFIG_KEYS_MAX) {
		config_say(reader->config, place, "a mapping has more than %d keys", CONFIG_KEYS_MAX);
		return false;
	}
	level->drop = item != NULL;
	level->key = key;
	level->key_place = place;
	return true;
}

// ---- anchors and aliases ----

static char *token_text(struct reader *reader, struct fy_token *token)
{
	size_t length = 0;
	const char *text = token ? fy_token_get_text(token, &length) : NULL;

	return config_copy_text(reader->config, text ? text : "", text ? length : 0);
}

static bool add_anchor(struct reader *reader, const char *name, const struct config_node *node)
{
	struct anchor *anchor;

	if (!name)
		return true;
	anchor = config_alloc(reader->config, 1, sizeof(*anchor));
	if (!anchor)
		return false;
	*anchor = (struct anchor){reader->anchors, name, node};
	reader->anchors = anchor;
	return true;
}

static unsigned height(const struct config_node *node)
{
	unsigned most = 0;

	for (size_t i = 0; i < node->nr; i++) {
		unsigned below = height(node->item[i].value);

		most = below > most ? below : most;
	}
	return node->type == CONFIG_NODE_SCALAR ? 0 : most + 1;
}

static bool too_deep(struct reader *reader, struct config_place place)
{
	config_say(reader->config, place, "lists and mappings are nested deeper than %d", CONFIG_DEPTH_MAX);
	return false;
}

static bool take_alias(struct reader *reader, struct fy_event *event)
{
	struct config_place place = place_of(reader, fy_event_start_mark(event));
	const char *name = token_text(reader, event->alias.anchor);
	const struct anchor *anchor = reader->anchors;
	struct config_node *copy;

	if (!name)
		return false;
	while (anchor && strcmp(anchor->name, name))
		anchor = anchor->next;
	if (wants_key(reader) || !anchor) {
		config_say(reader->config, place,
			   anchor ? "an alias cannot be a key" : "alias %s has no anchor '&' of that name before it",
			   config_quote(name).text);
		return false;
	}
	if (reader->depth + height(anchor->node) > CONFIG_DEPTH_MAX)
		return too_deep(reader, place);
	copy = config_node_copy(reader->config, anchor->node);
	return add_value(reader, copy);
}

// ---- "<<": the keys of another mapping, or several, that are not written beside it ----

static bool merge_one(struct reader *reader, struct config_node *mapping, struct config_place place,
		      const struct config_node *from)
{
	if (from->type != CONFIG_NODE_MAPPING) {
		config_say(reader->config, place, "'<<' wants a mapping, such as *ANCHOR, not %s",
			   config_node_noun(from));
		return true;
	}
	for (size_t i = 0; i < from->nr; i++) {
		const struct config_item *item = &from->item[i];

		if (config_node_find(mapping, item->key))
			continue;
		if (mapping->nr == CONFIG_KEYS_MAX) {
			config_say(reader->config, place, "a mapping has more than %d keys", CONFIG_KEYS_MAX);
			return false;
		}
		if (!config_node_add(reader->config, mapping, item->key, item->place, item->value))
			return false;
	}
	return true;
}

static bool merge(struct reader *reader, struct config_node *mapping)
{
	struct config_item *item = config_node_find(mapping, "<<"), merged;

	if (!item)
		return true;
	merged = *item;
	config_node_remove(mapping, item);
	if (merged.value->type != CONFIG_NODE_LIST)
		return merge_one(reader, mapping, merged.place, merged.value);
	for (size_t i = 0; i < merged.value->nr; i++)
		if (!merge_one(reader, mapping, merged.place, merged.value->item[i].value))
			return false;
	return true;
}

// ---- events ----

static bool refuse_tag(struct reader *reader, struct fy_event *event)
{
	struct fy_token *tag = fy_event_get_tag_token(event);

	if (!tag)
		return true;
	config_say(reader->config, place_of(reader, fy_token_start_mark(tag)), "tags ('!') have no meaning here");
	return false;
}

static bool take_scalar(struct reader *reader, struct fy_event *event)
{
	struct config_place place = place_of(reader, fy_event_start_mark(event));
	const char *anchor = event->scalar.anchor ? token_text(reader, event->scalar.anchor) : NULL;
	size_t length = 0;
	const char *text = fy_token_get_text(event->scalar.value, &length);
	struct config_node *node;

	if (text && memchr(text, '\0', length)) {
		config_say(reader->config, place, "text with a NUL character");
		return false;
	}
	node = config_scalar_new(reader->config, place, text ? text : "", text ? length : 0);
	if (!node || (event->scalar.anchor && !anchor))
		return false;
	node->blank = !length && fy_token_scalar_style(event->scalar.value) == FYSS_PLAIN;
	if (wants_key(reader))
		return add_key(reader, node->text, place);
	return add_anchor(reader, anchor, node) && add_value(reader, node);
}

static bool begin_level(struct reader *reader, struct fy_event *event, enum config_node_type type)
{
	struct config_place place = place_of(reader, fy_event_start_mark(event));
	struct fy_token *anchor = fy_event_get_anchor_token(event);
	struct level *level = &reader->level[reader->depth];

	if (wants_key(reader)) {
		config_say(reader->config, place, "a key must be a single word");
		return false;
	}
	if (reader->depth == CONFIG_DEPTH_MAX)
		return too_deep(reader, place);
	*level = (struct level){.node = config_node_new(reader->config, type, place),
				.anchor = anchor ? token_text(reader, anchor) : NULL};
	if (!level->node || (anchor && !level->anchor))
		return false;
	reader->depth++;
	return true;
}

static bool end_level(struct reader *reader)
{
	const struct level *level = &reader->level[--reader->depth];

	return merge(reader, level->node) && add_anchor(reader, level->anchor, level->node)
	       && add_value(reader, level->node);
}

static bool begin_document(struct reader *reader, struct fy_event *event)
{
	if (!reader->root)
		return true;
	config_say(reader->config, place_of(reader, fy_event_start_mark(event)),
		   "a second document begins here; a file has one");
	return false;
}

static bool take_event(struct reader *reader, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START: return begin_document(reader, event);
	case FYET_ALIAS: return take_alias(reader, event);
	case FYET_SCALAR: return refuse_tag(reader, event) && take_scalar(reader, event);
	case FYET_MAPPING_START: return refuse_tag(reader, event) && begin_level(reader, event, CONFIG_NODE_MAPPING);
	case FYET_SEQUENCE_START: return refuse_tag(reader, event) && begin_level(reader, event, CONFIG_NODE_LIST);
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: return end_level(reader);
	default: return true;
	}
}

// ---- a document ----

// Whether this line or the next is indented with a tab, which the library's messages do not tell.
static bool tab_near(const char *text, size_t length, uint32_t line)
{
	bool indentation = true;
	uint32_t at = 1;

	for (size_t i = 0; i < length && at <= line + 1; i++) {
		if (text[i] == '\t' && indentation && at >= line)
			return true;
		indentation = text[i] == '\n' || (indentation && (text[i] == ' ' || text[i] == '\t'));
		at += text[i] == '\n';
	}
	return false;
}

// What the library says about broken YAML: its first error.
static void say_syntax_error(struct reader *reader, struct fy_diag *diag, const char *text, size_t length)
{
	void *at = NULL;
	const struct fy_diag_error *error;

	while ((error = fy_diag_errors_iterate(diag, &at))) {
		struct config_place place = {reader->source, (uint32_t)error->line, (uint32_t)error->column};

		if (error->type != FYET_ERROR)
			continue;
		config_say(reader->config, place, "this is not YAML: %s%s", error->msg,
			   tab_near(text, length, place.line) ? "; indent with spaces, not tabs" : "");
		return;
	}
	config_say(reader->config, reader->last, "this is not YAML");
}

static bool read_events(struct reader *reader)
{
	bool fine = true;

	while (fine) {
		struct fy_event *event = fy_parser_parse(reader->parser);

		if (!event)
			break;
		fine = take_event(reader, event);
		fy_parser_event_free(reader->parser, event);
	}
	return fine;
}

static bool read_text(struct reader *reader, const char *text, size_t length)
{
	struct fy_diag_cfg diag_cfg = {.level = FYET_ERROR, .module_mask = ~0u};
	struct fy_diag *diag = fy_diag_create(&diag_cfg);
	struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag};
	bool fine = false;

	if (diag)
		fy_diag_set_collect_errors(diag, true);
	reader->parser = diag ? fy_parser_create(&cfg) : NULL;
	if (reader->parser && !fy_parser_set_string(reader->parser, text, length)) {
		fine = read_events(reader);
		if (fine && fy_parser_get_stream_error(reader->parser)) {
			say_syntax_error(reader, diag, text, length);
			fine = false;
		}
	} else {
		reader->config->errors++;
		reader->config->no_memory = true;
	}
	if (reader->parser)
		fy_parser_destroy(reader->parser);
	if (diag)
		fy_diag_destroy(diag);
	return fine;
}

struct config_node *config_parse_source(struct config *config, const struct config_source *source, const char *text,
					size_t length)
{
	struct reader reader = {.config = config, .source = source, .last = {source, 1, 1}};

	if (!read_text(&reader, text, length))
		return NULL;
	if (reader.root)
		return reader.root;
	reader.root = config_scalar_new(config, (struct config_place){source, 1, 1}, "", 0); // an empty file
	if (reader.root)
		reader.root->blank = true;
	return reader.root;
}
