#!/bin/sh
# The first boot of a namespace guest: a small client in the manner of CirrOS. Every interface takes what address it can get,
# by DHCP and by router advertisement; then it asks for what real clients ask, in cloud-init's order, and acts on it.
# Standard output is the guest's console, one event a line. Everything it was told is kept in /run/firstboot; `status` is
# written last: `configured`, or `failed: REASON`.
set -u
exec 3<&- 4<&-
cd /run/firstboot || exit
documents=/openstack/2018-08-27
ipv6=fe80::a9fe:a9fe

finish() {
  echo "$*"
  echo "$*" >status.new && mv status.new status
  # The DHCP clients renew their leases for as long as the guest lives.
  wait
  exec sleep infinity
}

now() {
  read -r seconds _ </proc/uptime
  echo "${seconds%.*}"
}

# addresses6 INTERFACE SCOPE: what can be sent from, which an address cannot until nobody else turned out to have it.
addresses6() {
  ip -6 -oneline address show dev "$1" scope "$2" -tentative -dadfailed | sed 's/.* inet6 \([^ ]*\) .*/\1/'
}

# get PATH FILE OPTION...: keeps the answer's body. 404 is an answer too: there is no such document. Leaves a reason when
# there is none.
get() {
  path=$1
  file=$2
  shift 2
  reason="no answer to GET $path"
  code=$(curl --silent --globoff "$@" --output "$file.new" --write-out '%{http_code}' "http://$metadata$path") || return
  case $code in
    200) mv "$file.new" "$file" ;;
    404) rm -f "$file.new" "$file" ;;
    *) reason="GET $path was answered $code" && return 1 ;;
  esac
  echo "GET $path $code"
}

fetch() {
  get "$1" "$2" --max-time 10 --retry 5 --retry-connrefused --retry-delay 1 || finish "failed: $reason"
}

# answers ADDRESS: whether metadata are to be had there.
answers() {
  metadata=$1
  get /openstack versions --connect-timeout 1 --max-time 5
}

# answers6 INTERFACE: on the link, or where an advertised route leads. A kernel may leave such a route alone; then it is
# set by hand to the router it does know.
answers6() {
  answers "[$ipv6%25$1]" && return
  router=$(ip -6 route show default dev "$1" | sed -n 's/.*via \([^ ]*\) .*/\1/p;q')
  [ -n "$router" ] && ip -6 route add $ipv6 via "$router" dev "$1" 2>/dev/null || return
  answers "[$ipv6%25$1]" && return
  ip -6 route delete $ipv6 via "$router" dev "$1"
  return 1
}

answers_anywhere() {
  [ -s lease ] && answers 169.254.169.254 && return
  for interface in $interfaces; do
    [ ! -s "lease.$interface" ] && [ -n "$(addresses6 "$interface" link)" ] && answers6 "$interface" &&
      echo "metadata at $ipv6%$interface" && return
  done
  return 1
}

# means_of INTERFACE: how it can ask up to now.
means_of() {
  if [ -s "lease.$1" ]; then
    echo "$1 has a lease and asks 169.254.169.254"
  elif [ -n "$(addresses6 "$1" link)" ]; then
    echo "$1 has no lease and asks $ipv6"
  else
    echo "$1 has no lease and no IPv6 address"
  fi
}

hostname localhost
ip link set lo up
rm -f status lease lease.* user_data.out
interfaces=
count=0
while [ -e "/proc/sys/net/ipv4/conf/eth$count" ]; do
  interface=eth$count
  count=$((count + 1))
  interfaces="$interfaces $interface"
  # How long a prefix may be that a router advertises a route to: none is taken otherwise.
  setting=/proc/sys/net/ipv6/conf/$interface/accept_ra_rt_info_max_plen
  [ ! -w "$setting" ] || echo 128 >"$setting"
  ip link set "$interface" up
  busybox udhcpc -i "$interface" -f -O staticroutes -O mtu -t 3 -T 1 -A 1 -s /boot/guest-dhcp.sh 2>>dhcp.log &
done
[ -n "$interfaces" ] || finish 'failed: this server has no port'

# Most have their answer at once. Whoever has none is told of it after 3 s, and twice as late each time.
reason='nobody to ask'
started=$(now)
patience=3
pause=0.1
until answers_anywhere; do
  waited=$(($(now) - started))
  if [ $waited -ge $patience ]; then
    echo "waits for metadata (${waited}s): $reason$(for each in $interfaces; do printf '; %s' "$(means_of "$each")"; done)"
    patience=$((2 * waited))
    pause=1
  fi
  sleep $pause
done

fetch $documents/meta_data.json meta_data.json
fetch $documents/user_data user_data
fetch $documents/vendor_data.json vendor_data.json
fetch $documents/vendor_data2.json vendor_data2.json
fetch $documents/network_data.json network_data.json
fetch /latest/meta-data/hostname hostname
fetch /latest/meta-data/public-keys/ public-keys

[ -f meta_data.json ] || finish 'failed: the metadata service does not know this instance (meta_data.json is 404)'
name=$(cat hostname)
hostname "${name%%.*}"
echo "${name%%.*}" >/etc/hostname
echo "hostname $(hostname)"

if [ -s public-keys ]; then
  mkdir -m 700 /root/.ssh
  fetch /latest/meta-data/public-keys/0/openssh-key authorized_keys
  cp authorized_keys /root/.ssh/authorized_keys
  echo "key $(cut -d' ' -f1,3 authorized_keys)"
fi

# DHCPv6 takes its time: its client collects offers, and the address is tried for duplicates.
patience=8
if ! grep -q -e '"ipv6_dhcp"' -e '"ipv6_dhcpv6-stateful"' network_data.json 2>/dev/null; then
  : # no address is given out by DHCPv6
elif command -v dhclient >/dev/null; then
  patience=15
  for interface in $interfaces; do
    {
      until [ -n "$(addresses6 "$interface" link)" ]; do sleep 0.2; done
      exec dhclient -6 -1 -d -lf "/run/$interface.leases6" -pf "/run/$interface.pid6" -sf /boot/guest-dhcp.sh "$interface"
    } 2>>dhcp.log &
  done
else
  echo 'no address by DHCPv6: its client, dhclient, is not installed here'
fi

# What the user runs finds each port with its address.
deadline=$(($(now) + patience))
for interface in $interfaces; do
  until [ -s "lease.$interface" ] || [ -n "$(addresses6 "$interface" global)" ]; do
    if [ "$(now)" -ge $deadline ]; then
      echo "nobody gave $interface an address; it goes on without"
      break
    fi
    sleep 0.2
  done
  for address in $(addresses6 "$interface" global); do echo "address $address on $interface"; done
done

if [ -f user_data ] && [ "$(head -c 2 user_data)" = '#!' ]; then
  chmod +x user_data
  ./user_data >user_data.out 2>&1
  echo "user-data exited with $?"
  sed 's/^/user-data says: /' user_data.out
elif [ -s user_data ]; then
  echo 'user-data was read and not run: this small guest runs #! scripts only'
fi
finish configured
