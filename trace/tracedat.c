// SPDX-License-Identifier: Apache-2.0
//
// trace.dat files, through libtracecmd.
//
// libtracecmd 3.1.6 believes what a file says about itself, and a damaged file can make it crash. So the structure is
// checked first (dat_check.c), which gives the exact place of a truncation, and then a child process decodes
// (dat_decode.c) and sends the events through a pipe: whatever happens to the library there, this side sees an error.

#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/dat.h"
#include "trace/internal.h"

#ifndef HAVE_LIBTRACECMD

struct trace_source *trace_dat_open(struct trace_input *input, struct trace_error *error)
{
	trace_fail(error,
		   "%.250s: this is a trace.dat, and this program was built without libtracecmd: use the text of "
		   "'trace-cmd report FILE'",
		   input->path);
	return NULL;
}

#else

enum { SILENCE_MS = (TRACE_DAT_SILENCE + 10) * 1000 }; // the decoder ends itself before

struct dat {
	struct trace_source source;
	struct trace_input *input;
	pid_t child;
	int pipe;
	uint64_t offset, size; // size of the plain file; a packed one is larger once unpacked
	uint32_t next, count;
	struct trace_event batch[TRACE_DAT_BATCH];
};

static int fail_at(const struct dat *dat, struct trace_error *error, const char *reason)
{
	return trace_fail(error, "%.250s: offset %" PRIu64 ": %s", dat->input->path, dat->offset, reason);
}

