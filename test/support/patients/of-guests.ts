import { address, BORN_ILL, type Injection, METADATA, NEIGHBOUR, WHOLE_ROUTER } from './injection.ts'

/** What is wrong with the records of a guest, with the guest itself, or with how it is plugged in. */
export const GUEST_INJECTIONS: readonly Injection[] = [
  { ...BORN_ILL, fault: 'network-down', patient: 'on-down', how: 'admin_state_up of the network is false' },
  { ...BORN_ILL, fault: 'router-down', patient: 'on-stopped', how: 'admin_state_up of the router is false' },
  { ...BORN_ILL, fault: 'no-path', patient: 'on-silent', how: 'neither DHCP nor a gateway' },
  { ...BORN_ILL, fault: 'user-data-invalid', patient: 'scribbled', how: 'cloud-config without its first line' },
  { ...BORN_ILL, fault: 'port-missing', patient: 'alone', how: 'a server without networks' },

  {
    ...NEIGHBOUR,
    fault: 'guest-route-missing',
    how: 'the DHCP client does not request option 121',
    inject: (ward) => ward.lease('iso-1', '-o', '-O', 'subnet'),
    heal: (ward) => ward.lease('iso-1'),
  },
  {
    ...NEIGHBOUR,
    fault: 'guest-wrong-gateway',
    how: 'a route by a gateway that is not there',
    inject: (ward) => ward.run('ip', '-n', 'iso-1', 'route', 'replace', METADATA, 'via', '10.3.0.77'),
    heal: (ward) => ward.lease('iso-1'),
  },
  {
    patient: 'rtd-1',
    neighbour: 'rtd-2',
    path: 'router',
    fault: 'guest-wrong-gateway',
    how: 'routes by another guest',
    inject: (ward) => ward.run('ip', '-n', 'rtd-1', 'route', 'replace', METADATA, 'via', '10.1.0.12'),
    heal: (ward) => ward.lease('rtd-1'),
  },
  {
    ...NEIGHBOUR,
    fault: 'guest-static-address',
    how: 'an address of its own making',
    inject: (ward) => {
      ward.run('ip', '-n', 'iso-1', '-4', 'address', 'flush', 'dev', 'eth0')
      address(ward, 'add', 'iso-1', '10.3.0.99/24')
      ward.run('ip', '-n', 'iso-1', 'route', 'replace', METADATA, 'via', '10.3.0.2')
      ward.within('iso-1', 'curl', '-s', '--max-time', '5', `http://${METADATA}/openstack`)
    },
    heal: (ward) => ward.lease('iso-1'),
  },
  {
    ...NEIGHBOUR,
    fault: 'guest-no-lease',
    how: 'no DHCP client runs',
    inject: (ward) => ward.run('ip', '-n', 'iso-1', '-4', 'address', 'flush', 'dev', 'eth0'),
    heal: (ward) => ward.lease('iso-1'),
  },
  {
    ...NEIGHBOUR,
    fault: 'address-taken',
    how: 'the neighbour has the address as well',
    inject: (ward) => address(ward, 'add', 'iso-2', '10.3.0.11/32'),
    heal: (ward) => address(ward, 'delete', 'iso-2', '10.3.0.11/32'),
  },
  {
    ...WHOLE_ROUTER,
    fault: 'gateway-duplicate',
    how: 'a second router: another guest has the gateway’s address',
    inject: (ward) => address(ward, 'add', 'rtd-2', '10.1.0.1/32'),
    heal: (ward) => {
      address(ward, 'delete', 'rtd-2', '10.1.0.1/32')
      ward.run('ip', '-n', 'rtd-1', 'neigh', 'flush', 'all')
    },
  },
  {
    ...NEIGHBOUR,
    fault: 'mtu-hole',
    how: 'the tap takes 1300 bytes',
    inject: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'mtu', '1300'),
    heal: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'mtu', '1500'),
  },
  {
    ...NEIGHBOUR,
    fault: 'port-on-wrong-bridge',
    how: 'the tap is on the bridge of another network',
    inject: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'master', ward.patient('rtd-1').bridge),
    heal: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'master', ward.patient('iso-1').bridge),
  },
  {
    ...NEIGHBOUR,
    fault: 'tap-down',
    how: 'the tap is set down',
    inject: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'down'),
    heal: (ward) => ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'up'),
  },
  {
    ...NEIGHBOUR,
    fault: 'guest-not-plugged',
    how: 'the tap is on no bridge and has another name: the guest is gone',
    inject: (ward) => {
      ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'nomaster', 'down')
      ward.run('ip', 'link', 'set', ward.patient('iso-1').tap, 'name', 'gone')
    },
    heal: (ward) => {
      const { tap, bridge } = ward.patient('iso-1')
      ward.run('ip', 'link', 'set', 'gone', 'name', tap)
      ward.run('ip', 'link', 'set', tap, 'master', bridge, 'up')
    },
  },
]
