#!/bin/sh
# dhcp-client.sh FILES COMMAND [ARGUMENT...]: runs a DHCP client as a guest's only program. Runs in the guest's network
# namespace and in new mount, UTS and PID namespaces; FILES are laid over the machine's /etc. What clients and their
# scripts write goes with it: they would write the machine's /etc/resolv.conf.
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work
cp -R "$1/." /run/upper
mount -t overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work overlay /etc
mount -t tmpfs -o mode=755 tmpfs /var/lib
mkdir /var/lib/dhcp /var/lib/dhcpcd
mount -o remount,bind,ro /sys # where it may be written systemd waits for udev
shift
exec "$@"
