#!/bin/sh
# The example embedder runs for two seconds: pages are really checked, moved, written and read back.
# Usage: example_test.sh BUFFER_POOL. Prints TAP.
set -u

. "$(dirname "$0")/tap.sh"

problem=
out=$("$1" 2 2>&1) || problem="exit code $?: $out"
report "buffer_pool runs" "$problem"

count() # WORD: the number before it
{
	printf '%s\n' "$out" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p; s/^\([0-9][0-9]*\) $1.*/\1/p" | head -n 1
}

for word in "pages checked" moved written "read back"; do
	problem=
	n=$(count "$word")
	[ "${n:-0}" -gt 0 ] || problem="none are '$word': $out"
	report "pages are $word" "$problem"
done
echo "1..$number"
