#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test that this machine can run, and names what it skips.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0

stage() {
	local name=$1
	shift
	printf '== %s\n' "$name"
	"$@" 2>&1 | tee -a "$log" | grep -v -e '^=== ' -e '^ *--- PASS' -e '^PASS$' -e '\[no test files\]' || true
	[ "${PIPESTATUS[0]}" -eq 0 ] || { status=1; printf '== %s FAILED\n' "$name"; }
}

stage 'unit tests' go test -v -timeout 10m ./cmd/... ./internal/...
if command -v gcc >/dev/null; then
	stage 'race detector' env CGO_ENABLED=1 go test -race -short -timeout 10m ./internal/...
else
	printf '== race detector: skipped, there is no gcc\n'
fi
stage 'booted systemd' go test -v -count=1 -timeout 30m -p 1 ./test/...

printf '\n== skipped\n'
grep -A1 -E '^ *--- SKIP' "$log" | grep -v '^--$' || printf 'nothing\n'
passed=$(grep -c -E '^ *--- PASS' "$log" || true)
failed=$(grep -c -E '^ *--- FAIL' "$log" || true)
skipped=$(grep -c -E '^ *--- SKIP' "$log" || true)
if [ "$status" -ne 0 ]; then
	printf '\n== failed\n'
	grep -E '^ *--- FAIL|^FAIL|panic:' "$log" || true
fi
printf '\n%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
exit "$status"
