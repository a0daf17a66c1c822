#!/bin/sh
# pageyard machine import: topologies as hwloc has them become machine files that can be run; and what is said about files
# that are none. A build without hwloc says so.
# Usage: machine_test.sh PAGEYARD. Prints TAP.
set -u

case $1 in
/*) pageyard=$1 ;;
*) pageyard=$PWD/$1 ;;
esac
cd "$(dirname "$0")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. tests/tap.sh

topologies=tests/data/topology

run() # ARGUMENT...: fills $code, $work/out, $work/err
{
	code=0
	timeout 60 "$pageyard" "$@" >"$work/out" 2>"$work/err" || code=$?
	problem=
}

refuses() # CODE TEXT ARGUMENT...
{
	want=$1 text=$2
	shift 2
	run "$@"
	[ "$code" = "$want" ] || problem="exit code $code, not $want;"
	[ ! -s "$work/out" ] || problem="$problem wrote to standard output;"
	grep -qF -e "$text" "$work/err" || problem="$problem said: $(cat "$work/err")"
	report "refused: $(echo "$*" | sed "s|$work|DIR|")" "$problem"
}

run machine import $topologies/two-nodes.xml
if grep -q 'reads no topologies' "$work/err"; then
	[ "$code" = 1 ] || problem="exit code $code, not 1"
	grep -q 'libhwloc-dev' "$work/err" || problem="$problem no way out: $(cat "$work/err")"
	report 'a build without hwloc says so' "$problem"
	echo "1..$number"
	exit 0
fi

cp "$work/out" "$work/two-nodes.yaml"
cat >"$work/expected" <<'END'
name: two-nodes
text: 2 nodes, 8 CPUs
memory: 8GiB
cpus: 4
nodes:
  - {memory: 8GiB, cpus: 4}
  - {memory: 8GiB, cpus: 4}
distance:
  - [10, 21]
  - [21, 10]
END
[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
grep -v '^#' "$work/out" | cmp - "$work/expected" >"$work/differ" 2>&1 || problem="$problem $(cat "$work/differ" "$work/out")"
report 'two nodes: memory, CPUs, distances' "$problem"

run show mixed --set machine="$work/two-nodes.yaml"
[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
grep -q 'node 1 *8 GiB, 4 CPUs; distances 21 10' "$work/out" || problem="$problem $(cat "$work/out")"
report '... which is a machine' "$problem"

run machine import $topologies/cxl.xml --name laptop
cp "$work/out" "$work/cxl.yaml"
cat >"$work/expected" <<'END'
name: laptop
text: 2 nodes, 4 CPUs
memory: 8GiB
cpus: 4
nodes:
  - {memory: 8GiB, cpus: 4}
  - {memory: 16GiB, cpus: 0, kind: cxl}
latency:
  - [90ns, 250ns]
  - [90ns, 250ns]
bandwidth:
  - [250000MiB/s, 24000MiB/s]
  - [250000MiB/s, 24000MiB/s]
END
[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
grep -v '^#' "$work/out" | cmp - "$work/expected" >"$work/differ" 2>&1 || problem="$problem $(cat "$work/differ" "$work/out")"
report 'CXL: no CPUs of its own, latency and bandwidth' "$problem"
run run tests/data/scenarios/variants.yaml --variant mode-0 --set machine="$work/cxl.yaml" --duration 10ms --json
[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
grep -q '"nodes":\[{"free_pages":[1-9]' "$work/out" || problem="$problem $(head -c 300 "$work/out")"
report '... on which a scenario runs' "$problem"
run show mixed --set machine="$work/cxl.yaml"
grep -q 'node 1 *16 GiB, 0 CPUs, tier 1, CXL' "$work/out" || problem="$(cat "$work/out" "$work/err")"
report '... whose slow node is one tier below' "$problem"

# Firmware that tells of its local memory only.
grep -v 'value="250"' $topologies/cxl.xml >"$work/half.xml"
run machine import "$work/half.xml"
cp "$work/out" "$work/half.yaml"
[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
grep -q '^# The host tells 1 of 2 values' "$work/out" || problem="$problem $(cat "$work/out")"
grep -q '^latency' "$work/out" && problem="$problem latencies were made up: $(cat "$work/out")"
run show mixed --set machine="$work/half.yaml"
[ "$code" = 0 ] || problem="$problem not a machine: $(cat "$work/err")"
report 'half of the latencies: nothing is made up' "$problem"

run machine import
if [ "$code" = 0 ]; then
	cp "$work/out" "$work/host.yaml"
	run show mixed --set machine="$work/host.yaml"
	[ "$code" = 0 ] || problem="exit code $code: $(cat "$work/err")"
	report 'this host is a machine' "$problem"
fi

head -c 2000 $topologies/two-nodes.xml >"$work/cut.xml"
sed 's/local_memory="8589934592"/local_memory="0"/' $topologies/two-nodes.xml >"$work/empty.xml"
refuses 1 'not a topology; expected what `lstopo --of xml` writes' machine import meson.build
refuses 1 'not a topology' machine import "$work/cut.xml"
refuses 1 'it tells of no memory' machine import "$work/empty.xml"
refuses 1 'No such file' machine import "$work/none.xml"
refuses 2 "unknown action 'exprot'" machine exprot
refuses 2 'too few arguments' machine
refuses 2 'is not a name' machine import $topologies/cxl.xml --name 'a b'

echo "1..$number"
