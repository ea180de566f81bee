import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MacAddress } from '../src/inventory/records/address.ts'
import type { PortId } from '../src/inventory/records/ids.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import type { Device, Server } from '../src/inventory/records/server.ts'
import { ownRules } from '../src/lint/cloud-config/rules.ts'
import { placeText } from '../src/lint/finding.ts'
import { lintServer } from '../src/lint/lint-server.ts'
import { server } from './contract/sample-records.ts'
import { cidr, exampleInstance, exampleInterface, exampleSubnet, fixedIp } from './nova-example.ts'

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFO+4Jp0R2V6AJkg2RFpww3hzEM53/+iCZqurFVQTIkf alice@blue\n'
const key = (data: string) => ({ keyData: data, keypair: { name: 'key', type: 'ssh' as const, data } })
const dhcp = exampleSubnet({ enableDhcp: true })
const nic = exampleInterface({ subnets: [dhcp] })
const ipv6 = exampleSubnet({
  ipVersion: 6,
  cidr: cidr('2001:db8::/64'),
  ipv6AddressMode: 'slaac',
  addresses: [fixedIp('2001:db8::5')],
})

interface Case {
  readonly name: string
  readonly instance?: Partial<Instance>
  readonly server?: Partial<Server>
  readonly dhcpDomain?: string
  readonly want: readonly string[]
}

function found({ instance = {}, server: record = {}, dhcpDomain = 'novalocal' }: Case): readonly string[] {
  const joined = exampleInstance({ ...key(KEY), interfaces: [nic], ...instance })
  const portIds = joined.interfaces.map(({ portId }) => portId)
  const subject = {
    server: server(1, { configDrive: false, adminPassword: null, files: [], portIds, ...record }),
    instance: joined,
    dhcpDomain,
  }
  return lintServer(subject, ownRules()).map(
    ({ severity, check, place, problem }) => `${severity} ${check} @ ${placeText(place)}: ${problem}`,
  )
}

function cases(title: string, rows: readonly Case[]): void {
  describe(title, () => {
    for (const row of rows) it(row.name, () => assert.deepEqual(found(row), row.want))
  })
}

cases('a server in order', [
  { name: 'has nothing to say of', want: [] },
  { name: 'may have no key', instance: { keyName: null, keyData: null, keypair: null }, want: [] },
  { name: 'may have a drive and no port', instance: { interfaces: [] }, server: { configDrive: true }, want: [] },
])

const hostname = (name: string, domain = 'novalocal') => ({ instance: { hostname: name }, dhcpDomain: domain })
const AT = '@ meta_data.json (hostname):'
cases('hostname', [
  {
    name: 'upper case',
    ...hostname('Web'),
    want: [`warning hostname/upper-case ${AT} Web has upper-case letters in it`],
  },
  {
    name: 'underscore',
    ...hostname('web_1'),
    want: [`warning hostname/underscore ${AT} web_1 has an underscore in it`],
  },
  { name: 'digits', ...hostname('123'), want: [`warning hostname/digits-only ${AT} 123 is digits only`] },
  {
    name: 'qualified',
    ...hostname('db.internal'),
    want: [`warning hostname/qualified ${AT} is qualified already: guests read db.internal.novalocal`],
  },
  { name: 'qualified where no domain is added', ...hostname('db.internal', ''), want: [] },
  {
    name: 'one label of 64',
    ...hostname('a'.repeat(64)),
    want: [`error hostname/label-too-long ${AT} 64 characters between dots; at most 63 are allowed`],
  },
  {
    name: 'too long with its domain',
    ...hostname('a'.repeat(60)),
    want: [`warning hostname/too-long ${AT} is 70 characters long with its domain`],
  },
  { name: 'as long as can be', ...hostname('a'.repeat(54)), want: [] },
  {
    name: 'a hyphen at its end',
    ...hostname('web-'),
    want: [`warning hostname/hyphen ${AT} web- has a label that is empty, or begins or ends with "-"`],
  },
  {
    name: 'letters beyond ASCII',
    ...hostname('café'),
    want: [`error hostname/characters ${AT} "café" has other characters than letters, digits, "-" and "."`],
  },
])

cases('key pair', [
  {
    name: 'a name with =',
    instance: { keyName: 'a=b' },
    want: ['warning key-pair/name @ public-keys: the key pair is called "a=b"'],
  },
  {
    name: 'a name with a line end',
    instance: { keyName: 'a\nb' },
    want: ['warning key-pair/list-line @ public-keys: the name of the key pair has a line end in it'],
  },
  {
    name: 'gone',
    instance: { keypair: null },
    want: ['warning key-pair/gone @ public-keys: the key pair "key" is gone'],
  },
  {
    name: 'cut off',
    instance: key(KEY.slice(0, 20)),
    want: [
      'error key-pair/text @ public-keys: the key says ssh-ed25519, but what follows is not such a key: it was cut off or mixed up',
    ],
  },
  {
    name: 'of another type than it says',
    instance: key(KEY.replace('ssh-ed25519', 'ssh-rsa')),
    want: [
      'error key-pair/text @ public-keys: the key says ssh-rsa, but what follows is not such a key: it was cut off or mixed up',
    ],
  },
  {
    name: 'private',
    instance: key('-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n'),
    want: [
      'error key-pair/text @ public-keys: the key is a PRIVATE key, which every process in the guest can now read: make a new one',
    ],
  },
  {
    name: 'of PuTTY',
    instance: key('---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n'),
    want: [
      'error key-pair/text @ public-keys: the key is in the format of RFC 4716 (PuTTY), which OpenSSH does not read',
    ],
  },
  { name: 'two of them', instance: key(KEY + KEY), want: ['error key-pair/text @ public-keys: the key has 2 lines'] },
  { name: 'with options before it', instance: key(`no-pty ${KEY}`), want: [] },
  {
    name: 'a certificate',
    instance: { keypair: { name: 'key', type: 'x509', data: '' } },
    want: ['warning key-pair/certificate @ public-keys: the key pair is an X.509 certificate'],
  },
])

