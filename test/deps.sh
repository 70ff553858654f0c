#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the tests use and this machine lacks. Packages that
# cannot be installed (no root, no apt) are listed; the tests that need them are then
# skipped.
set -euo pipefail

missing=()
for package in "$@"; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
	printf 'not installed, and only root on Debian can: %s\n' "${missing[*]}" >&2
	exit 0
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	printf 'could not install: %s\n' "${missing[*]}" >&2
	tail -n 5 "$log" >&2
fi
