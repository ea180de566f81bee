#!/bin/sh
# What udhcpc runs at each turn of the lease. It installs the address, the MTU and the classless static routes
# (option 121, which takes the place of the router option), all inside the guest's own namespaces.
set -eu
event=$1
# shellcheck disable=SC2154 # udhcpc hands over its findings as variables
case $event in
  deconfig)
    ip link set "$interface" up
    ip -4 address flush dev "$interface"
    ;;
  bound | renew)
    [ -z "${mtu-}" ] || ip link set "$interface" mtu "$mtu"
    ip address replace "$ip/$mask" dev "$interface"
    if [ -n "${staticroutes-}" ]; then
      # shellcheck disable=SC2086 # destination and gateway alternate
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        ip route replace "$1" via "$2" dev "$interface" 2>/dev/null || ip route replace "$1" dev "$interface"
        shift 2
      done
    elif [ -n "${router-}" ]; then
      ip route replace default via "${router%% *}" dev "$interface"
    fi
    for server in ${dns-}; do echo "nameserver $server"; done >/etc/resolv.conf
    if [ "$event" = bound ]; then
      echo "lease $ip/$mask from $serverid for ${lease}s"
      ip route show | grep -e 169.254.169.254 -e default | while read -r route; do echo "route $route"; done
      echo "$ip" >/run/firstboot/lease
    fi
    ;;
esac
