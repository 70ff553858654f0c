#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test that this machine can run, and lists those it skips. Two lanes run in
# parallel: tests that boot a systemd, which mostly wait, and all the rest. The output of a
# stage is printed when it is done.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: >"$work/failed"
: >"$work/times"
: >"$work/none.json"
go build -o "$work/tally" ./test/tally
# Booted machines wait more than they compute: one more than there are processors, and
# at most four, since all have the same limits of the kernel.
machines=$(($(nproc) < 4 ? $(nproc) + 1 : 4))
export JUSTNEWS_TEST_MACHINES=${JUSTNEWS_TEST_MACHINES:-$machines}

# stage runs tests. $1: its name; the rest: the command, which prints JSON. tally also fails
# if a test failed, so that neither can hide it.
stage() {
	local name=$1 began=$SECONDS log took
	shift
	log=$(mktemp "$work/XXXXXX.json")
	printf '== %s: started\n' "$name"
	"$@" 2>&1 | "$work/tally" -log "$log" >"$log.text" || printf '%s\n' "$name" >>"$work/failed"
	took=$((SECONDS - began))
	(
		flock 9 # two stages may end at the same time
		printf '\n== %s\n' "$name"
		cat "$log.text"
		if grep -Fxq "$name" "$work/failed"; then printf '== %s FAILED\n' "$name"; fi
		printf '== %s took %d s\n' "$name" "$took"
		printf '%5d s  %s\n' "$took" "$name" >>"$work/times"
	) 9>"$work/turn"
}

booted() {
	trap 'exit 130' INT
	# All three at once, so that none waits for the last test of another; they share
	# the machines.
	stage 'booted systemd, packages' go test -json -count=1 -timeout 85m -p 3 -parallel "$JUSTNEWS_TEST_MACHINES" \
		./test/bed/... ./test/booted/... ./test/packages/...
}

unbooted() {
	trap 'exit 130' INT
	local rest
	stage 'unit tests' go test -json -count=1 -timeout 30m ./cmd/... ./internal/... ./packaging/... ./test/reference/...
	if command -v gcc >/dev/null; then
		# Already vetted with the unit tests.
		stage 'race detector' env CGO_ENABLED=1 go test -json -count=1 -race -short -vet=off -ldflags=-extldflags=-Wl,-z,lazy -timeout 30m ./internal/... ./test/reference/...
	else
		printf '== race detector: skipped, there is no gcc\n'
	fi
	stage 'simulated hosts, a million steps' go test -json -count=1 -timeout 60m ./test/simulate -steps 1000000
	mapfile -t rest < <(go list ./test/... | grep -v -E '/test/(bed|booted|packages|reference|simulate)(/|$)')
	stage 'documents, hostile servers, benchmarks' go test -json -count=1 -timeout 30m -p 1 "${rest[@]}"
	stage 'Kubernetes example' go -C test/kubernetes test -json -count=1 -timeout 30m ./...
}

# interrupt ends both lanes and all that they started; a second signal kills them.
interrupt() {
	trap 'kill -KILL -- "${lanes[@]/#/-}" 2>/dev/null' INT TERM HUP
	kill -INT -- "${lanes[@]/#/-}" 2>/dev/null || true
	wait
	printf 'interrupted\n' >&2
	exit 130
}

lanes=()
set -m # each lane is a process group, which can be interrupted
trap interrupt INT TERM HUP
booted </dev/null &
lanes+=($!)
unbooted </dev/null &
lanes+=($!)
for lane in "${lanes[@]}"; do
	wait "$lane" || printf 'a lane that ended early\n' >>"$work/failed"
done

printf '\n== times\n'
cat "$work/times"
printf '%5d s  in all; one after the other: %d s\n\n' "$SECONDS" "$(awk '{s += $1} END {print s}' "$work/times")"
cat "$work"/*.json >"$work/log"
"$work/tally" -total "$work/log" || printf 'the sum\n' >>"$work/failed"
if [ -s "$work/failed" ]; then
	printf 'FAILED: %s\n' "$(paste -sd, "$work/failed")"
	exit 1
fi
