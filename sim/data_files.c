// SPDX-License-Identifier: Apache-2.0

#include "sim/data_files.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char suffix[] = ".yaml";

enum { FOLDERS = 5, PLACES }; // after the folders: beside the file, where scenarios and other things are too

static size_t name_length(const char *name)
{
	size_t length = strlen(name), end = sizeof(suffix) - 1;

	return length > end && !strcmp(name + length - end, suffix) ? length - end : length;
}

bool data_program_folder(char path[DATA_PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", path, DATA_PATH_MAX - 1);
	char *slash;

	path[length < 0 ? 0 : length] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

// Above the program's own folder: build/pageyard is used where it was built, from any folder.
static bool above_program(const char *folder, char path[DATA_PATH_MAX])
{
	char program[DATA_PATH_MAX];

	return data_program_folder(program)
	       && snprintf(path, DATA_PATH_MAX, "%s/../%s", program, folder) < DATA_PATH_MAX;
}

// The folders in the order in which they are looked at; false: `which` does not count here.
static bool place(unsigned which, const char *folder, const char *beside, char path[DATA_PATH_MAX])
{
	const char *slash = beside ? strrchr(beside, '/') : NULL;
	int length = slash ? (int)(slash - beside) : 1;
	const char *start = slash ? beside : ".";

	switch (which) {
	case 0: return beside && snprintf(path, DATA_PATH_MAX, "%.*s/%s", length, start, folder) < DATA_PATH_MAX;
	case 1: return beside && snprintf(path, DATA_PATH_MAX, "%.*s/../%s", length, start, folder) < DATA_PATH_MAX;
	case 2: return snprintf(path, DATA_PATH_MAX, "%s", folder) < DATA_PATH_MAX;
	case 3: return above_program(folder, path);
	case 4: return snprintf(path, DATA_PATH_MAX, "%s/%s", PAGEYARD_DATADIR, folder) < DATA_PATH_MAX;
	default: return beside && snprintf(path, DATA_PATH_MAX, "%.*s", length, start) < DATA_PATH_MAX;
	}
}

bool data_is_path(const char *name)
{
	return strchr(name, '/') || name[name_length(name)];
}

const char *data_find(const char *folder, const char *name, const char *beside, char path[DATA_PATH_MAX])
{
	char in[DATA_PATH_MAX];

	if (data_is_path(name))
		return !access(name, R_OK) && snprintf(path, DATA_PATH_MAX, "%s", name) < DATA_PATH_MAX ? path : NULL;
	for (unsigned which = 0; which < PLACES; which++)
		if (place(which, folder, beside, in)
		    && snprintf(path, DATA_PATH_MAX, "%s/%s%s", in, name, suffix) < DATA_PATH_MAX
		    && !access(path, R_OK))
			return path;
	return NULL;
}

const char *data_places(void)
{
	return "here, in the folder above the program's and in " PAGEYARD_DATADIR;
}

void data_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/'), *start = slash ? slash + 1 : path;

	snprintf(name, size, "%.*s", (int)name_length(start), start);
}

// ---- names ----

struct names {
	char **item;
	size_t nr, max;
};

static bool add_name(struct names *names, const char *file)
{
	if (names->nr + 1 >= names->max) {
		size_t max = names->max ? 2 * names->max : 16;
		char **item = realloc(names->item, max * sizeof(*item));

		if (!item)
			return false;
		names->item = item;
		names->max = max;
	}
	names->item[names->nr] = strndup(file, name_length(file));
	if (!names->item[names->nr])
		return false;
	names->item[++names->nr] = NULL;
	return true;
}

static bool add_folder(struct names *names, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool fine = true;

	if (!folder)
		return true;
	while (fine && (entry = readdir(folder)))
		if (*entry->d_name != '.' && entry->d_name[name_length(entry->d_name)])
			fine = add_name(names, entry->d_name);
	closedir(folder);
	return fine;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **data_names(const char *folder, const char *beside)
{
	struct names names = {calloc(1, sizeof(*names.item)), 0, 1};
	char path[DATA_PATH_MAX];
	size_t kept = 0;

	if (!names.item)
		return NULL;
	for (unsigned which = 0; which < FOLDERS; which++) {
		if (place(which, folder, beside, path) && !add_folder(&names, path)) {
			data_names_free(names.item);
			return NULL;
		}
	}
	qsort(names.item, names.nr, sizeof(*names.item), compare_names);
	for (size_t i = 0; i < names.nr; i++) {
		if (kept && !strcmp(names.item[kept - 1], names.item[i]))
			free(names.item[i]);
		else
			names.item[kept++] = names.item[i];
	}
	names.item[kept] = NULL;
	return names.item;
}

void data_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}
