#!/bin/sh
# Boots systemd as process 1 of a container: boot-systemd.sh ROOT, in a mount namespace that goes with its caller, with /run, /tmp
# and /dev in ROOT mounted. It runs twice: before the container's namespaces are made, and as process 1 in them.

set -eu
ROOT=$1

if [ $$ != 1 ]; then
  # A control group, whatever hierarchies this machine's own programs are in. Groups of earlier ones that were killed go too.
  groups=$(dirname "$ROOT")/groups
  mkdir "$groups"
  mount -t cgroup2 cgroup2 "$groups"
  find "$groups" -depth -path "$groups/firstboot-systemd-*" -type d -mmin +10 -exec rmdir {} \; 2>/dev/null || :
  group=$(mktemp -d "$groups/firstboot-systemd-XXXXXXXX")
  echo $$ >"$group/cgroup.procs"
  unshare --cgroup --mount --propagation slave --pid --ipc --fork --kill-child -- "$0" "$ROOT" &
  wait $! || :
  echo $$ >"$groups/cgroup.procs"
  find "$group" -depth -type d -exec rmdir {} \;
  exit
fi

mount -t proc proc "$ROOT/proc"
mount -t sysfs sysfs "$ROOT/sys"
mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
# What it sets there would be the machine's, but for the network's.
mount --bind "$ROOT/proc/sys" "$ROOT/proc/sys"
mount -o remount,bind,ro "$ROOT/proc/sys"
mount --bind "$ROOT/proc/sys/net" "$ROOT/proc/sys/net"
mount -o remount,bind,rw "$ROOT/proc/sys/net"

cd "$ROOT"
pivot_root . mnt
umount --lazy /mnt
mount --make-rshared / # as on a machine: what a unit mounts is everybody's
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=firstboot /lib/systemd/systemd
