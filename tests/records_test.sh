#!/bin/sh
# The verdict over every record of a folder, at both levels, against the shares that they must reach.
# Usage: records_test.sh PAGEYARD, with $PAGEYARD_RECORDS = a folder of records. Prints TAP.
set -u

pageyard=$1
if [ -z "${PAGEYARD_RECORDS:-}" ]; then
	echo "1..0 # SKIP PAGEYARD_RECORDS names no folder of records"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$(dirname "$0")/tap.sh"

# JSON LEVEL: says whether too few frames are identical. Wanted of a million: 999900 at step level and 999000 at request
# level with one CPU, 999000 and 990000 with more.
below()
{
	cpus=$(sed -n 's/.*"cpus":\([0-9]*\).*/\1/p' "$1")
	sed 's/.*"decisions":{//; s/}}.*//' "$1" | tr '}' '\n' | sed -n 's/^,*"\(.*\)":{"identical":\([0-9]*\),"of":\([0-9]*\)$/\2 \3 \1/p' |
		awk -v cpus="$cpus" -v level="$2" '
			BEGIN { least = level == "step" ? (cpus > 1 ? 999000 : 999900) : (cpus > 1 ? 990000 : 999000) }
			$3 == "frames" { frames = $2; if ($1 * 1000000 < least * $2) print "frames: " $1 " of " $2 }
			END { if (!frames) print "no frames were judged" }'
}

for record in "$PAGEYARD_RECORDS"/*/; do
	record=${record%/}
	[ -e "$record/events.txt" ] || [ -e "$record/events.txt.zst" ] || continue
	for level in step request; do
		code=0
		"$pageyard" verify --json --differences=0 --level="$level" "$record" >"$work/out" 2>"$work/err" || code=$?
		problem=
		[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
		[ -n "$problem" ] || problem=$(below "$work/out" "$level")
		report "$(basename "$record"), $level level" "$problem"
		sed -n 's/.*"decisions":{\(.*\)},"frames_by_order.*/\1/p' "$work/out" | sed 's/"identical"://g; s/,"of":/ of /g; s/[{}"]//g; s/^/# /'
	done
done
[ "$number" -gt 0 ] || report "records in $PAGEYARD_RECORDS" "none"
echo "1..$number"
