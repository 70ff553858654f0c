#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=dash
# PID 1 of the virtual machine of test/vm.sh, in its initramfs.

/bin/busybox --install -s /bin
mount -t devtmpfs none /dev
mount -t proc none /proc
while read -r module; do insmod "$module"; done </modules
mount -t tmpfs -o size=80% none /memory
mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=1048576 host /host
mkdir /memory/upper /memory/work
mount -t overlay -o lowerdir=/host,upperdir=/memory/upper,workdir=/memory/work none /root
mount -t proc none /root/proc
mount -t sysfs none /root/sys
mount -t devtmpfs none /root/dev
mkdir -p /root/dev/pts /root/dev/shm
mount -t devpts none /root/dev/pts
mount -t tmpfs none /root/dev/shm
mount -t tmpfs none /root/run
mount -t tmpfs none /root/tmp
mount -t cgroup2 none /root/sys/fs/cgroup
ip link set lo up
exec switch_root /root /bin/bash -c "$(cat /command)" # nspawn cannot leave an initramfs as root
