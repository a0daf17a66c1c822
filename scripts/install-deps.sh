#!/bin/sh
# Installs what is missing of the packages that a group of tasks needs; silent when nothing is.
# Usage: install-deps.sh [build] [check] [coverage]
#
# It installs on Debian and its relatives only, and only as root or through sudo. Elsewhere it looks for the programs
# and libraries themselves and names those that are missing.
set -eu

# A package, and what shows that it is there where dpkg is not: cmd:PROGRAM or pc:PKG-CONFIG-MODULE.
build='gcc=cmd:cc libc6-dev=cmd:cc meson=cmd:meson ninja-build=cmd:ninja pkg-config=cmd:pkg-config libzstd-dev=pc:libzstd
	libfyaml-dev=pc:libfyaml libxxhash-dev=pc:libxxhash libtracecmd-dev=pc:libtracecmd libtracefs-dev=pc:libtracefs libtraceevent-dev=pc:libtraceevent
	libhwloc-dev=pc:hwloc libcmocka-dev=pc:cmocka'
check='gcc=cmd:gcc clang=cmd:clang binutils=cmd:nm valgrind=cmd:valgrind protobuf-compiler=cmd:protoc'
coverage='gcovr=cmd:gcovr'

have_dpkg()
{
	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null
}

there() # PACKAGE=EVIDENCE
{
	if have_dpkg && dpkg-query -W -f '${db:Status-Status}\n' "${1%%=*}" 2>/dev/null | grep -qx installed; then
		return 0
	fi
	case $1 in
	*=cmd:*) command -v "${1##*:}" >/dev/null ;;
	*=pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1##*:}" ;;
	esac
}

wanted=
for group in "${@:-build}"; do
	case $group in
	build) wanted="$wanted $build" ;;
	check) wanted="$wanted $check" ;;
	coverage) wanted="$wanted $coverage" ;;
	*)
		echo "install-deps.sh: unknown group '$group'; groups: build check coverage" >&2
		exit 2
		;;
	esac
done

missing=
for entry in $wanted; do
	there "$entry" || missing="$missing ${entry%%=*}"
done
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
if ! have_dpkg || { [ -n "$root" ] && ! command -v sudo >/dev/null; }; then
	echo "Missing, and not installed from here (named as in Debian):$missing" >&2
	exit 1
fi

echo "Installing:$missing"
install()
{
	# shellcheck disable=SC2086
	$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null
}
# The lists of packages may be absent or old: fetch them only if it does not work without.
install >/dev/null 2>&1 || { $root apt-get update -qq && install; }
