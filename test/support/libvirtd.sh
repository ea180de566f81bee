#!/bin/sh
# libvirtd.sh FOLDER: a libvirtd of this machine's own, without systemd, dbus or cgroups. Everything it keeps lies in the
# sandbox's memory.
set -eu
for place in /run/libvirt /var/lib/libvirt /var/cache/libvirt /etc/libvirt /var/log/libvirt; do
  mkdir -p "$place" 2>/dev/null || true
  mount -t tmpfs -o mode=755 tmpfs "$place"
done
# libvirt does not even read whom to run QEMU as before it has found the user it was compiled for; the package that makes that
# user (libvirt-daemon-system) starts a service too.
grep -q '^libvirt-qemu:' /etc/passwd || {
  cp /etc/passwd /etc/group /etc/libvirt
  echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >>/etc/libvirt/passwd
  echo 'libvirt-qemu:x:64055:' >>/etc/libvirt/group
  mount --bind /etc/libvirt/passwd /etc/passwd
  mount --bind /etc/libvirt/group /etc/group
}
cat >/etc/libvirt/qemu.conf <<'CONF'
user = "root"
group = "root"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = [ ]
namespaces = [ ]
remember_owner = 0
CONF
cat >/etc/libvirt/libvirtd.conf <<'CONF'
auth_unix_rw = "none"
auth_unix_ro = "none"
unix_sock_dir = "/run/libvirt"
CONF
exec libvirtd -f /etc/libvirt/libvirtd.conf -p "$1/libvirtd.pid"
