#!/bin/sh
# The example embedder runs until pages have really been checked, moved, written and read back, however long that takes.
# Usage: example_test.sh BUFFER_POOL. Prints TAP.
set -u

. "$(dirname "$0")/tap.sh"

wanted=100
problem=
out=$("$1" $wanted 2>&1) || problem="exit code $?: $out"
report "buffer_pool runs" "$problem"

count() # WORD: the number before it
{
	printf '%s\n' "$out" | sed -n "s/.*[^0-9]\([0-9][0-9]*\) $1.*/\1/p; s/^\([0-9][0-9]*\) $1.*/\1/p" | head -n 1
}

for word in "pages checked" moved written "read back"; do
	problem=
	n=$(count "$word")
	[ "${n:-0}" -ge $wanted ] || problem="not $wanted are '$word': $out"
	report "pages are $word" "$problem"
done
echo "1..$number"
