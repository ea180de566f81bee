#!/bin/sh
# install.sh: neutron-ovn-metadata-agent, OVN and Open vSwitch from Debian's packages. Idempotent, by apt only. No service is
# started: a policy-rc.d that says "no" stands for the run where there is none.
set -eu
missing=""
for package in neutron-ovn-metadata-agent ovn-central ovn-host openvswitch-switch haproxy iptables iproute2 ethtool curl; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=900 -y -q --no-install-recommends \
  -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install $missing
