#!/bin/sh
# PID 1 of a namespace guest, in mount and PID namespaces of its own, still with the rights of the host's firstboot.
# It builds a root file system that shows the host's programs read-only and nothing else of the host, then lets the guest
# boot in there as root of a user namespace: nobody on the host. The mounts belong to the host's user namespace, so the
# guest cannot change them.
#
#   guest-init.sh STATE_DIRECTORY UID GID 3<USER_NAMESPACE 4<NETWORK_NAMESPACE
#
# STATE_DIRECTORY/guest is what the guest sees as /run/firstboot and leaves its findings in. UID and GID own what is the
# guest's.
set -eu
state=$1
uid=$2
gid=$3
root=$state/root

# What nobody has on record, nobody would end.
patience=100
until [ -e "$state/guest.json" ]; do
  [ $((patience -= 1)) -gt 0 ] || exit 1
  sleep 0.05
done

# Binds what the host has, so that nobody can write to it.
show() {
  mount --bind "/$1" "$1"
  # An unprivileged user may not change the flags its mounts inherited, but cannot write there anyway.
  mount -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null || mount -o remount,bind,ro "$1" 2>/dev/null || [ ! -w "$1" ]
}

mount --make-rprivate /
mkdir -p "$root"
mount -t tmpfs -o mode=755,size=256m,nr_inodes=64k,nosuid,nodev tmpfs "$root"
cd "$root"
mkdir boot dev etc proc root run run/firstboot tmp var old
chmod 1777 tmp
cp "$state/guest-boot.sh" "$state/guest-dhcp.sh" boot
chmod 755 boot/guest-dhcp.sh # DHCP clients run it by its name
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >etc/passwd
printf 'root:x:0:\nnogroup:x:65534:\n' >etc/group
printf '127.0.0.1 localhost\n::1 localhost\n' >etc/hosts
echo localhost >etc/hostname
: >etc/resolv.conf
ln -s ../proc/self/mounts etc/mtab
for file in ld.so.cache ld.so.conf nsswitch.conf protocols services ca-certificates.conf; do
  [ ! -f "/etc/$file" ] || cp "/etc/$file" etc
done
shown='alternatives ld.so.conf.d ca-certificates ssl/certs pki/ca-trust pki/tls/certs'
for folder in $shown; do
  [ ! -d "/etc/$folder" ] || mkdir -p "etc/$folder"
done
[ ! -f /etc/ssl/openssl.cnf ] || cp /etc/ssl/openssl.cnf etc/ssl
chown -Rh "$uid:$gid" .
for folder in $shown; do
  [ ! -d "/etc/$folder" ] || show "etc/$folder"
done
for folder in bin sbin lib lib32 lib64 libx32 usr; do
  if [ -L "/$folder" ]; then
    cp -P "/$folder" "$folder"
  elif [ -d "/$folder" ]; then
    mkdir "$folder"
    show "$folder"
  fi
done
for node in null zero full random urandom tty; do
  : >"dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mount -t proc -o nosuid,nodev,noexec proc proc
mount --bind "$state/guest" run/firstboot
pivot_root . old
umount -l /old
rmdir /old

# In blocks of 512 bytes: 32 MiB a file, the console on the host's disk included.
ulimit -f 65536
# Where there is only one user, nobody can become another.
credentials=
[ "$uid" != 0 ] || credentials=--preserve-credentials
# A child, since a change of rights would take back that this process dies with the host's: it waits, reaps, and with it
# the guest ends.
# shellcheck disable=SC2086 # an option or none
env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
  nsenter --user=/proc/self/fd/3 --net=/proc/self/fd/4 $credentials -- \
  unshare --uts --ipc -- /bin/sh /boot/guest-boot.sh &
exec 3<&- 4<&-
wait
