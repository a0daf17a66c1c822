// SPDX-License-Identifier: Apache-2.0
//
// Which element of a list a word means, for --set and for mappings that are laid on lists.

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/config_internal.h"

static const char *scalar_under(const struct config_node *node, const char *key)
{
	const struct config_item *item = config_node_find(node, key);

	return item && item->value->type == CONFIG_NODE_SCALAR ? item->value->text : NULL;
}

// The elements whose key has this value; *found is the first.
static size_t count_elements(const struct config_node *list, const char *key, const char *value,
			     struct config_item **found)
{
	size_t nr = 0;

	for (size_t i = 0; i < list->nr; i++) {
		const char *text = scalar_under(list->item[i].value, key);

		if (text && !strcmp(text, value) && !nr++)
			*found = &list->item[i];
	}
	return nr;
}

static struct config_item *element_at(const struct config_node *list, const char *word)
{
	char *end;
	unsigned long index;

	if (!(*word >= '0' && *word <= '9') || strlen(word) > 9)
		return NULL;
	index = strtoul(word, &end, 10);
	return !*end && index < list->nr ? &list->item[index] : NULL;
}

static void refuse(struct config *config, const struct config_node *list, const char *word, struct config_place place)
{
	struct config_near near = config_near(word);
	struct config_names known = {.length = 0};

	for (size_t i = 0; i < list->nr; i++) {
		const char *name = scalar_under(list->item[i].value, "name");
		const char *kind = scalar_under(list->item[i].value, "kind");

		config_near_add(&near, name);
		config_near_add(&near, kind);
		config_names_add(&known, name ? name : kind);
	}
	if (near.name)
		config_say(config, place, "the list has no element %s%s", config_quote(word).text,
			   config_hint(near.name).text);
	else if (list->nr)
		config_say(config, place, "the list has no element %s; choose by name, by kind, or by 0 to %zu%s%s%s",
			   config_quote(word).text, list->nr - 1, known.length ? " (one of: " : "", known.text,
			   known.length ? ")" : "");
	else
		config_say(config, place, "the list has no element %s; it is empty", config_quote(word).text);
}

struct config_item *config_select(struct config *config, const struct config_node *list, const char *word,
				  struct config_place place)
{
	struct config_item *item = NULL;
	size_t nr;

	if (count_elements(list, "name", word, &item))
		return item;
	nr = count_elements(list, "kind", word, &item);
	if (nr > 1) {
		config_say(config, place, "%zu elements of the list are of kind %s; choose by name, or by 0 to %zu", nr,
			   config_quote(word).text, list->nr - 1);
		return NULL;
	}
	if (!item)
		item = element_at(list, word);
	if (!item)
		refuse(config, list, word, place);
	return item;
}
