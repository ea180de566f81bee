#!/bin/sh
# Called by dhclient -6 with what it learned in the environment. Changes this namespace only.
[ "$reason" = BOUND6 ] || exit 0
ip address replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface" nodad
