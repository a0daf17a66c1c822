// SPDX-License-Identifier: Apache-2.0
//
// pageyard verify: is every decision of a recorded kernel the engine's own?

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "trace/verify.h"

enum { OPT_POLICY, OPT_LEVEL, OPT_DIFFERENCES, OPT_EXPLAIN, OPT_JSON };

static const struct cli_option options[] = {
	[OPT_POLICY] = {"policy", 'p', "POLICY", "the engine's policy (default: linux-7.3 with the record's defrag_mode)"},
	[OPT_LEVEL] = {"level", 'l', "LEVEL", "request (default): only requests, frees and outside causes; step: every step"},
	[OPT_DIFFERENCES] = {"differences", 'd', "N", "show the first N differences (default: 10)"},
	[OPT_EXPLAIN] = {"explain", 'e', "SEQ", "show the state and the rules behind the decision at event SEQ"},
	[OPT_JSON] = {"json", 'j', NULL, "write one JSON object a record"},
	{0},
};

static const struct cli_command command = {
	.name = "verify",
	.arguments = "RECORD...",
	.help = "Takes a record of a real kernel (a folder with snapshot0.txt, events.txt, snapshot1.txt, each plain or\n"
		".zst), asks the engine at each recorded allocation, free and timer what it would do in that state, and\n"
		"compares. Where they differ the engine is put into the kernel's state again. The exit code is 1 when a\n"
		"record cannot be read, and 0 otherwise, whatever the share.",
	.options = options,
	.arguments_min = 1,
	.arguments_max = -1,
};

static void draw_progress(void *context, uint64_t done, uint64_t total)
{
	(void)context;
	fprintf(stderr, "\r%3u %%", total ? (unsigned)(done * 100 / total) : 0);
}

static int parse_option(struct verify_options *verify, bool *json, int option, const char *value)
{
	char text[256];
	unsigned long long number;

	switch (option) {
	case OPT_POLICY:
		if (yard_policy_parse(value, &verify->policy, text, sizeof(text)))
			return cli_usage_error(&command, "%s", text);
		verify->policy_name = value;
		return 0;
	case OPT_LEVEL:
		if (strcmp(value, "request") && strcmp(value, "step"))
			return cli_usage_error(&command, "no level '%s'; request or step", value);
		verify->level = *value == 's' ? VERIFY_STEP : VERIFY_REQUEST;
		return 0;
	case OPT_DIFFERENCES:
		if (!cli_number(value, 0, 1000000, &number))
			return cli_usage_error(&command, "--differences takes a number from 0 to 1000000, not '%s'", value);
		verify->differences = (unsigned)number;
		return 0;
	case OPT_EXPLAIN:
		if (!cli_number(value, 1, UINT64_MAX, &number))
			return cli_usage_error(&command, "--explain takes the number of an event, not '%s'", value);
		verify->explain = number;
		return 0;
	default:
		*json = true;
		return 0;
	}
}

static int verify_one(struct verify_options *verify, const char *record, bool json)
{
	struct verify_result result;
	struct trace_error error;

	verify->record = record;
	if (verify_record(verify, &result, &error)) {
		if (verify->progress)
			fprintf(stderr, "\r");
		return cli_error(&command, "%s", error.text);
	}
	if (verify->progress) {
		fprintf(stderr, "\r%.2f million events a second\n", result.seconds > 0 ? 1e-6 * (double)result.events / result.seconds : 0);
		fflush(stderr);
	}
	if (verify->explain && !result.explained)
		cli_error(&command, "%s: event %llu decides nothing (a notice, or part of no operation)", record,
			  (unsigned long long)verify->explain);
	else if (!verify->explain && json)
		verify_print_json(verify, &result, stdout);
	else if (!verify->explain)
		verify_print(verify, &result, stdout);
	verify_release(&result);
	return verify->explain && !result.explained ? EXIT_FAILED : EXIT_FINE;
}

int cmd_verify(int argc, char **argv)
{
	struct verify_options verify = { .differences = 10, .explain_to = stdout };
	const char *value;
	bool json = false;
	int option, code = EXIT_FINE;

	while ((option = cli_next_option(&command, argc, argv, &value)) >= 0) {
		code = parse_option(&verify, &json, option, value);
		if (code)
			return code;
	}
	if (option != CLI_END)
		return cli_exit_code(option);
	if (json && verify.explain)
		return cli_usage_error(&command, "--json and --explain exclude each other");
	if (isatty(STDERR_FILENO))
		verify.progress = draw_progress;
	for (int i = cli_first_argument(); i < argc; i++) {
		if (verify_one(&verify, argv[i], json))
			code = EXIT_FAILED;
		else if (!json && i + 1 < argc)
			printf("\n");
	}
	return cli_finish(&command, code);
}
