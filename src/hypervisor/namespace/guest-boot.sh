#!/bin/sh
# The first boot of a namespace guest: a small client in the manner of CirrOS. It takes a lease, asks for what real
# clients ask, in cloud-init's order, and acts on it. Standard output is the guest's console, one event a line.
# Everything it was told is kept in /run/firstboot; `status` is written last: `configured`, or `failed: REASON`.
set -u
exec 3<&- 4<&-
cd /run/firstboot || exit
metadata=http://169.254.169.254
documents=/openstack/2018-08-27

finish() {
  echo "$*"
  echo "$*" >status.new && mv status.new status
  # The DHCP client renews the lease for as long as the guest lives.
  wait
  exec sleep infinity
}

# fetch PATH FILE: keeps the answer's body. 404 is an answer too: there is no such document.
fetch() {
  code=$(curl --silent --max-time 10 --retry 5 --retry-connrefused --retry-delay 1 \
    --output "$2.new" --write-out '%{http_code}' "$metadata$1") || finish "failed: no answer to GET $1"
  echo "GET $1 $code"
  case $code in
    200) mv "$2.new" "$2" ;;
    404) rm -f "$2.new" "$2" ;;
    *) finish "failed: GET $1 was answered $code" ;;
  esac
}

hostname localhost
ip link set lo up
rm -f status lease user_data.out
mkfifo /run/bound
# shellcheck disable=SC2016 # expanded by the script's own shell
printf '#!/bin/sh\nsh /boot/guest-dhcp.sh "$1"\n[ "$1" != bound ] || echo >/run/bound &\n' >dhcp-event
chmod +x dhcp-event
busybox udhcpc -i eth0 -f -O staticroutes -O mtu -t 3 -T 1 -A 1 -s /run/firstboot/dhcp-event 2>dhcp.log &
read -r _ </run/bound

fetch /openstack versions
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

if [ -f user_data ] && [ "$(head -c 2 user_data)" = '#!' ]; then
  chmod +x user_data
  ./user_data >user_data.out 2>&1
  echo "user-data exited with $?"
  sed 's/^/user-data says: /' user_data.out
elif [ -s user_data ]; then
  echo 'user-data was read and not run: this small guest runs #! scripts only'
fi
[ "$(find /sys/class/net /proc/sys/net/ipv4/conf -maxdepth 1 -name 'eth*' 2>/dev/null | sort -u | wc -l)" -lt 2 ] ||
  echo 'only eth0 was configured: this small guest leaves other interfaces and IPv6 alone'
finish configured
