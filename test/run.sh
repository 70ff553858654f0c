#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test that this machine can run, and names what it skips.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go build -o "$work/tally" ./test/tally
: >"$work/log"
failed=()

# stage runs tests. $1: what they are; the rest: the command, which prints JSON.
# tally fails too where a test failed, so that neither can hide it.
stage() {
	local name=$1 began=$SECONDS
	shift
	printf '== %s\n' "$name"
	if ! "$@" 2>&1 | "$work/tally" -log "$work/log"; then
		failed+=("$name")
		printf '== %s FAILED\n' "$name"
	fi
	printf '== %s took %d s\n' "$name" $((SECONDS - began))
}

stage 'unit tests' go test -json -timeout 10m ./cmd/... ./internal/... ./packaging/... ./test/reference/...
if command -v gcc >/dev/null; then
	stage 'race detector' env CGO_ENABLED=1 go test -json -race -short -ldflags=-extldflags=-Wl,-z,lazy -timeout 10m ./internal/... ./test/reference/...
else
	printf '== race detector: skipped, there is no gcc\n'
fi
mapfile -t rest < <(go list ./test/... | grep -v -e /test/reference -e /test/simulate)
stage 'simulated hosts, a million steps' go test -json -count=1 -timeout 60m ./test/simulate -steps 1000000
stage 'documents, packages, booted systemd' go test -json -count=1 -timeout 60m -p 1 "${rest[@]}"
stage 'Kubernetes example' go -C test/kubernetes test -json -count=1 -timeout 10m ./...

printf '\n'
"$work/tally" -total "$work/log" || failed+=('the sum')
if ((${#failed[@]})); then
	printf 'FAILED: %s\n' "$(IFS=,; printf '%s' "${failed[*]}")"
	exit 1
fi
