#!/bin/sh
# light-instance.sh ROOT FILES: boots a light instance on ROOT, to which nothing is written, with copies of the files
# below FILES laid over it. Runs in the instance's network namespace and in new mount, UTS, IPC and PID namespaces.
set -eu
cd "$1" # and then `.`: a path in mount options may hold neither colon nor comma
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work /run/root
(cd "$2" && cp -R . /run/upper)
mount -t overlay -o lowerdir=.,upperdir=/run/upper,workdir=/run/work overlay /run/root
exec env -i /usr/sbin/chroot /run/root /light-init
