// SPDX-License-Identifier: Apache-2.0
//
// What the subcommands of the tool share: exit codes, options described once for parsing and for --help, messages.
//
// A subcommand is one file cli/NAME.c with `int cmd_NAME(int argc, char **argv)` and one row in main.c. It looks
// like this:
//
//	enum { OPT_POLICY, OPT_JSON };
//	static const struct cli_option options[] = {
//		[OPT_POLICY] = {"policy", 'p', "POLICY", "the policy to run with (see: pageyard policies)"},
//		[OPT_JSON] = {"json", 0, NULL, "write JSON"},
//		{0},
//	};
//	static const struct cli_command command = {"replay", "RECORD...", "What it does.", options, 1, -1};
//
//	int cmd_replay(int argc, char **argv)
//	{
//		const char *value;
//		int option;
//
//		while ((option = cli_next_option(&command, argc, argv, &value)) >= 0)
//			if (option == OPT_POLICY) ...
//		if (option != CLI_END)
//			return cli_exit_code(option);
//		for (int i = cli_first_argument(); i < argc; i++) ... argv[i]
//	}

#pragma once

#include <stdbool.h>
#include <stddef.h>

enum {
	EXIT_FINE = 0,
	EXIT_FAILED = 1, // an input is bad, an invariant is broken, or there is no result
	EXIT_USAGE = 2,	 // the command line is wrong
};

struct cli_option {
	const char *name;     // "policy" for --policy
	char letter;	      // 'p' for -p; 0: none
	const char *argument; // what --help calls the option's value; NULL: it takes none
	const char *help;     // one line
};

struct cli_command {
	const char *name;
	const char *arguments;		  // what follows the options, as --help shows it; NULL: nothing
	const char *help;		  // what the command does; may have several lines
	const struct cli_option *options; // ends with a row of zeros; --help and -h are added to it
	int arguments_min, arguments_max; // how many; arguments_max -1: any number
};

// What cli_next_option returns besides the index of an option.
enum {
	CLI_END = -1,	// all options were given out, and the number of arguments is right
	CLI_HELP = -2,	// --help was printed: leave
	CLI_USAGE = -3, // the command line is wrong and a message was printed: leave
};

// The next option of the command line: its index in command->options, with *value set to its value (NULL for an
// option without one), or one of the above. One command line a process.
int cli_next_option(const struct cli_command *command, int argc, char **argv, const char **value);

// After CLI_END: the index in argv of the first argument that is no option. argv may have been reordered.
int cli_first_argument(void);

// What to return from the subcommand after CLI_HELP or CLI_USAGE.
int cli_exit_code(int option);

// Prints "pageyard COMMAND: MESSAGE" on stderr, one line. Returns EXIT_USAGE (cli_usage_error, which adds where
// help is, unless the message has a "(see: pageyard ...)" of its own) or EXIT_FAILED (cli_error), for
// `return cli_error(...)`.
int cli_usage_error(const struct cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_error(const struct cli_command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A number in decimal or 0x hexadecimal within [min, max]; false: it is not one, *number is untouched.
bool cli_number(const char *text, unsigned long long min, unsigned long long max, unsigned long long *number);

// Writes text as a JSON string, quotes included, to standard output.
void cli_json_string(const char *text);

// Flushes standard output; EXIT_FAILED with a message if anything could not be written, else `code`.
int cli_finish(const struct cli_command *command, int code);

int cmd_run(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_machine(int argc, char **argv);
int cmd_policies(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_bench(int argc, char **argv);
