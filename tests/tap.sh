# Sourced by the shell tests: numbers and prints TAP lines.
# shellcheck shell=sh

number=0

report() # NAME PROBLEM: passed when there is no problem
{
	number=$((number + 1))
	if [ -z "$2" ]; then
		echo "ok $number - $1"
	else
		printf '%s\n' "$2" | sed 's/^/# /'
		echo "not ok $number - $1"
	fi
}
