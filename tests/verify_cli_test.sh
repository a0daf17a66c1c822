#!/bin/sh
# pageyard verify: what it prints for good records, and what it answers to wrong command lines.
# Usage: verify_cli_test.sh PAGEYARD, with $PAGEYARD_TEST_DATA. Prints TAP.
set -u

pageyard=$1
data=${PAGEYARD_TEST_DATA:-tests/data}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$(dirname "$0")/tap.sh"

run() # ARGUMENT...: fills $code, $work/out, $work/err
{
	code=0
	timeout 60 "$pageyard" verify "$@" >"$work/out" 2>"$work/err" || code=$?
}

fails() # CODE PART ARGUMENT...: this exit code, one line on stderr that has PART, nothing on stdout
{
	expected=$1
	part=$2
	shift 2
	run "$@"
	problem=
	[ "$code" = "$expected" ] || problem="exit code $code, not $expected"
	[ ! -s "$work/out" ] || problem="$problem; wrote to standard output"
	[ "$(wc -l <"$work/err")" = 1 ] || problem="$problem; not one line on standard error"
	grep -qF -e "$part" "$work/err" || problem="$problem; said: $(head -c 500 "$work/err")"
	report "refused: verify $*" "$problem"
}

answers() # WORD ARGUMENT...: exit 0, standard output has WORD, stderr is empty
{
	word=$1
	shift
	run "$@"
	problem=
	[ "$code" = 0 ] || problem="exit code $code, not 0"
	[ ! -s "$work/err" ] || problem="$problem; said: $(head -c 500 "$work/err")"
	grep -qF -e "$word" "$work/out" || problem="$problem; no '$word' in the answer"
	report "answers: verify $*" "$problem"
}

storm=$data/storm-d1
idle=$data/boot-idle-d0

answers '29903 of 29903' "$storm"
answers 'policy linux-7.3,defrag_mode=1, request level' "$storm"
answers 'step level' --level=step "$storm"
answers '14513 of 14513' -l step "$storm"
answers '42 of 42' "$idle"
answers '"frames":{"identical":42,"of":42}' --json "$idle"
answers '"level":"step"' -j -l step "$idle"
answers 'hands out frame' --policy=vanilla --differences=3 "$storm"
answers '"all_differences":0' --json --policy=linux-7.3,defrag_mode=1 "$storm"
answers 'the kernel handed out frame' --explain=1 "$idle"
long_policy=linux-7.3,defrag_mode=1,block_watermarks=on,kswapd_block_wake=on,promote_nonmovable=on,skip_kswapd_nodes=on
answers "policy $long_policy, request level" --policy="$long_policy" "$idle"
answers "\"policy\":\"$long_policy\"" --json --policy="$long_policy" "$idle"

run --differences=3 --policy=vanilla "$storm"
problem=
[ "$(grep -c '^    kernel: ' "$work/out")" = 3 ] || problem="not 3 differences"
report "--differences=3 shows three" "$problem"

run --differences=0 --policy=vanilla "$storm"
problem=
grep -q '^Differences: [1-9]' "$work/out" || problem="no count of differences"
grep -q '^    kernel: ' "$work/out" && problem="$problem; differences were shown"
report "--differences=0 counts only" "$problem"

run --json "$storm" "$idle"
problem=
[ "$(wc -l <"$work/out")" = 2 ] || problem="not two lines"
if command -v python3 >/dev/null; then
	problem=$problem$(python3 -c 'import json, sys
for line in open(sys.argv[1]):
    o = json.loads(line)
    assert o["decisions"]["frames"]["of"] == sum(s["of"] for s in o["frames_by_order"].values())
    assert o["decisions"]["frames"]["of"] == sum(s["of"] for s in o["frames_by_migratetype"].values())
    assert o["decisions"]["frames"]["of"] == sum(s["of"] for s in o["frames_by_path"].values())
' "$work/out" 2>&1)
fi
report "one JSON object for each record" "$problem"

run --policy=vanilla --json --differences=2 "$storm"
cp "$work/out" "$work/first"
run --policy=vanilla --json --differences=2 "$storm"
problem=
cmp -s "$work/first" "$work/out" || problem="they differ"
report "two runs print the same" "$problem"

# After a difference by rule nothing is excused: late takes that are missing count as rule differences too.
if command -v zstd >/dev/null; then
	mkdir "$work/late"
	cp "$storm"/snapshot?.txt* "$work/late"
	zstd -qdc "$storm/events.txt.zst" | awk '$1 > 150000 && $5 == "take" { next } $1 != "end" { if ($5) n++; print }
		END { print "end " n }' >"$work/late/events.txt"
	run --policy=vanilla --json "$work/late"
	problem=
	grep -q '"causes":{"a rule differs":[0-9]*}' "$work/out" || problem="exit code $code; $(sed 's/.*\("causes":{[^}]*}\).*/\1/' "$work/out")$(cat "$work/err")"
	report "a difference after one by rule is one by rule" "$problem"
fi

# A bad record among good ones: the good ones are judged all the same, the exit code tells.
run "$work/none" "$idle"
problem=
[ "$code" = 1 ] || problem="exit code $code, not 1"
grep -q '42 of 42' "$work/out" || problem="$problem; the good record was not judged"
report "a bad record does not hide a good one" "$problem"

fails 2 "'vanila'" --policy=vanila "$idle"
fails 2 "no level 'steps'; request or step" --level=steps "$idle"
fails 2 "no level ''" --level= "$idle"
fails 2 "not 'many'" --differences=many "$idle"
fails 2 "not '-1'" --differences=-1 "$idle"
fails 2 "not '1000001'" --differences=1000001 "$idle"
fails 2 "not '99999999999999999999'" --differences=99999999999999999999 "$idle"
fails 2 "not '0'" --explain=0 "$idle"
fails 2 "not '1x'" --explain=1x "$idle"
fails 2 '--json and --explain' --json --explain=1 "$idle"
fails 2 '--levle' --levle=step "$idle"
fails 2 'RECORD'
fails 1 "$idle: event 141" --explain=141 "$idle"
fails 1 "$work/none: not a folder" "$work/none"
fails 1 "$idle/README.md: not a folder" "$idle/README.md"

if [ -c /dev/full ]; then
	code=0
	"$pageyard" verify "$idle" >/dev/full 2>"$work/err" || code=$?
	problem=
	[ "$code" = 1 ] || problem="exit code $code, not 1"
	[ "$(wc -l <"$work/err")" = 1 ] || problem="$problem; not one line"
	report "a write error is a failure" "$problem"
fi

echo "1..$number"
