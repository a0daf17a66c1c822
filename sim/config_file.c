// SPDX-License-Identifier: Apache-2.0
//
// Files to texts that the YAML reader may see.

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/config_internal.h"

// ---- characters ----

// Bytes of the character of UTF-8 at text[0]; 0: it is none.
static size_t utf8_length(const unsigned char *text, size_t left)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : text[0] >= 0xc2 ? 2 : 0;

	if (!length || length > left || text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] >= 0xa0) // overlong; surrogates
	    || (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] >= 0x90))
		return 0;
	return length;
}

// Does not show the line, which is no text.
static void refuse_byte(struct config *config, struct config_place place, unsigned byte)
{
	char name[256];
	const struct config_source source = {.name = name};

	snprintf(name, sizeof(name), "%.200s:%" PRIu32 ":%" PRIu32, place.source->name, place.line, place.column);
	config_say(config, (struct config_place){.source = &source},
		   byte < 0x80 ? "control character 0x%02x" : "byte 0x%02x is not UTF-8 text", byte);
}

// The library would take other bytes for other encodings, or for the end.
bool config_check_text(struct config *config, const struct config_source *source, const char *text, size_t length)
{
	struct config_place place = {source, 1, 1};
	size_t step;

	for (size_t i = 0; i < length; i += step) {
		unsigned char c = (unsigned char)text[i];

		step = utf8_length((const unsigned char *)text + i, length - i);
		if (!step || (c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
			refuse_byte(config, place, c);
			return false;
		}
		place.column++;
		if (c == '\n' || (c == '\r' && (i + 1 == length || text[i + 1] != '\n')))
			place = (struct config_place){source, place.line + 1, 1};
	}
	return true;
}

struct config_node *config_parse(struct config *config, const char *name, const char *text, size_t length)
{
	const struct config_source *source = config_source_new(config, name, text, length);

	if (!source || !config_check_text(config, source, source->text, length))
		return NULL;
	return config_parse_source(config, source, source->text, length);
}

static struct config_node *read_stream(struct config *config, const char *path, FILE *file)
{
	const struct config_source source = {.name = path};
	char *text = malloc(CONFIG_FILE_MAX + 1);
	struct config_node *root = NULL;
	size_t length;

	if (!text) {
		config_say(config, (struct config_place){.source = &source}, "%s", strerror(ENOMEM));
		return NULL;
	}
	length = fread(text, 1, CONFIG_FILE_MAX + 1, file);
	if (ferror(file))
		config_say(config, (struct config_place){.source = &source}, "%s", strerror(errno));
	else if (length > CONFIG_FILE_MAX)
		config_say(config, (struct config_place){.source = &source}, "the file is larger than %d MiB",
			   CONFIG_FILE_MAX >> 20);
	else
		root = config_parse(config, path, text, length);
	free(text);
	return root;
}

// Each simulation reads its scenario anew: of a pipe the second one would find nothing.
static bool can_be_read_again(const char *path)
{
	struct stat status;

	return stat(path, &status) || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode);
}

struct config_node *config_read(struct config *config, const char *path)
{
	const struct config_source source = {.name = path};
	struct config_node *root;
	FILE *file;

	if (!can_be_read_again(path)) {
		config_say(config, (struct config_place){.source = &source},
			   "a pipe or a device can't be read several times; write it to a file first");
		return NULL;
	}
	file = fopen(path, "rb");
	if (!file) {
		config_say(config, (struct config_place){.source = &source}, "%s", strerror(errno));
		return NULL;
	}
	root = read_stream(config, path, file);
	fclose(file);
	return root;
}
