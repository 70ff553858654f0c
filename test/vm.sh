#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test/vm.sh [arguments of go test]: runs tests of test/booted in a virtual machine, where
# they may set the clock. Without arguments: the tests that need to. With -run 'TestChaos$'
# the faults include steps of the clock.
#
# The machine is Debian's kernel on this host's files: read-only, with changes kept
# in memory and lost at the end. Without KVM (JUSTNEWS_TEST_ACCEL=kvm where there is) a
# test takes at least ten times as long, and its time limits grow accordingly.
# Needs root, and qemu-system-x86, busybox-static, kmod and cpio.
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=("$@")
[[ $# -gt 0 ]] || arguments=(-run TestClock)
cache=${JUSTNEWS_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/justnews-test}
work=$cache/vm
mkdir -p "$work"

# The modules that the kernel needs to find this host's files, and for bed and product.
modules="virtio_pci 9pnet_virtio 9p overlay autofs4 inet_diag tcp_diag unix_diag af_packet"

# kernel unpacks the newest one from apt, and prints its directory.
kernel() {
	local name
	name=$(apt-cache depends linux-image-amd64 | awk '/Depends:/ { print $2 }')
	if [[ ! -e $work/$name ]]; then
		rm -rf "$work/half"
		mkdir "$work/half"
		(cd "$work/half" && apt-get -qq -o APT::Sandbox::User=root download "$name" && dpkg-deb -x ./*.deb . && rm ./*.deb)
		depmod -b "$work/half" "$(ls "$work/half/lib/modules")"
		mv "$work/half" "$work/$name"
	fi
	echo "$work/$name"
}

# initramfs KERNEL builds the initramfs that mounts this host's files and starts the tests.
initramfs() {
	local root=$work/initramfs version
	version=$(ls "$1/lib/modules")
	rm -rf "$root"
	mkdir -p "$root"/{bin,dev,proc,host,memory,root,lib/modules}
	cp "$(command -v busybox)" "$root/bin/"
	for module in $modules; do
		modprobe -d "$1" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$root/modules"
	while read -r file; do
		cp "$file" "$root/lib/modules/"
	done <"$root/modules"
	sed -i 's,.*/,/lib/modules/,' "$root/modules"
	cp test/vm-init.sh "$root/init"
	printf 'PATH=%q exec %q' "$PATH" "$PWD/test/vm-run.sh" >"$root/command"
	printf ' %q' "$cache" "$work/booted.test" "${arguments[@]}" >>"$root/command"
	(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initramfs.gz"
}

# The files that a machine needs, built on the host: the programs and Debian's files.
JUSTNEWS_REQUIRE_BED=1 go test -count=1 ./test/booted -run 'TestChaos$' -cells 1
CGO_ENABLED=0 go test -c -o "$work/booted.test" ./test/booted
kernel=$(kernel)
initramfs "$kernel"
rm -f "$work/status"
qemu-system-x86_64 -accel "${JUSTNEWS_TEST_ACCEL:-tcg,thread=multi}" -cpu max -smp 2 -m 6G -nographic -no-reboot -nic none \
	-kernel "$kernel"/boot/vmlinuz-* -initrd "$work/initramfs.gz" -append 'console=ttyS0 quiet panic=-1' \
	-virtfs local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap \
	-monitor none -serial stdio -serial "file:$work/status" </dev/null
[[ $(tr -d '\r\n' <"$work/status") == 0 ]]
