#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test/vm-run.sh CACHE TEST ARGUMENTS: PID 1 of the virtual machine of test/vm.sh, once it has
# the host's files. It runs the test program with the roots that the host has made.
set -euo pipefail

finish() {
	echo "$?" >/dev/ttyS1
	sync
	echo o >/proc/sysrq-trigger
	sleep infinity
}
trap finish EXIT

export HOME=/root
export JUSTNEWS_TEST_CACHE=/tmp/cache JUSTNEWS_TEST_CLOCK=1 JUSTNEWS_TEST_MACHINES=1 JUSTNEWS_TEST_SLOWNESS=8
export JUSTNEWS_REQUIRE_BED=1
mkdir "$JUSTNEWS_TEST_CACHE"
cp -a "$1"/root-*.tar.zst "$1"/bin-* "$JUSTNEWS_TEST_CACHE/"
test=$2
shift 2
cd "$(dirname "$0")/booted"
arguments=()
for a in "$@"; do # as go test has them
	case $a in
	-run | -v | -count | -timeout | -short) a=-test.${a#-} ;;
	esac
	arguments+=("$a")
done
"$test" -test.v -test.timeout 3h "${arguments[@]}"