cases('properties', [
  {
    name: 'dsmode disabled',
    instance: { properties: [['dsmode', 'disabled']] },
    want: ['error properties/dsmode @ meta_data.json (meta): the property dsmode is "disabled"'],
  },
  {
    name: 'dsmode pass',
    instance: { properties: [['dsmode', 'pass']] },
    want: ['warning properties/dsmode @ meta_data.json (meta): the property dsmode is "pass"'],
  },
  { name: 'dsmode net', instance: { properties: [['dsmode', 'net']] }, want: [] },
  {
    name: 'dsmode of a name that objects inherit',
    instance: { properties: [['dsmode', 'constructor']] },
    want: ['warning properties/dsmode @ meta_data.json (meta): the property dsmode is "constructor"'],
  },
  {
    name: 'a password',
    instance: { properties: [['admin_pass', 'x']] },
    want: [
      'warning properties/admin-pass @ meta_data.json (meta.admin_pass): a password is among the properties (admin_pass)',
    ],
  },
])

const MAC = 'fa:16:3e:00:00:99' as MacAddress
const device = (mac: MacAddress): Device => ({
  type: 'nic',
  mac,
  vlan: null,
  vfTrusted: false,
  bus: null,
  address: null,
  tags: ['x'],
})
cases('network', [
  {
    name: 'no way in at all',
    instance: { interfaces: [] },
    want: ['error network/no-carrier @ network_data.json: has no port and no config drive'],
  },
  {
    name: 'a port that is gone',
    server: { portIds: [nic.portId, 'p9' as PortId] },
    want: ['error network/port-gone @ network_data.json: its port p9 does not exist'],
  },
  {
    name: 'a port without address',
    instance: { interfaces: [nic, exampleInterface({ portId: 'p2' as PortId, macAddress: MAC, subnets: [] })] },
    want: ['warning network/no-address @ network_data.json: port p2 (fa:16:3e:00:00:99) has no address'],
  },
  {
    name: 'IPv6 alone',
    instance: { interfaces: [exampleInterface({ subnets: [ipv6] })] },
    want: ['warning network/no-ipv4 @ network_data.json: no port has an IPv4 address'],
  },
  {
    name: 'IPv6 alone, with a drive',
    instance: { interfaces: [exampleInterface({ subnets: [ipv6] })] },
    server: { configDrive: true },
    want: [],
  },
  {
    name: 'static addresses alone',
    instance: { interfaces: [exampleInterface()] },
    want: [
      'warning network/static-only @ network_data.json: no subnet of its ports has DHCP, and there is no config drive',
    ],
  },
  {
    name: 'one MAC address twice',
    instance: { interfaces: [nic, exampleInterface({ portId: 'p2' as PortId, subnets: [dhcp] })] },
    want: ['error network/duplicate-mac @ network_data.json: two of its ports have the MAC address fa:16:3e:41:0c:7a'],
  },
  { name: 'a device that is a port', instance: { devices: [device(nic.macAddress)] }, want: [] },
  {
    name: 'a device that is no port',
    instance: { devices: [device(MAC)] },
    want: [
      'warning network/device-mac @ network_data.json (devices): a device has the MAC address fa:16:3e:00:00:99, which none of its ports has',
    ],
  },
])

cases('config drive', [
  {
    name: 'files without it',
    server: { files: [{ path: '/a', contents: '' }] },
    want: ['error config-drive/files @ config drive: 1 injected file (personality) without config drive'],
  },
  { name: 'files with it', server: { files: [{ path: '/a', contents: '' }], configDrive: true }, want: [] },
  {
    name: 'a password without it',
    server: { adminPassword: 'x' },
    want: ['warning config-drive/admin-pass @ config drive: has an admin_pass, but no config drive'],
  },
])

cases('user data', [
  {
    name: 'too long for Nova',
    instance: { userData: Buffer.from(`#!/bin/sh\n${'#'.repeat(50_000)}`).toString('base64') },
    want: ['error user-data/too-long @ user data: is 66680 characters in base64; at most 65535 are allowed'],
  },
  {
    name: 'as long as can be',
    instance: { userData: Buffer.from(`#!/bin/sh\n${'#'.repeat(49_139)}`).toString('base64') },
    want: [],
  },
  {
    name: 'errors come before warnings',
    instance: { keyName: 'a=b', userData: btoa('hello') },
    want: [
      'error user-data/first-line @ user data, line 1: "hello" is no first line that a guest knows',
      'warning key-pair/name @ public-keys: the key pair is called "a=b"',
    ],
  },
])
