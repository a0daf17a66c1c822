// SPDX-License-Identifier: Apache-2.0
//
// pageyard: finds the subcommand and hands over. What subcommands share (cli.h) is here as well.

#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"

struct subcommand {
	const char *name;
	const char *help; // one line
	int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
	{"run", "simulate a machine and its load under several policies", cmd_run},
	{"list", "list scenarios, machines, policies and task kinds", cmd_list},
	{"show", "explain a scenario in words", cmd_show},
	{"machine", "write a machine file for a real machine", cmd_machine},
	{"verify", "compare the engine's choices with those of a recorded kernel, frame by frame", cmd_verify},
	{"replay", "run a recorded workload under any policy", cmd_replay},
	{"bench", "measure the allocator's speed on this machine", cmd_bench},
	{"policies", "list the policy versions and their switches", cmd_policies},
};

enum { SUBCOMMANDS = sizeof subcommands / sizeof subcommands[0], OPTIONS_MAX = 48 };

// --- options of a subcommand ---

static size_t options_count(const struct cli_command *command)
{
	size_t count = 0;

	while (command->options && command->options[count].name)
		count++;
	return count;
}

static void print_option(const struct cli_option *option)
{
	char left[64];

	snprintf(left, sizeof left, "%c%c%s --%s%s%s", option->letter ? '-' : ' ',
		 option->letter ? option->letter : ' ', option->letter ? "," : " ", option->name,
		 option->argument ? "=" : "", option->argument ? option->argument : "");
	if (strlen(left) > 27)
		printf("  %s\n  %-27s  %s\n", left, "", option->help);
	else
		printf("  %-27s  %s\n", left, option->help);
}

static const struct cli_option help_option = {"help", 'h', NULL, "print this and exit"};

static void print_help(const struct cli_command *command)
{
	printf("Usage: pageyard %s [OPTION]...%s%s\n\n%s\n\nOptions:\n", command->name, command->arguments ? " " : "",
	       command->arguments ? command->arguments : "", command->help);
	for (size_t i = 0; i < options_count(command); i++)
		print_option(&command->options[i]);
	print_option(&help_option);
}

