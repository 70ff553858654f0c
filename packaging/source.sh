#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the source archives for distributions: justnews-VERSION.tar.gz, with the committed
# tree, and justnews-VERSION-vendor.tar.gz, with the modules that it needs, under these
# names and under Debian's. The same commit yields the same bytes. The version is that of
# debian/changelog.
#
# packaging/source.sh DIRECTORY [COMMIT]
set -euo pipefail
out=$(realpath "$1")
commit=${2:-HEAD}
cd "$(dirname "$0")/.."

version=$(sed -n '1s/.*(\(.*\)-[^-]*).*/\1/p' debian/changelog)
name=$out/justnews-$version
when=${SOURCE_DATE_EPOCH:-$(git log -1 --no-show-signature --format=%ct "$commit")}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Not as the user's git would convert lines or set modes.
git -c core.autocrlf=false -c core.eol=lf -c tar.umask=0002 archive --prefix="justnews-$version/" "$commit" -- . ':!debian' | gzip -9n >"$name.tar.gz"
tar -xzf "$name.tar.gz" -C "$scratch"
go -C "$scratch/justnews-$version" mod vendor
tar -C "$scratch/justnews-$version" --sort=name --mtime="@$when" --owner=0 --group=0 --numeric-owner \
	--mode=u=rwX,go=rX -c vendor | gzip -9n >"$name-vendor.tar.gz"
ln -f "$name.tar.gz" "$out/justnews_$version.orig.tar.gz"
ln -f "$name-vendor.tar.gz" "$out/justnews_$version.orig-vendor.tar.gz"
printf '%s\n' "$name.tar.gz" "$name-vendor.tar.gz"
