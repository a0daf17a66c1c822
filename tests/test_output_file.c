// SPDX-License-Identifier: Apache-2.0
//
// Files that are there whole or not at all.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <dirent.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report/output_file.h"

static char folder[] = "/tmp/output-file-XXXXXX";
static char error[512];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/output-file-XXXXXX");
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	DIR *names = opendir(".");
	struct dirent *entry;

	(void)state;
	while (names && (entry = readdir(names)))
		if (entry->d_name[0] != '.')
			remove(entry->d_name);
	closedir(names);
	return chdir("/") || rmdir(folder);
}

static unsigned nr_files(void)
{
	DIR *names = opendir(".");
	struct dirent *entry;
	unsigned nr = 0;

	while ((entry = readdir(names)))
		nr += entry->d_name[0] != '.';
	closedir(names);
	return nr;
}

static void check_text(const char *path, const char *expected)
{
	char text[100] = "";
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	fclose(file);
	assert_string_equal(text, expected);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static struct output_file opened(const char *path, const char *text)
{
	struct output_file output;

	assert_true(output_file_open(&output, path, error, sizeof(error)));
	fputs(text, output.file);
	fflush(output.file);
	return output;
}

// The old file is there until the new one is whole; then it has the new text and the old permissions.
static void a_file_is_replaced_when_it_is_whole(void **state)
{
	struct output_file output;
	struct stat mode;

	(void)state;
	write_text("a", "old");
	assert_int_equal(chmod("a", 0606), 0);
	output = opened("a", "new");
	check_text("a", "old");
	check_text("a.partial", "new");
	assert_true(output_file_finish(&output, error, sizeof(error)));
	check_text("a", "old");
	assert_true(output_file_keep(&output, error, sizeof(error)));
	check_text("a", "new");
	assert_int_equal(nr_files(), 1);
	assert_int_equal(stat("a", &mode), 0);
	assert_int_equal(mode.st_mode & 0777, 0606);
}

static void what_is_discarded_leaves_nothing(void **state)
{
	struct output_file output;

	(void)state;
	output = opened("new", "half");
	output_file_discard(&output);
	assert_int_equal(nr_files(), 0);
	write_text("a", "old");
	output = opened("a", "half");
	assert_true(output_file_finish(&output, error, sizeof(error)));
	output_file_discard(&output); // also what was finished
	check_text("a", "old");
	assert_int_equal(nr_files(), 1);
}

// A partial file of somebody else, who was killed or is writing, stays as it is.
static void somebody_elses_partial_file_stays(void **state)
{
	struct output_file output;

	(void)state;
	write_text("a.partial", "another's");
	output = opened("a", "mine");
	check_text("a.partial", "another's");
	assert_true(output_file_finish(&output, error, sizeof(error)) && output_file_keep(&output, error, sizeof(error)));
	check_text("a", "mine");
	check_text("a.partial", "another's");
	assert_int_equal(nr_files(), 2);
}

static void a_link_still_leads_to_its_file(void **state)
{
	struct output_file output;
	struct stat link;

	(void)state;
	write_text("far", "old");
	assert_int_equal(symlink("far", "near"), 0);
	output = opened("near", "new");
	assert_true(output_file_finish(&output, error, sizeof(error)) && output_file_keep(&output, error, sizeof(error)));
	check_text("far", "new");
	assert_int_equal(lstat("near", &link), 0);
	assert_true(S_ISLNK(link.st_mode));
}

static void paths_to_one_new_file_have_one_target(void **state)
{
	struct output_file one, other;

	(void)state;
	one = opened("new", "one");
	other = opened("././new", "other");
	assert_string_equal(one.target, other.target);
	output_file_discard(&other);
	other = opened("another", "other");
	assert_string_not_equal(one.target, other.target);
	output_file_discard(&other);
	output_file_discard(&one);
	assert_int_equal(nr_files(), 0);
}

// Not all below /dev is a device: a folder of files in memory is there.
static void a_file_below_dev_is_replaced_when_it_is_whole(void **state)
{
	char path[64];
	struct output_file output;

	(void)state;
	snprintf(path, sizeof(path), "/dev/shm%s", strrchr(folder, '/'));
	if (access("/dev/shm", W_OK))
		skip();
	write_text(path, "old");
	output = opened(path, "half");
	check_text(path, "old");
	output_file_discard(&output);
	check_text(path, "old");
	remove(path);
}

// Its partial name, cut, would be its own.
static void a_path_with_no_room_for_a_partial_name_is_refused(void **state)
{
	enum { NAME = 200 };
	char name[NAME + 1], path[PATH_MAX], told[PATH_MAX + 100];
	size_t base, length;
	struct output_file output;
	bool opened;

	(void)state;
	memset(name, 'n', NAME);
	name[NAME] = '\0';
	assert_non_null(realpath(".", path));
	base = length = strlen(path);
	for (; length + NAME + 1 < PATH_MAX - 1; length += NAME + 1) {
		snprintf(path + length, sizeof(path) - length, "/%s", name);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	snprintf(path + length, sizeof(path) - length, "/%s", name); // cut at PATH_MAX
	opened = output_file_open(&output, path, told, sizeof(told));
	if (opened)
		output_file_discard(&output);
	for (; length > base; length -= NAME + 1) {
		path[length] = '\0';
		assert_int_equal(rmdir(path), 0);
	}
	assert_false(opened);
	assert_non_null(strstr(told, strerror(ENAMETOOLONG)));
}

// A pipe gets each byte at once and stays a pipe.
static void a_pipe_is_written_as_it_is(void **state)
{
	struct output_file output;
	char text[8] = "";
	int ends[2];
	char path[32];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[1]);
	output = opened(path, "text");
	assert_null(output.partial);
	assert_int_equal(read(ends[0], text, 4), 4);
	assert_string_equal(text, "text");
	output_file_discard(&output);
	close(ends[0]);
	close(ends[1]);
}

// What somebody has redirected to a file is that file: it is not replaced.
static void what_is_open_already_is_written_as_it_is(void **state)
{
	struct output_file output;
	char path[32];
	FILE *file;

	(void)state;
	file = fopen("redirected", "w");
	assert_non_null(file);
	snprintf(path, sizeof(path), "/dev/fd/%d", fileno(file));
	output = opened(path, "events");
	assert_null(output.partial);
	assert_true(output_file_finish(&output, error, sizeof(error)) && output_file_keep(&output, error, sizeof(error)));
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	fputs(", table", file);
	fclose(file);
	check_text("redirected", "events, table");
	assert_int_equal(nr_files(), 1);
}

static void check_refused(const char *path, int reason)
{
	struct output_file output;
	char expected[200];

	snprintf(expected, sizeof(expected), "%s: %s", path, strerror(reason));
	assert_false(output_file_open(&output, path, error, sizeof(error)));
	assert_string_equal(error, expected);
	assert_null(output.file);
}

static void what_cannot_be_a_file_is_refused_at_once(void **state)
{
	(void)state;
	check_refused("none/file", ENOENT);
	check_refused("", ENOENT);
	check_refused(folder, EISDIR);
	if (geteuid()) { // root may write to any
		write_text("read-only", "old");
		assert_int_equal(chmod("read-only", 0444), 0);
		check_refused("read-only", EACCES);
		check_text("read-only", "old");
	}
}

// A disk that is full: the error is told, and nothing has the file's name.
static void a_full_disk_is_told(void **state)
{
	struct output_file output;

	(void)state;
	if (access("/dev/full", W_OK))
		skip();
	assert_true(output_file_open(&output, "/dev/full", error, sizeof(error)));
	fputs("text", output.file);
	assert_false(output_file_finish(&output, error, sizeof(error)));
	assert_string_equal(error, "/dev/full: No space left on device");
	output_file_discard(&output);
}

// In a child: a file that is whole and two that are not; then the signal.
static int end_by(int signal)
{
	int status = 0;
	pid_t child = fork();

	if (!child) {
		struct output_file whole = opened("whole", "whole"), again, half;

		output_files_end_with_signals("who");
		output_file_finish(&whole, error, sizeof(error));
		output_file_keep(&whole, error, sizeof(error));
		again = opened("whole", "again");
		half = opened("half", "half");
		if (freopen("said", "w", stderr))
			raise(signal);
		output_file_discard(&again);
		output_file_discard(&half);
		_exit(1);
	}
	waitpid(child, &status, 0);
	return status;
}

static void a_signal_leaves_only_whole_files(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		int status = end_by(signals[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), signals[i]);
		check_text("whole", "whole");
		check_text("said", "who: whole: not written, the run was interrupted\n"
				   "who: half: not written, the run was interrupted\n");
		assert_int_equal(nr_files(), 2);
		remove("whole");
		remove("said");
	}
}

#define test(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_file_is_replaced_when_it_is_whole),
		test(what_is_discarded_leaves_nothing),
		test(somebody_elses_partial_file_stays),
		test(a_link_still_leads_to_its_file),
		test(paths_to_one_new_file_have_one_target),
		test(a_file_below_dev_is_replaced_when_it_is_whole),
		test(a_path_with_no_room_for_a_partial_name_is_refused),
		test(a_pipe_is_written_as_it_is),
		test(what_is_open_already_is_written_as_it_is),
		test(what_cannot_be_a_file_is_refused_at_once),
		test(a_full_disk_is_told),
		test(a_signal_leaves_only_whole_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
