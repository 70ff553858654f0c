#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target for the given time each (default 20s), then compares us with
# booted systemds on random environment files, sandboxes, unit files, configurations and
# imported hosts. It continues after a finding, and fails at the end.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
findings=0

# fuzz runs one target. Before Go 1.27 the end of -fuzztime itself may be reported as a
# failure, without an input (golang/go#75804): then what was found so far is run again.
fuzz() {
	printf '== %s %s\n' "$1" "$2"
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" "./$1" 2>&1 | tee "$log" && return
	grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log" && go test -run "^$2\$" "./$1"
}

while read -r dir; do
	while read -r target; do
		fuzz "$dir" "$target" || findings=1
	done < <(grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //')
done < <(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u)

seed=$RANDOM
printf '== environment files, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run EnvFile_PID1 -envfiles 2000 -envseed "$seed" || findings=1
printf '== sandboxes, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run Sandbox_Hides -sandboxes 1000 -sandbox-seed "$seed" || findings=1
printf '== unit files with errors, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run UnitFile_IsRead -broken-units 2000 -broken-seed "$seed" || findings=1
printf '== generated units, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run AgentsGetWhatItSays -services 200 -services-seed "$seed" || findings=1
printf '== imported hosts, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run AgentsKeepTheirEnvironment -hand-made 200 -hand-made-seed "$seed" || findings=1
exit "$findings"