static const char *nearest_option(const struct cli_command *command, const char *word, size_t length)
{
	const char *nearest = NULL;
	unsigned least = NEAREST_NONE;

	for (size_t i = 0; i <= options_count(command); i++) {
		const char *name = i < options_count(command) ? command->options[i].name : help_option.name;
		unsigned distance = nearest_distance(word, length, name);

		if (distance < least) {
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

static int unknown_option(const struct cli_command *command, const char *word)
{
	size_t length = strcspn(word, "=");
	const char *nearest = length > 2 ? nearest_option(command, word + 2, length - 2) : NULL;

	if (nearest)
		return cli_usage_error(command, "unknown option '%.*s'; did you mean '--%s'?", (int)length, word,
				       nearest);
	return cli_usage_error(command, "unknown option '%.*s'", (int)length, word);
}

// Row i of the command's options; the row behind the last is --help.
static const struct cli_option *option_at(const struct cli_command *command, size_t i)
{
	return i < options_count(command) ? &command->options[i] : &help_option;
}

enum { LETTERS_END = 256 }; // getopt_long returns letters, and LETTERS_END + row for long options

static size_t option_row(const struct cli_command *command, int result)
{
	if (result >= LETTERS_END)
		return (size_t)(result - LETTERS_END);
	for (size_t i = 0; i <= options_count(command); i++)
		if (option_at(command, i)->letter == result)
			return i;
	return OPTIONS_MAX + 1;
}

// getopt_long refused something and left in optopt what: 0 for a long option that it does not know.
static int refuse_option(const struct cli_command *command, char **argv, int result)
{
	size_t row = optopt ? option_row(command, optopt) : OPTIONS_MAX + 1;

	if (!optopt)
		return unknown_option(command, argv[optind - 1]);
	if (row > options_count(command))
		return cli_usage_error(command, "unknown option '-%c'", optopt);
	const struct cli_option *option = option_at(command, row);

	if (result == ':')
		return cli_usage_error(command, "option '--%s' needs a value: --%s=%s", option->name, option->name,
				       option->argument);
	return cli_usage_error(command, "option '--%s' takes no value", option->name);
}

static int check_arguments(const struct cli_command *command, int given, char **arguments)
{
	if (given < command->arguments_min)
		cli_usage_error(command, "too few arguments; usage: pageyard %s [OPTION]... %s", command->name,
				command->arguments);
	else if (command->arguments_max >= 0 && given > command->arguments_max)
		cli_usage_error(command, "unexpected argument '%s'", arguments[command->arguments_max]);
	else
		return CLI_END;
	return CLI_USAGE;
}

int cli_next_option(const struct cli_command *command, int argc, char **argv, const char **value)
{
	struct option longs[OPTIONS_MAX + 2] = {0};
	char letters[2 * OPTIONS_MAX + 4] = ":";
	size_t count = options_count(command), n = 1;

	for (size_t i = 0; i <= count && i <= OPTIONS_MAX; i++) {
		const struct cli_option *option = option_at(command, i);

		longs[i] = (struct option){option->name, option->argument ? required_argument : no_argument, NULL,
					   LETTERS_END + (int)i};
		if (option->letter)
			letters[n++] = option->letter;
		if (option->letter && option->argument)
			letters[n++] = ':';
	}
	opterr = 0;
	int result = getopt_long(argc, argv, letters, longs, NULL);

	if (result == -1)
		return check_arguments(command, argc - optind, argv + optind);
	if (result == '?' || result == ':') {
		refuse_option(command, argv, result);
		return CLI_USAGE;
	}
	size_t row = option_row(command, result);

	if (row == count) {
		print_help(command);
		return CLI_HELP;
	}
	*value = optarg;
	return (int)row;
}

int cli_first_argument(void)
{
	return optind;
}

int cli_exit_code(int option)
{
	return option == CLI_HELP ? EXIT_FINE : EXIT_USAGE;
}

// --- messages and values ---

int cli_usage_error(const struct cli_command *command, const char *format, ...)
{
	char text[1024];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(stderr, "pageyard %s: %s", command->name, text);
	if (strstr(text, "(see: pageyard ")) // where it says what else there is
		fputc('\n', stderr);
	else
		fprintf(stderr, " (see: pageyard %s --help)\n", command->name);
	return EXIT_USAGE;
}

int cli_error(const struct cli_command *command, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "pageyard %s: ", command->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return EXIT_FAILED;
}

bool cli_number(const char *text, unsigned long long min, unsigned long long max, unsigned long long *number)
{
	char *end;
	unsigned long long value;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 16 : 10);
	if (errno || *end || value < min || value > max)
		return false;
	*number = value;
	return true;
}

void cli_json_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < ' ')
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

int cli_finish(const struct cli_command *command, int code)
{
	if (fflush(stdout) || ferror(stdout))
		return cli_error(command, "standard output: %s", strerror(errno));
	return code;
}

// --- the tool itself ---

static const struct subcommand *find_subcommand(const char *name)
{
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		if (!strcmp(name, subcommands[i].name))
			return &subcommands[i];
	return NULL;
}

static int unknown_subcommand(const char *word)
{
	const char *nearest = NULL;
	unsigned least = NEAREST_NONE;

	for (size_t i = 0; i <= SUBCOMMANDS; i++) {
		const char *name = i < SUBCOMMANDS ? subcommands[i].name : "help";
		unsigned distance = nearest_distance(word, strlen(word), name);

		if (distance < least) {
			least = distance;
			nearest = name;
		}
	}
	fprintf(stderr, "pageyard: unknown command '%s'", word);
	if (nearest)
		fprintf(stderr, "; did you mean '%s'?", nearest);
	fprintf(stderr, " (see: pageyard --help)\n");
	return EXIT_USAGE;
}

static void print_tool_help(FILE *file)
{
	fprintf(file, "Usage: pageyard COMMAND [OPTION]... [ARGUMENT]...\n\n"
		      "Linux's page allocator outside the kernel: simulate, replay, verify and compare its policies.\n\n"
		      "Commands:\n");
	for (size_t i = 0; i < SUBCOMMANDS; i++)
		fprintf(file, "  %-10s  %s\n", subcommands[i].name, subcommands[i].help);
	fprintf(file, "  %-10s  %s\n", "help", "print the help of a command");
	fprintf(file, "\nOptions:\n"
		      "  -h, --help     print this and exit\n"
		      "  -V, --version  print the version and exit\n\n"
		      "Exit codes: 0 fine, whatever was found; 1 an input is bad, an invariant is broken, or there is\n"
		      "no result; 2 wrong usage.\n");
}

static int help(const char *name)
{
	static char help_argument[] = "--help";
	const struct subcommand *subcommand = find_subcommand(name);

	if (!subcommand)
		return unknown_subcommand(name);
	char *argv[] = {(char *)subcommand->name, help_argument, NULL};

	return subcommand->run(2, argv);
}

static int unknown_tool_option(const char *word)
{
	static const struct cli_option options[] = {{"version", 'V', NULL, ""}, {0}};
	static const struct cli_command tool = {.options = options};
	const char *nearest = word[1] == '-' ? nearest_option(&tool, word + 2, strlen(word + 2)) : NULL;

	fprintf(stderr, "pageyard: unknown option '%s'", word);
	if (nearest)
		fprintf(stderr, "; did you mean '--%s'?", nearest);
	fprintf(stderr, " (see: pageyard --help)\n");
	return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	if (!word) {
		print_tool_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("pageyard %s\n", PAGEYARD_VERSION);
		return EXIT_FINE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h")
	    || (!strcmp(word, "help") && (argc == 2 || !strcmp(argv[2], "help")))) {
		print_tool_help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(word, "help"))
		return help(argv[2]);
	if (word[0] == '-')
		return unknown_tool_option(word);

	const struct subcommand *subcommand = find_subcommand(word);

	return subcommand ? subcommand->run(argc - 1, argv + 1) : unknown_subcommand(word);
}

int main(int argc, char **argv)
{
	int code = run(argc, argv);

	// Also of --help and --version; a command that failed has said why.
	if (code == EXIT_FINE && (fflush(stdout) || ferror(stdout))) {
		fprintf(stderr, "pageyard: standard output: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return code;
}
