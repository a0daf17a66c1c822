#!/bin/sh
# Compiles the engine for a machine without a C library and shows that nothing but memcpy, memmove and memset is
# missing from it. Usage: freestanding.sh SOURCE-ROOT PLATFORM-FOLDER ENGINE-SOURCE...   CC names the compiler.
set -eu

root=$1
platform=$2
shift 2
cc=${CC:-cc}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The compiler's own headers (stddef.h, stdint.h, ...) and no others.
if $cc --version | grep -q clang; then
	own_headers="-isystem $($cc -print-resource-dir)/include"
else
	own_headers="-isystem $($cc -print-file-name=include) -isystem $($cc -print-file-name=include-fixed)"
fi

echo 1..4
result() # NUMBER NAME FILE: the test passed when FILE is empty
{
	if [ -s "$3" ]; then
		sed 's/^/# /' "$3" | head -n 40
		echo "not ok $1 - $2"
	else
		echo "ok $1 - $2"
	fi
}

cd "$root"
: >"$work/compile"
objects=
for source; do
	object=$work/$(basename "$source" .c).o
	# shellcheck disable=SC2086
	$cc -std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -nostdinc -fno-stack-protector $own_headers \
		-I. -Iinclude -Iengine -I"$platform" -c "$source" -o "$object" >>"$work/compile" 2>&1 || {
		echo "$source does not compile" >>"$work/compile"
		continue
	}
	objects="$objects $object"
done
result 1 "compiles with -ffreestanding and no header but the compiler's" "$work/compile"

# shellcheck disable=SC2086
$cc -nostdlib -r -o "$work/engine.o" $objects >"$work/link" 2>&1 || echo "does not link" >>"$work/link"
result 2 "links into one object" "$work/link"

: >"$work/undefined"
[ ! -f "$work/engine.o" ] || nm -u "$work/engine.o" | awk '{print $NF}' |
	grep -vxE 'memcpy|memmove|memset' >"$work/undefined" || true
result 3 "needs no symbol but memcpy, memmove and memset" "$work/undefined"

: >"$work/names"
[ ! -f "$work/engine.o" ] || nm -g --defined-only "$work/engine.o" | awk '{print $NF}' | grep -vE '^(yard|pageyard_engine)_' >"$work/names" || true
result 4 "defines no symbol without a prefix of the project (engine/names.h)" "$work/names"
