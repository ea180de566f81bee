#!/bin/sh
# Process 1 of a sandbox: sandbox-init.sh COMMAND [ARGUMENT...]
#
# Lays out the new namespaces, says "ready" on descriptor 3, runs the command and ends with its exit code; the kernel
# then kills whatever is left of the PID namespace. A shell, because it reaps orphans while it waits, and the command
# in its foreground, because background commands of a shell ignore Ctrl-C.
#
# Descriptor 3 is the lifeline: the outer process holds its other end and never writes. Its end of file means that the
# outer process is gone or wants the sandbox gone, however that came about.

set -eu
GRACE_SECONDS=10 # for the command to end by itself after SIGTERM

PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin # plain users of Debian lack the last two
FIRSTBOOT_SANDBOX=1
export PATH FIRSTBOOT_SANDBOX

mount -t tmpfs -o mode=755 tmpfs /run # `ip netns` keeps its names there, every program its sockets and pid files
mkdir /run/netns /run/lock
ip link set lo up

(
  read -r _ <&3 || :
  kill -TERM "$(cat /run/sandbox-command.pid)" || :
  sleep "$GRACE_SECONDS"
  kill -KILL -1
) 2>/dev/null &

trap : INT TERM HUP # for the command to answer; this shell only waits
set +e
exec 4>&2 2>/dev/null # so that this shell does not remark "Terminated" on the command's end
# The inner shell becomes the command, so its pid is the command's.
/bin/sh -c 'echo $$ >/run/sandbox-command.pid; echo ready >&3; exec "$@" 2>&4 3>&- 4>&-' sandbox-command "$@"
