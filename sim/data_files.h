// SPDX-License-Identifier: Apache-2.0
//
// Where scenarios and machines are: NAME.yaml in folders `scenarios` and `machines`, which are looked for beside the
// file that names another one and its folder, in the current directory, in the folder above the program's own, and
// where they were installed; at last, that file's own folder.

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { DATA_PATH_MAX = 4096 };

// Whether a name is a path already: it has a slash, or .yaml at its end.
bool data_is_path(const char *name);

// The path of a name in a folder ("machines"). `beside`: the path of the file that names it; may be NULL. NULL: there
// is none.
const char *data_find(const char *folder, const char *name, const char *beside, char path[DATA_PATH_MAX]);

// The names in all these folders, sorted, each once; ends with NULL. NULL: no memory.
char **data_names(const char *folder, const char *beside);
void data_names_free(char **names);

// Where things are looked for besides: "here, in the folder above the program's and in /usr/share/pageyard".
const char *data_places(void);

// The folder of the program that runs, without a slash at its end. False: unknown.
bool data_program_folder(char path[DATA_PATH_MAX]);

// The name in a path: without its folder and .yaml.
void data_name(const char *path, char *name, size_t size);
