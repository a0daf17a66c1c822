#!/bin/sh
# `pageyard bench` runs and its JSON has every key, measured or not. Nothing here looks at how fast anything is.
# Usage: test_bench.sh PAGEYARD. Prints TAP.
set -u

pageyard=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$(dirname "$0")/tap.sh"

run() # ARGUMENT...: fills $problem, $work/out
{
	code=0
	problem=
	"$pageyard" bench "$@" >"$work/out" 2>"$work/err" || code=$?
	[ "$code" = 0 ] || problem="exit code $code, not 0: $(cat "$work/err")"
	[ ! -s "$work/err" ] || problem="$problem; said: $(cat "$work/err")"
}

workloads='pair_order0 burst_order0 pair_order9 bulk_alloc bulk_free_in_order bulk_free_random
	replace_50 replace_90 replace_mixed'
names="$workloads $(for name in $workloads; do echo "textbook_buddy_$name"; done) mmap_pair mmap_touch_pair"

run --json --quick
for key in $names pair_order0_speedup_2_threads metadata_bytes_per_frame size_ratio_64GiB_1GiB create_1TiB seconds \
	rss_bytes compaction_scanned_per_block compaction_moved_per_block compaction_ns_per_scanned_frame \
	compaction_ns_per_moved_page compaction_ns_per_copied_page cold_copy_ns compaction_copy_ratio \
	compaction_searched_per_block compaction_copy_ratio_with_search compaction_zone_copy_ratio \
	verify_events_per_second replay_events_per_second simulator_ns_per_operation_8GiB \
	simulator_ns_per_operation_1TiB simulator_size_ratio_1TiB_8GiB simulator_rss_bytes_8GiB simulator_rss_bytes_1TiB; do
	grep -q "\"$key\": " "$work/out" || problem="$problem; no key $key"
done
report "bench --json --quick has all keys" "$problem"

if command -v python3 >/dev/null; then
	problem=$(NAMES=$names python3 -c '
import json, os, sys
o = json.load(open(sys.argv[1]))
assert set(o["benchmarks"]) == set(os.environ["NAMES"].split()), "other benchmarks"
for name, threads in o["benchmarks"].items():
    assert set(threads) == {"1", "2"}, name
    assert threads["1"] > 0, name
assert 16 <= o["metadata_bytes_per_frame"] < 17
assert o["size_ratio_64GiB_1GiB"] > 0
assert o["simulator_ns_per_operation_8GiB"] > 0
' "$work/out" 2>&1)
	report "its JSON holds a figure for each benchmark" "$problem"
fi

run --quick --threads=1 --filter=pair_order9
[ "$(grep -c 'pair_order9' "$work/out")" = 1 ] || problem="$problem; not one row"
grep -q 'burst' "$work/out" && problem="$problem; an unselected row"
report "bench --filter selects by the beginning of the name" "$problem"

run --quick --filter=verify --record="$work/none"
grep -qF "pageyard verify: skipped: no record $work/none" "$work/out" || problem="$problem; said: $(cat "$work/out")"
report "a record that is not there is skipped, saying so" "$problem"

for argument in --rounds=0 --rounds=x --threads=0 --memory=1 --zzz extra; do
	code=0
	"$pageyard" bench "$argument" >"$work/out" 2>"$work/err" || code=$?
	problem=
	[ "$code" = 2 ] || problem="exit code $code, not 2"
	[ "$(wc -l <"$work/err")" = 1 ] || problem="$problem; not one line on standard error"
	report "refused: pageyard bench $argument" "$problem"
done

echo "1..$number"
