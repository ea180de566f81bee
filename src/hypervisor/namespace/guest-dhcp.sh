#!/bin/sh
# What udhcpc, and dhclient for IPv6, run at each turn of a lease. It installs the address, the MTU and the classless static
# routes (option 121, which takes the place of the router option), all inside the guest's own namespaces. Routes of a
# later interface count for less: eth0's lead, where it has any.
set -eu
# shellcheck disable=SC2154 # both hand over their findings as variables
event=${1:-$reason}
# shellcheck disable=SC2154
number=${interface#eth}
cd /run/firstboot
# shellcheck disable=SC2154
case $event in
  deconfig)
    ip link set "$interface" up
    ip -4 address flush dev "$interface"
    rm -f "lease.$interface"
    ;;
  bound | renew)
    [ -z "${mtu-}" ] || ip link set "$interface" mtu "$mtu"
    ip address replace "$ip/$mask" dev "$interface" metric "$number"
    if [ -n "${staticroutes-}" ]; then
      # shellcheck disable=SC2086 # destination and gateway alternate
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        ip route replace "$1" via "$2" dev "$interface" metric "$number" 2>/dev/null ||
          ip route replace "$1" dev "$interface" metric "$number"
        shift 2
      done
    elif [ -n "${router-}" ]; then
      ip route replace default via "${router%% *}" dev "$interface" metric "$number"
    fi
    for server in ${dns-}; do echo "nameserver $server"; done >"resolv.$interface"
    cat resolv.eth* >/etc/resolv.conf
    if [ "$event" = bound ]; then
      echo "lease $ip/$mask from $serverid for ${lease}s on $interface"
      ip route show | grep " dev $interface " | grep -e '^169\.254\.169\.254 ' -e '^default ' |
        while read -r route; do echo "route $route"; done
      echo "$ip" >"lease.$interface"
      cat lease.eth* >lease
    fi
    ;;
  BOUND6 | RENEW6 | REBIND6)
    ip address replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface"
    ;;
esac
