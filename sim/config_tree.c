// SPDX-License-Identifier: Apache-2.0
//
// Documents in memory. All blocks hang on the struct config and are freed with it.

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config_internal.h"

struct config_block {
	struct config_block *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config)
		config->memory_left = CONFIG_MEMORY_MAX;
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	while (config->blocks) {
		struct config_block *block = config->blocks;

		config->blocks = block->next;
		free(block);
	}
	free(config->report);
	free(config);
}

void *config_alloc(struct config *config, size_t nr, size_t size)
{
	struct config_block *block = NULL;

	if (nr && size > SIZE_MAX / nr)
		size = SIZE_MAX;
	else
		size *= nr;
	if (size <= config->memory_left && sizeof(*block) <= config->memory_left - size)
		block = calloc(1, sizeof(*block) + size);
	if (!block) {
		config->errors += !config->no_memory;
		config->no_memory = true;
		return NULL;
	}
	config->memory_left -= sizeof(*block) + size;
	block->next = config->blocks;
	config->blocks = block;
	return block->bytes;
}

char *config_copy_text(struct config *config, const char *text, size_t length)
{
	char *copy = config_alloc(config, 1, length + 1);

	if (copy && length)
		memcpy(copy, text, length);
	return copy;
}

const struct config_source *config_source_new(struct config *config, const char *name, const char *text, size_t length)
{
	struct config_source *source = config_alloc(config, 1, sizeof(*source));

	if (!source)
		return NULL;
	source->name = config_copy_text(config, name, strlen(name));
	if (text) {
		source->text = config_copy_text(config, text, length);
		source->length = length;
	}
	return source->name && (source->text || !text) ? source : NULL;
}

struct config_node *config_node_new(struct config *config, enum config_node_type type, struct config_place place)
{
	struct config_node *node = config_alloc(config, 1, sizeof(*node));

	if (node) {
		node->type = type;
		node->place = place;
	}
	return node;
}

struct config_node *config_scalar_new(struct config *config, struct config_place place, const char *text, size_t length)
{
	struct config_node *node = config_node_new(config, CONFIG_NODE_SCALAR, place);

	if (node)
		node->text = config_copy_text(config, text, length);
	return node && node->text ? node : NULL;
}

bool config_node_add(struct config *config, struct config_node *node, const char *key, struct config_place place,
		     struct config_node *value)
{
	if (!value)
		return false;
	if (node->nr == node->max) {
		size_t max = node->max ? 2 * node->max : 4;
		struct config_item *item = config_alloc(config, max, sizeof(*item));

		if (!item)
			return false;
		if (node->nr)
			memcpy(item, node->item, node->nr * sizeof(*item));
		node->item = item;
		node->max = max;
	}
	node->item[node->nr++] = (struct config_item){key, place, value};
	return true;
}

struct config_item *config_node_find(const struct config_node *mapping, const char *key)
{
	for (size_t i = 0; mapping->type == CONFIG_NODE_MAPPING && i < mapping->nr; i++)
		if (!strcmp(mapping->item[i].key, key))
			return &mapping->item[i];
	return NULL;
}

void config_node_remove(struct config_node *node, struct config_item *item)
{
	struct config_item *end = node->item + node->nr--;

	memmove(item, item + 1, (size_t)(end - item - 1) * sizeof(*item));
}

struct config_node *config_node_copy(struct config *config, const struct config_node *node)
{
	struct config_node *copy = config_node_new(config, node->type, node->place);

	if (!copy)
		return NULL;
	copy->blank = node->blank;
	copy->broken = node->broken;
	copy->text = node->text;
	for (size_t i = 0; i < node->nr; i++)
		if (!config_node_add(config, copy, node->item[i].key, node->item[i].place,
				     config_node_copy(config, node->item[i].value)))
			return NULL;
	return copy;
}

const char *config_node_noun(const struct config_node *node)
{
	if (node->type == CONFIG_NODE_MAPPING)
		return "a mapping";
	return node->type == CONFIG_NODE_LIST ? "a list" : "a single value";
}

const struct config_node *config_value(const struct config_node *node, const char *key)
{
	const struct config_item *item = node ? config_node_find(node, key) : NULL;

	return item ? item->value : NULL;
}

const struct config_node *config_element(const struct config_node *node, const char *name)
{
	for (size_t i = 0; node && node->type == CONFIG_NODE_LIST && i < node->nr; i++) {
		const struct config_node *own = config_value(node->item[i].value, "name");

		if (own && own->type == CONFIG_NODE_SCALAR && !strcmp(own->text, name))
			return node->item[i].value;
	}
	return NULL;
}

bool config_given(const struct config_node *place, const char *key)
{
	return place && config_node_find(place, key);
}

bool config_given_with(const struct config_node *place, const char *key, const char *other)
{
	const struct config_item *one = place ? config_node_find(place, key) : NULL;
	const struct config_item *two = place ? config_node_find(place, other) : NULL;

	return one && two && one->value->place.source == two->value->place.source; // keys stay their base's
}
