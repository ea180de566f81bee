#!/bin/sh
# Called by udhcpc with what it learned in the environment. Writes it to $LEASE_FILE; changes this namespace only.
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
set -- $staticroutes
while [ $# -ge 2 ]; do
    ip route replace "$1" via "$2" dev "$interface"
    shift 2
done
{
    printf 'ip=%s\nmask=%s\n' "$ip" "$mask"
    [ -z "$router" ] || printf 'router=%s\n' "$router"
    [ -z "$staticroutes" ] || printf 'staticroutes=%s\n' "$staticroutes"
    [ -z "$mtu" ] || printf 'mtu=%s\n' "$mtu"
} > "$LEASE_FILE"
