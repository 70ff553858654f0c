#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# preflight.sh of the runbook, for operators and units that still call it. Every
# flag is translated to one of justnews-gate, which does the work. GATE_TIMEOUT,
# REQUIRE_BUS and the rest of the environment are used by the gate itself.
set -eu

# A fixed path: neither PATH nor any variable may choose what opens a gate.
gate=/usr/bin/justnews-gate

usage() {
	cat <<'END'
usage: preflight.sh [--gate-only INSTANCE] [-s|--stop] [--no-color]

  (without a command)    justnews-gate preflight: all checks, all findings
  --gate-only INSTANCE   justnews-gate --gate-only INSTANCE: the gate of a unit
  -s, --stop             justnews-gate preflight --stop
  --no-color             no colours
  -h, --help             this text

Environment: GATE_TIMEOUT, REQUIRE_BUS, MODEL_STORE_ROOT, BASE_MODEL_DIR,
STRICT_MODEL_STORE. Exit status: see justnews-gate(8).
END
}

# refuse ends a run without a verdict and never opens a gate. $1: the reason.
refuse() {
	printf 'preflight.sh: error: %s\n  fix: run\n    %s --help\n' "$1" "$0" >&2
	exit 64
}

gate_only=no
instance=
stop=no
color=yes
help=no
while [ $# -gt 0 ]; do
	case $1 in
	--gate-only)
		gate_only=yes
		case ${2-} in
		'' | -*) ;;
		*)
			instance=$2
			shift
			;;
		esac
		;;
	--gate-only=*)
		gate_only=yes
		instance=${1#*=}
		;;
	-s | --stop) stop=yes ;;
	--no-color) color=no ;;
	-h | --help) help=yes ;;
	*) refuse "unknown option: $1" ;;
	esac
	shift
done

if [ "$help" = yes ]; then
	# In a unit's ExecStartPre= an exit status of 0 would open the gate.
	[ "$gate_only" = no ] || refuse '--gate-only does not go with --help'
	usage
	exit 0
fi
if [ "$gate_only" = yes ]; then
	# The old script guessed; a gate needs a name.
	[ -n "$instance" ] || refuse '--gate-only needs the name of an instance, such as mcp_bus'
	[ "$stop" = no ] || refuse '--gate-only does not go with --stop'
	set -- --gate-only "$instance"
else
	set -- preflight
	[ "$stop" = no ] || set -- "$@" --stop
fi
[ "$color" = yes ] || set -- "$@" --no-color
exec "$gate" "$@"