// Ends the child and returns how it ended, as waitpid tells it; 0 if nobody knows.
static int reap(struct dat *dat, bool kill_it)
{
	int status = 0;

	if (dat->child <= 0)
		return 0;
	if (kill_it)
		kill(dat->child, SIGKILL);
	while (waitpid(dat->child, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	dat->child = 0;
	return status;
}

// The decoder's pipe has ended without a last message.
static int fail_dead(struct dat *dat, struct trace_error *error)
{
	int status = reap(dat, false);
	char reason[128];

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		snprintf(reason, sizeof(reason), "damaged: libtracecmd hangs near here");
	else if (WIFSIGNALED(status))
		snprintf(reason, sizeof(reason), "damaged: libtracecmd died of signal %d near here", WTERMSIG(status));
	else
		snprintf(reason, sizeof(reason), "damaged: libtracecmd gave up near here (status %d)",
			 WEXITSTATUS(status));
	return fail_at(dat, error, reason);
}

static int take(struct dat *dat, void *into, size_t bytes, struct trace_error *error)
{
	char *at = into;

	while (bytes) {
		struct pollfd waiting = {.fd = dat->pipe, .events = POLLIN};
		int ready = poll(&waiting, 1, SILENCE_MS);
		ssize_t got;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready == 0) {
			reap(dat, true);
			return fail_at(dat, error, "damaged: libtracecmd hangs near here");
		}
		got = read(dat->pipe, at, bytes);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail_dead(dat, error);
		at += got;
		bytes -= (size_t)got;
	}
	return 0;
}

// The next message. 1: dat->batch is full again; 0: the end; -1: *error.
static int take_message(struct dat *dat, struct trace_error *error)
{
	struct trace_dat_message message;
	char reason[256];

	if (take(dat, &message, sizeof(message), error))
		return -1;
	dat->offset = message.offset < dat->size ? message.offset : dat->size;
	dat->source.lost = message.lost;
	if (message.kind == TRACE_DAT_END) {
		dat->offset = dat->size;
		return 0;
	}
	if (message.kind == TRACE_DAT_EVENTS && message.count <= TRACE_DAT_BATCH) {
		dat->next = 0;
		dat->count = message.count;
		return take(dat, dat->batch, message.count * sizeof(dat->batch[0]), error) ? -1 : 1;
	}
	if (message.kind != TRACE_DAT_ERROR || message.count >= sizeof(reason))
		return fail_dead(dat, error);
	if (take(dat, reason, message.count, error))
		return -1;
	reason[message.count] = '\0';
	return fail_at(dat, error, reason);
}

static int dat_next(struct trace_source *source, struct trace_event *event, struct trace_error *error)
{
	struct dat *dat = (struct dat *)source;

	while (dat->next == dat->count) {
		int got = take_message(dat, error);

		if (got <= 0)
			return got;
	}
	*event = dat->batch[dat->next++];
	return 1;
}

static void dat_progress(const struct trace_source *source, uint64_t *done, uint64_t *total)
{
	const struct dat *dat = (const struct dat *)source;

	*total = dat->input->file_size;
	*done = dat->size ? (uint64_t)((double)dat->offset / (double)dat->size * (double)*total) : *total;
}

static void dat_close(struct trace_source *source)
{
	struct dat *dat = (struct dat *)source;

	if (dat->pipe >= 0)
		close(dat->pipe);
	reap(dat, true);
	trace_input_close(dat->input);
	free(dat);
}

// A file without a name that holds what the input unpacks to, for a library that must seek. -1 and *error.
static int unpack_to_file(struct trace_input *input, struct trace_error *error)
{
	const char *folder = getenv("TMPDIR");
	char name[4096];
	int got, fd;

	snprintf(name, sizeof(name), "%s/pageyard-XXXXXX", folder && *folder ? folder : "/tmp");
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return trace_fail(error, "%.250s: cannot make a temporary file to unpack into: %s", name,
				  strerror(errno));
	unlink(name);
	do {
		while (input->at < input->end) {
			ssize_t done = write(fd, input->at, (size_t)(input->end - input->at));

			if (done < 0 && errno != EINTR) {
				trace_fail(error, "%.250s: cannot unpack it into %.100s: %s", input->path, name,
					   strerror(errno));
				close(fd);
				return -1;
			}
			input->at += done > 0 ? done : 0;
		}
		got = trace_input_fill(input, error);
	} while (got > 0);
	if (got < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

// The child: nothing of the parent's but the file and the pipe, and no word to the terminal.
static _Noreturn void be_child(int fd, int pipe, uint64_t events)
{
	const struct rlimit no_core = {0, 0};
	int null = open("/dev/null", O_RDWR);
	int low = fd < pipe ? fd : pipe, high = fd < pipe ? pipe : fd;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN); // a reader that is gone shows at the next write
	signal(SIGALRM, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		_exit(1);
	setrlimit(RLIMIT_CORE, &no_core);
	// Another reader's pipe must not stay open here: its own reader would wait for its end.
	if (low > 3)
		close_range(3, (unsigned)low - 1, 0);
	if (high > low + 1)
		close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0u, 0);
	lseek(fd, 0, SEEK_SET);
	trace_dat_decode(fd, pipe, events);
}

static int start_child(struct dat *dat, int fd, uint64_t events, struct trace_error *error)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return trace_fail(error, "%.250s: no pipe for the decoder: %s", dat->input->path, strerror(errno));
	dat->child = fork();
	if (dat->child == 0) {
		if (fd > 2 && ends[1] > 2)
			be_child(fd, ends[1], events);
		_exit(1); // the program has closed its standard files: no room to be silent
	}
	close(ends[1]);
	dat->pipe = ends[0];
	if (dat->child < 0)
		return trace_fail(error, "%.250s: no process for the decoder: %s", dat->input->path, strerror(errno));
	fcntl(dat->pipe, F_SETPIPE_SZ, 1 << 20); // fewer switches; no harm if refused
	return 0;
}

struct trace_source *trace_dat_open(struct trace_input *input, struct trace_error *error)
{
	const bool plain = input->regular && !input->zstd;
	int fd = plain ? input->fd : unpack_to_file(input, error);
	struct dat *dat = fd < 0 ? NULL : calloc(1, sizeof(*dat));
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	uint64_t events = 0;

	if (fd >= 0 && !dat)
		trace_fail(error, "%.250s: no memory for a reader", input->path);
	if (dat) {
		dat->source = (struct trace_source){dat_next, dat_progress, dat_close, 0};
		dat->input = input;
		dat->pipe = -1;
		dat->size = size < 0 ? 0 : (uint64_t)size;
		if (trace_dat_check(fd, dat->size, input->path, &events, error)
		    || start_child(dat, fd, events, error)) {
			if (dat->pipe >= 0)
				close(dat->pipe);
			free(dat);
			dat = NULL;
		}
	}
	if (!plain && fd >= 0)
		close(fd); // the child has its own
	return dat ? &dat->source : NULL;
}

#endif
