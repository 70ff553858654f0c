#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# setup_preflight_nopasswd.sh of the runbook. Every flag is translated to one of
# justnews-gate nopasswd. It does not install the old rule, which made everyone root
# who could write to preflight.sh: see OPERATORS in justnews-gate(8).
set -eu

# A fixed path: neither PATH nor any variable may choose what opens a gate.
gate=/usr/bin/justnews-gate

usage() {
	cat <<'END'
usage: setup_preflight_nopasswd.sh [--install | --install-only] [--user USER]
           [--run-gate-only [INSTANCE] | --run-full] [--timeout SECONDS]
           [--uninstall] [--dry-run]

  --install, --install-only   justnews-gate nopasswd install --sudoers (default)
  --run-gate-only [INSTANCE]  justnews-gate nopasswd run [INSTANCE]
  --run-full                  justnews-gate nopasswd run
  --timeout SECONDS           timeout of that run; also GATE_TIMEOUT
  --uninstall                 justnews-gate nopasswd uninstall
  --user USER                 the user; default: TARGET_USER, or the caller of sudo
  --dry-run                   print what would be done without doing it
  -h, --help                  this text

With --install and a --run together, both are done, in this order.
END
}

# refuse ends a run with an unknown command line. $1: the reason.
refuse() {
	printf 'setup_preflight_nopasswd.sh: error: %s\n' "$1" >&2
	printf '  fix: run\n    %s --help\n' "$0" >&2
	exit 64
}

user=${TARGET_USER-}
install=no
uninstall=no
run=no
instance=
timeout=
dry_run=no
while [ $# -gt 0 ]; do
	case $1 in
	--install | --install-only) install=yes ;;
	--uninstall) uninstall=yes ;;
	--run-full) run=full ;;
	--run-gate-only)
		run=gate
		case ${2-} in
		'' | -*) ;;
		*)
			instance=$2
			shift
			;;
		esac
		;;
	--user | --timeout | --preflight)
		[ $# -gt 1 ] || refuse "$1 needs a value"
		case $1 in
		--user) user=$2 ;;
		--timeout) timeout=$2 ;;
		--preflight) refuse '--preflight: the program is always justnews-gate' ;;
		esac
		shift
		;;
	--dry-run) dry_run=yes ;;
	-h | --help)
		usage
		exit 0
		;;
	*) refuse "unknown option: $1" ;;
	esac
	shift
done

# nopasswd runs one command of the gate for the user. $@: the command.
nopasswd() {
	[ -z "$user" ] || set -- "$@" --user "$user"
	[ "$dry_run" = no ] || set -- "$@" --dry-run
	"$gate" nopasswd "$@"
}

if [ "$uninstall" = yes ]; then
	[ "$install" != yes ] || refuse '--uninstall does not go with --install'
	[ "$run" = no ] || refuse '--uninstall goes with no --run'
	nopasswd uninstall
	exit
fi
[ -z "$timeout" ] || [ "$run" != no ] || refuse '--timeout goes with a --run'
if [ "$install" = yes ] || [ "$run" = no ]; then
	nopasswd install --sudoers
fi
[ "$run" != no ] || exit 0
set -- run
[ -z "$instance" ] || set -- "$@" "$instance"
[ -z "$timeout" ] || set -- "$@" --timeout "$timeout"
if [ "$dry_run" = yes ]; then
	printf 'planned: %s nopasswd %s\n' "$gate" "$*"
	exit 0
fi
exec "$gate" nopasswd "$@"
