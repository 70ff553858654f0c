#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes every target for the given time each (default 20s), then compares random
# environment files with what booted systemds read of them.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-20s}
grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u | while read -r dir; do
	grep -ho '^func Fuzz[A-Za-z0-9_]*' "$dir"/*_test.go | sed 's/^func //' | while read -r target; do
		printf '== %s %s\n' "$dir" "$target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$dir"
	done
done

seed=$RANDOM
printf '== environment files, seed %d\n' "$seed"
go test -count=1 -timeout 0 -v ./test/booted -run EnvFile_PID1 -envfiles 2000 -envseed "$seed"
