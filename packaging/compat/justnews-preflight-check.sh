#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# justnews-preflight-check.sh of JustNews' later unit, which runs it with --gate-only
# as the gate of the MCP bus. justnews-gate does the work; its timeout is
# GATE_TIMEOUT, not the old script's 300 s.
set -eu

# A fixed path: neither PATH nor any variable may choose what opens a gate.
gate=/usr/bin/justnews-gate

case $# in
0) exec "$gate" preflight ;;
1) [ "$1" != --gate-only ] || exec "$gate" --gate-only mcp_bus ;;
2) case $1:$2 in
	--gate-only:-* | --gate-only:) ;;
	--gate-only:*) exec "$gate" --gate-only "$2" ;;
	esac ;;
esac
printf 'justnews-preflight-check.sh: error: unknown arguments: %s\n' "$*" >&2
printf 'usage: justnews-preflight-check.sh [--gate-only [INSTANCE]]\n' >&2
exit 64
