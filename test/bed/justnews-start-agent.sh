#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Stands in for an agent on the test bed: writes down when it started (seconds
# since boot), then stays. The orchestrator and the bus are the reference server.
#
# Every start adds a line, so a test sees a start that it did not want even if
# the agent is gone again.
read -r uptime _ </proc/uptime
echo "$uptime" >>"/run/justnews-test/started-$1"
case $1 in
gpu_orchestrator)
	# Without a bus to register at, its port opens at once.
	exec /usr/local/bin/justnews-reference orchestrator \
		--bus-url "$REFERENCE_BUS_URL" --control /run/justnews-test/control
	;;
mcp_bus) exec /usr/local/bin/justnews-reference bus ;;
esac
exec sleep infinity
