#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An embedded example: a 17-instance configuration is turned into drop-ins, the
# gate follows a preload and passes, refuses a broken model, and passes again
# once that is fixed. Needs Linux and Go, but no root, systemd or
# GPU. Everything happens in a temporary directory and on free ports of
# 127.0.0.1.
set -euo pipefail
umask 022       # a configuration that others may write is refused
export LC_ALL=C # numbers with a point

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d "${TMPDIR:-/tmp}/justnews-demo.XXXXXX")
servers=()

cleanup() {
	status=$?
	trap - EXIT INT TERM HUP
	if ((${#servers[@]})); then
		kill "${servers[@]}" 2>/dev/null || true
		wait "${servers[@]}" 2>/dev/null || true
	fi
	rm -rf "$work"
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

bold='' dim='' good='' bad='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
	bold=$'\e[1m' dim=$'\e[2m' good=$'\e[32m' bad=$'\e[31m' plain=$'\e[0m'
fi

step=0
say() {
	step=$((step + 1))
	printf '\n%s%d. %s%s\n' "$bold" "$step" "$1" "$plain"
}
note() { printf '%s%s%s\n' "$dim" "$1" "$plain"; }
die() {
	printf 'demo: %s\n' "$1" >&2
	exit 1
}

command -v go >/dev/null || die 'cannot build without Go: see https://go.dev/dl'

# The environment overrides the gate's configuration, so the caller's must not
# reach it.
unset GATE_TIMEOUT REQUIRE_BUS GPU_ORCHESTRATOR_URL MCP_BUS_URL MODEL_STORE_ROOT BASE_MODEL_DIR \
	STRICT_MODEL_STORE NOTIFY_SOCKET CACHE_DIRECTORY INVOCATION_ID
export XDG_CACHE_HOME=$work/cache XDG_RUNTIME_DIR=$work/run
mkdir -m 700 "$XDG_CACHE_HOME" "$XDG_RUNTIME_DIR"

bin=$work/bin models=$work/models root=$work/root
mkdir -p "$bin" "$root/etc/justnews"

say 'Build the two programs, and a reference orchestrator to try them on'
note '   A few minutes if Go has not compiled them before, otherwise seconds.'
CGO_ENABLED=0 GOFLAGS="${GOFLAGS:--buildvcs=false}" go build -trimpath -ldflags '-s -w' -o "$bin/" \
	./cmd/justnews-generator ./cmd/justnews-gate ./test/reference/cmd/justnews-reference
PATH=$bin:$PATH
for program in justnews-generator justnews-gate; do
	awk -v name="$program" -v bytes="$(wc -c <"$bin/$program")" 'BEGIN { printf "   %-19s%5.1f MiB\n", name, bytes / 1048576 }'
done

{ read -r orchestrator_port && read -r bus_port; } < <(justnews-reference ports 2)
justnews-reference store make "$models"

# instances prints the 17 instances. The first two listen on ports that are
# free here.
instances() {
	printf '[instances.gpu_orchestrator]\nport = %d\nrequire_models = false\n\n' "$orchestrator_port"
	printf '[instances.mcp_bus]\nport = %d\n\n' "$bus_port"
	local port=30001 name
	for name in chief_editor scout fact_checker analyst synthesizer critic memory reasoning newsreader \
		balancer analytics archive dashboard crawler crawler_control; do
		printf '[instances.%s]\nport = %d\n' "$name" "$port"
		case $name in
		scout) printf 'after = ["memory"]\ngate = { timeout = "60s" }\nenvironment = { LOG_LEVEL = "INFO" }\n' ;;
		crawler) printf 'after = ["crawler_control"]\n' ;;
		esac
		printf '\n'
		port=$((port + 1))
	done
}

# config prints a configuration. $1: a line for [orchestrator] and [bus], which are
# not units without systemd.
config() {
	printf '[gate]\ntimeout = "30s"\n\n'
	printf '[orchestrator]\nurl = "http://127.0.0.1:%d"\n%s\n\n' "$orchestrator_port" "$1"
	printf '[bus]\nurl = "http://127.0.0.1:%d"\n%s\n\n' "$bus_port" "$1"
	printf '[models]\nroot = "%s"\nmap = "%s/AGENT_MODEL_MAP.json"\n\n' "$models" "$models"
	instances
}

say 'From one configuration of 17 instances to what systemd reads'
config '' >"$root/etc/justnews/justnews.toml"
note '   $ cat /etc/justnews/justnews.toml'
awk '/^\[(gate|instances\.(mcp_bus|scout))\]$/ { show = 1 } show { print $0 == "" ? "" : "   " $0 } /^$/ { show = 0 }' \
	"$root/etc/justnews/justnews.toml"
note '   (and 15 more instances)'
printf '\n'
note '   $ justnews-generator --dry-run'
justnews-generator --root "$root" --dry-run >"$work/rendered"
# count prints how many rendered files have a path that matches $1.
count() { grep -cE "^# /run/systemd/generator/$1" "$work/rendered" || true; }
(($(count 'justnews@[a-z_]+\.service\.d/60-') == 17)) || die 'the generator did not render 17 instances'
printf '   %5d files below /run/systemd/generator, of which\n' "$(count '')"
printf '   %5d shut every instance until its gate has passed\n' "$(count 'justnews@\.service\.d/')"
printf '   %5d set up the 17 instances\n' "$(count 'justnews@[a-z_]+\.service\.d/')"
printf '   %5d set up the preload, MPS and the target\n' "$(count 'justnews(-preload|-mps)?\.(service|target)\.d/')"
printf '   %5d make justnews.target want the instances\n' "$(count 'justnews\.target\.wants/')"
printf '   The first, and the two of scout:\n\n'
awk '/^# \// { show = /justnews@scout\.service\.d|justnews@\.service\.d/ }
	show && !/^# Written by/ { print $0 == "" ? "" : "   " $0 }' "$work/rendered"

# From here on: the same configuration on a host without units.
config 'instance = ""' >"$work/justnews.toml"

orchestrator=
start_orchestrator() {
	justnews-reference orchestrator -address "127.0.0.1:$orchestrator_port" -root "$models" -strict \
		-bus-url '' -load-delay "$1" -control "$work/control" 2>>"$work/orchestrator.log" &
	orchestrator=$!
	servers+=("$orchestrator")
}

# jobs_started prints how many preloads the orchestrator has started so far.
jobs_started() { justnews-reference control "$work/control" GET /counters | sed 's/.*"jobs":\([0-9]*\).*/\1/'; }

# gate runs justnews-gate. $1: the expected exit status; the rest: its command. It
# runs in the background, so that a signal ends both.
gate() {
	local want=$1 status=0 begun=$EPOCHREALTIME colour=$good
	shift
	note "   \$ justnews-gate --config justnews.toml $*"
	justnews-gate --config "$work/justnews.toml" "$@" &
	servers+=("$!")
	wait "$!" || status=$?
	((status == 0)) || colour=$bad
	printf '   %sexit status %d after %s s%s\n' "$colour" "$status" \
		"$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')" "$plain"
	((status == want)) || die "expected exit status $want; the orchestrator said: $(tail -n 5 "$work/orchestrator.log")"
}

say 'The gate of scout: it triggers the preload and waits for all 16 models'
note '   The orchestrator has just started. It reports all_ready:true over zero models,'
note '   which the gate does not accept. NO-LOCK: no services share this demonstration.'
justnews-reference bus -address "127.0.0.1:$bus_port" 2>>"$work/bus.log" &
servers+=("$!")
start_orchestrator 300ms
gate 0 gate scout

say 'The same again: nothing is loaded twice'
gate 0 gate scout
(($(jobs_started) == 1)) || die 'the models were loaded more than once'

say 'A model is damaged, and the orchestrator restarts'
justnews-reference store break "$models" missing-snapshot chief_editor distilbert-base-uncased
kill "$orchestrator"
wait "$orchestrator" 2>/dev/null || true
start_orchestrator 30ms
note '   chief_editor has lost its snapshot of distilbert-base-uncased. The gate finds'
note '   that in the Model Store before anything is loaded, refuses, and says why and'
note '   what fixes it:'
gate 66 gate scout
(($(jobs_started) == 0)) || die 'something was loaded from a store that is not whole'

say 'Fixed as the gate says: the snapshot is copied back, every byte verified'
justnews-reference store repair "$models" chief_editor distilbert-base-uncased
gate 0 models verify
gate 0 preload --refresh --wait
gate 0 gate scout

printf '\n%sDone; nothing is left behind.%s For a real host: README.md, Install.\n' "$bold" "$plain"
