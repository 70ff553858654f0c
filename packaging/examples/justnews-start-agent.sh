#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The default of service.exec, called as
# /usr/local/bin/justnews-start-agent.sh INSTANCE: an example to adapt. It runs
# as the instance's user, after its gate has passed, with the variables of
# justnews.toml(5) and of /etc/justnews/*.env in its environment.
set -eu

instance=$1
root=${JUSTNEWS_ROOT:-/opt/justnews/app}
python=${JUSTNEWS_PYTHON:-$root/venv/bin/python}

cd "$root"
# exec makes systemd supervise the agent itself, not this shell.
exec "$python" -m "agents.$instance.main"
