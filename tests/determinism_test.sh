#!/bin/sh
# The same scenario and seed give the same bytes: run twice, with one simulation at a time or two, and in every build (gcc and
# clang, optimized or not, with sanitizers or without): each build compares its results with tests/data/simulation.digests.
# Usage: determinism_test.sh PAGEYARD [--renew]. Prints TAP.
#
# A change of the engine or of the simulator that changes results changes the digests: look at the difference in the tables
# first, then write them anew with `tests/determinism_test.sh build/pageyard --renew`. What nothing but a calibration changes
# (scenarios/, machines/) is not in here: the scenarios of this test are in tests/data/scenarios.
set -u

case $1 in
/*) pageyard=$1 ;;
*) pageyard=$PWD/$1 ;;
esac
renew=${2:-}
cd "$(dirname "$0")/.." || exit 1
digests=tests/data/simulation.digests
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. tests/tap.sh

# One line a run: its name, a scenario, options.
cat >"$work/runs" <<'RUNS'
everything everything --seed 1
everything-2 everything --seed 2 --policy linux-7.3,defrag_mode=1,lru_gen=1 --duration 500ms
killed killed --runs 2
RUNS

# What a scenario is called, and the digest of its keys, are no results: a new key with its default changes the digest.
results() # FILE SCENARIO OPTION...: JSON without the line that tells the version, and without name and fingerprint
{
	to=$1 scenario=$2
	shift 2
	code=0
	timeout 600 "$pageyard" run "tests/data/scenarios/$scenario.yaml" --json "$@" >"$work/all" 2>"$work/err" || code=$?
	problem=
	[ "$code" = 0 ] || problem="exit code $code: $(head -c 500 "$work/err")"
	sed '/^{"type":"meta"/d; s/^\({"type":"[a-z]*",\)"scenario":"[^"]*","fingerprint":"[^"]*",/\1/' "$work/all" >"$to"
	[ -s "$to" ] || problem="$problem nothing was printed"
}

digest() # FILE
{
	sha256sum <"$1" | cut -d' ' -f1
}

if [ "$renew" = --renew ]; then
	while read -r name scenario options; do
		# shellcheck disable=SC2086
		results "$work/result" "$scenario" $options
		[ -z "$problem" ] || exit 1
		echo "$(digest "$work/result")  $name"
	done <"$work/runs" >"$work/new" || exit 1
	mv "$work/new" "$digests"
	exit 0
fi

while read -r name scenario options; do
	# shellcheck disable=SC2086
	results "$work/result" "$scenario" $options --jobs 2
	recorded=$(sed -n "s/  $name\$//p" "$digests")
	[ -n "$recorded" ] || problem="$problem no digest of it in $digests"
	[ "$(digest "$work/result")" = "$recorded" ] || problem="$problem differs from $digests"
	report "$name: the recorded bytes" "$problem"
	# shellcheck disable=SC2086
	results "$work/again" "$scenario" $options --jobs 1
	cmp "$work/result" "$work/again" >"$work/err" 2>&1 || problem="$problem $(cat "$work/err")"
	report "$name: the same again, one simulation at a time" "$problem"
done <"$work/runs"

echo "1..$number"
