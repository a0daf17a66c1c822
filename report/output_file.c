// SPDX-License-Identifier: Apache-2.0

#include "report/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- what a signal removes ----

enum { OPEN_FILES_MAX = 8 };

// A signal handler may call no more than unlink() and write(): it finds the names here.
struct open_file {
	atomic_bool used, ready;
	char path[PATH_MAX], partial[PATH_MAX];
};

static struct open_file open_files[OPEN_FILES_MAX];
static const char *process_name;
static bool on_terminal; // there is a line of progress, perhaps
static atomic_bool ending;

static void remember(const struct output_file *output)
{
	for (unsigned i = 0; i < OPEN_FILES_MAX; i++) {
		struct open_file *open = &open_files[i];

		if (atomic_exchange(&open->used, true))
			continue;
		snprintf(open->path, sizeof(open->path), "%s", output->path);
		snprintf(open->partial, sizeof(open->partial), "%s", output->partial);
		atomic_store(&open->ready, true);
		return;
	}
}

static void forget(const struct output_file *output)
{
	for (unsigned i = 0; i < OPEN_FILES_MAX; i++) {
		struct open_file *open = &open_files[i];

		if (!atomic_load(&open->ready) || strcmp(open->partial, output->partial) != 0)
			continue;
		atomic_store(&open->ready, false);
		atomic_store(&open->used, false);
		return;
	}
}

static void say(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));

	(void)written; // nobody is left to tell
}

static void remove_open_files(int number)
{
	if (atomic_exchange(&ending, true)) // another thread is here already
		return;
	for (unsigned i = 0; i < OPEN_FILES_MAX; i++) {
		struct open_file *open = &open_files[i];

		if (!atomic_exchange(&open->ready, false) || unlink(open->partial))
			continue;
		say(on_terminal ? "\n" : "");
		say(process_name);
		say(": ");
		say(open->path);
		say(": not written, the run was interrupted\n");
	}
	signal(number, SIG_DFL); // not SA_RESETHAND: a second signal could end the process before this is done
	raise(number);
}

void output_files_end_with_signals(const char *who)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	process_name = who;
	on_terminal = isatty(STDERR_FILENO);
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction action = {.sa_handler = remove_open_files};
		struct sigaction before;

		for (unsigned j = 0; j < sizeof(signals) / sizeof(signals[0]); j++)
			sigaddset(&action.sa_mask, signals[j]);
		if (!sigaction(signals[i], NULL, &before) && before.sa_handler != SIG_IGN) // nohup
			sigaction(signals[i], &action, NULL);
	}
}

// ---- one file ----

enum { PARTIALS_MAX = 100 };

// Of a file that is not there yet: by another path to its folder it has the same name. NULL: errno.
static char *new_target(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *given = slash ? strndup(path, (size_t)(name - path)) : strdup(".");
	char *folder = given ? realpath(given, NULL) : NULL, *target = NULL;
	size_t size;

	if (folder) {
		size = strlen(folder) + strlen(name) + 2;
		target = malloc(size);
		if (target)
			snprintf(target, size, "%s/%s", folder, name);
	}
	free(folder);
	free(given);
	return target;
}

// The name that the file will have: links lead to a file that they shall still lead to. NULL: errno.
static char *target_of(const char *path)
{
	char *target = realpath(path, NULL);

	return target || errno != ENOENT || !*path ? target : new_target(path);
}

// Opens TARGET.partial, with another end if there is one already. Negative: errno.
static int create_partial(char *partial, const char *target)
{
	int descriptor = -1;

	for (unsigned i = 0; descriptor < 0 && i < PARTIALS_MAX; i++) {
		char end[16] = "";

		if (i)
			snprintf(end, sizeof(end), "-%u", i);
		if (snprintf(partial, PATH_MAX, "%s.partial%s", target, end) >= PATH_MAX) { // it could be the target
			errno = ENAMETOOLONG;
			break;
		}
		descriptor = open(partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (descriptor < 0 && errno != EEXIST)
			break;
	}
	return descriptor;
}

// `before` is the file that it will replace; NULL: none. False: errno.
static bool open_partial(struct output_file *output, const struct stat *before)
{
	char *partial = malloc(PATH_MAX);
	int descriptor = -1;

	output->target = target_of(output->path);
	if (partial && output->target)
		descriptor = create_partial(partial, output->target);
	if (descriptor < 0) {
		free(partial); // it may be another's
		return false;
	}
	output->partial = partial;
	remember(output);
	output->file = fdopen(descriptor, "wb");
	if (!output->file)
		close(descriptor);
	return output->file && (!before || !fchmod(descriptor, before->st_mode & 0777));
}

// /dev/stdout, /dev/fd/9: another file of the name would not be the one that is open. /dev/shm/log is a file.
static bool is_open_already(const char *path)
{
	return !strncmp(path, "/dev/std", 8) || !strncmp(path, "/dev/fd/", 8) || !strncmp(path, "/proc/", 6);
}

static bool open_it(struct output_file *output)
{
	struct stat before;

	if (stat(output->path, &before))
		return errno == ENOENT && open_partial(output, NULL);
	if (S_ISREG(before.st_mode) && !is_open_already(output->path))
		return !access(output->path, W_OK) && open_partial(output, &before);
	output->file = fopen(output->path, "wb");
	return output->file != NULL;
}

bool output_file_open(struct output_file *output, const char *path, char *error, size_t size)
{
	*output = (struct output_file){.path = path};
	if (!path || open_it(output))
		return true;
	snprintf(error, size, "%s: %s", path, strerror(errno));
	output_file_discard(output);
	return false;
}

bool output_file_finish(struct output_file *output, char *error, size_t size)
{
	bool fine;
	int reason;

	if (!output->file)
		return true;
	fine = !output->error && !ferror(output->file);
	errno = 0;
	fine &= fclose(output->file) == 0;
	reason = output->error ? output->error : errno;
	output->file = NULL;
	if (!fine)
		snprintf(error, size, "%s: %s", output->path, reason ? strerror(reason) : "could not be written");
	return fine;
}

static void forget_and_free(struct output_file *output)
{
	if (output->partial)
		forget(output);
	free(output->target);
	free(output->partial);
	*output = (struct output_file){0};
}

bool output_file_keep(struct output_file *output, char *error, size_t size)
{
	bool fine = !output->partial || rename(output->partial, output->target) == 0;

	if (!fine)
		snprintf(error, size, "%s: %s; all of it is in %s", output->path, strerror(errno), output->partial);
	forget_and_free(output);
	return fine;
}

void output_file_discard(struct output_file *output)
{
	if (output->file)
		fclose(output->file);
	if (output->partial)
		unlink(output->partial);
	forget_and_free(output);
}
