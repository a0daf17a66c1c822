#!/bin/sh
# What the tool answers to right and wrong command lines: exit code, one line on stderr, nothing on stdout.
# Usage: cli_test.sh PAGEYARD. Prints TAP.
set -u

pageyard=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$(dirname "$0")/tap.sh"

run() # ARGUMENT...: fills $code, $work/out, $work/err
{
	code=0
	"$pageyard" "$@" >"$work/out" 2>"$work/err" || code=$?
}

refused() # LINE ARGUMENT...: exit 2, exactly this line on stderr
{
	line=$1
	shift
	run "$@"
	problem=
	[ "$code" = 2 ] || problem="exit code $code, not 2"
	[ ! -s "$work/out" ] || problem="$problem; wrote to standard output"
	[ "$(cat "$work/err")" = "$line" ] || problem="$problem; said: $(cat "$work/err")"
	report "refused: pageyard $*" "$problem"
}

answers() # WORD ARGUMENT...: exit 0, standard output has WORD, stderr is empty
{
	word=$1
	shift
	run "$@"
	problem=
	[ "$code" = 0 ] || problem="exit code $code, not 0"
	[ ! -s "$work/err" ] || problem="$problem; said: $(cat "$work/err")"
	grep -qF -e "$word" "$work/out" || problem="$problem; no '$word' in the answer"
	report "answers: pageyard $*" "$problem"
}

answers 'Usage: pageyard COMMAND' --help
answers 'Usage: pageyard COMMAND' -h
answers 'Usage: pageyard COMMAND' help
answers 'Usage: pageyard COMMAND' help help
answers 'Exit codes: 0 fine' --help
answers 'pageyard 0.' --version
answers 'pageyard 0.' -V
answers 'Usage: pageyard policies' policies --help
answers 'Usage: pageyard policies' policies -h
answers 'Usage: pageyard policies' help policies
answers 'linux-7.3@7.3core' policies
answers 'DEFRAGMODE-ASYNC-WMARKS' policies
answers 'request-order|compaction-order' policies --switches
answers '02 SP-45, 01 D7' policies -s
answers '{"name": "storm-fix", ' policies --json
answers '"rule": "01 M8, 01 D16"' policies --json --switches
answers '"rule": "01 M8, 01 D16"' policies -js

# Every command of the table has a help of its own, reached by both ways alike.
problem=
for command in $("$pageyard" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -vx help); do
	"$pageyard" help "$command" >"$work/a" 2>&1 || problem="$problem help $command fails;"
	"$pageyard" "$command" --help >"$work/b" 2>&1 || problem="$problem $command --help fails;"
	cmp -s "$work/a" "$work/b" || problem="$problem help $command differs from $command --help;"
	grep -q "^Usage: pageyard $command" "$work/a" || problem="$problem $command --help has no usage line;"
done
report "every command has a help" "$problem"

refused "pageyard: unknown command 'polices'; did you mean 'policies'? (see: pageyard --help)" polices
refused "pageyard: unknown command 'halp'; did you mean 'help'? (see: pageyard --help)" halp
refused "pageyard: unknown command 'zzz' (see: pageyard --help)" zzz
refused "pageyard: unknown command '' (see: pageyard --help)" ''
refused "pageyard: unknown command 'polices'; did you mean 'policies'? (see: pageyard --help)" help polices
refused "pageyard: unknown option '--versoin'; did you mean '--version'? (see: pageyard --help)" --versoin
refused "pageyard: unknown option '-x' (see: pageyard --help)" -x
refused "pageyard policies: unknown option '--jsno'; did you mean '--json'? (see: pageyard policies --help)" \
	policies --jsno
refused "pageyard policies: unknown option '--swiches'; did you mean '--switches'? (see: pageyard policies --help)" \
	policies --json --swiches=1
refused "pageyard policies: unknown option '--zzz' (see: pageyard policies --help)" policies --zzz
refused "pageyard policies: unknown option '-x' (see: pageyard policies --help)" policies --json -xs
refused "pageyard policies: unknown option '-x' (see: pageyard policies --help)" policies -sx
refused "pageyard policies: option '--json' takes no value (see: pageyard policies --help)" policies --json=1
refused "pageyard policies: option '--help' takes no value (see: pageyard policies --help)" policies --help=1
refused "pageyard policies: unexpected argument 'linux-7.3' (see: pageyard policies --help)" policies linux-7.3

run
problem=
[ "$code" = 2 ] || problem="exit code $code, not 2"
grep -q '^Usage: pageyard COMMAND' "$work/err" || problem="$problem; no usage on standard error"
report "no command at all prints the usage and is an error" "$problem"

# JSON that a reader takes, with every version and every switch in it.
if command -v python3 >/dev/null; then
	problem=$("$pageyard" policies --json | python3 -c '
import json, sys
o = json.load(sys.stdin)
names = {s["name"] for s in o["switches"]}
values = {s["name"]: s["values"] for s in o["switches"]}
assert o["versions"] and names
for v in o["versions"]:
    assert v["values"].keys() == names, v["name"]
    assert all(v["values"][n] in values[n] for n in names), v["name"]
' 2>&1)
	report "policies --json is JSON" "$problem"
fi

# A full disk is not success.
if [ -c /dev/full ]; then
	for argument in policies --help --version 'policies --help'; do
		code=0
		# shellcheck disable=SC2086
		"$pageyard" $argument >/dev/full 2>"$work/err" || code=$?
		problem=
		[ "$code" = 1 ] || problem="exit code $code, not 1"
		grep -q 'standard output' "$work/err" || problem="$problem; no message"
		report "a write error is a failure: pageyard $argument" "$problem"
	done
fi

echo "1..$number"
