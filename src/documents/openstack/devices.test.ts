import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMacAddress } from '../../inventory/records/address.ts'
import type { Device } from '../../inventory/records/server.ts'
import { writeJson } from '../json.ts'
import { deviceList } from './devices.ts'
import type { OpenstackVersion } from './versions.ts'

const nic: Extract<Device, { type: 'nic' }> = {
  type: 'nic',
  mac: parseMacAddress('fa:16:3e:00:00:01') ?? assert.fail(),
  vlan: null,
  vfTrusted: false,
  bus: 'pci',
  address: '0000:00:03.0',
  tags: [],
}
const disk: Device = { type: 'disk', serial: 'vol', path: null, bus: null, address: null, tags: [] }
const share: Device = { type: 'share', shareId: 'id', tag: 'data', bus: 'pci', address: null, tags: ['t'] }

const mac = '"mac": "fa:16:3e:00:00:01", "bus": "pci", "address": "0000:00:03.0"'

const cases: readonly {
  readonly name: string
  readonly device: Device
  readonly version: OpenstackVersion
  readonly want: string
}[] = [
  { name: 'a NIC with nothing to tell, before 2018', device: nic, version: '2017-02-22', want: '[]' },
  {
    name: 'the same from 2018 on',
    device: nic,
    version: '2018-08-27',
    want: `[{"vf_trusted": false, "type": "nic", ${mac}}]`,
  },
  {
    name: 'a tagged NIC',
    device: { ...nic, tags: ['a', 'b'] },
    version: '2016-06-30',
    want: `[{"type": "nic", ${mac}, "tags": ["a", "b"]}]`,
  },
  { name: 'a VLAN, before it is told', device: { ...nic, vlan: 300 }, version: '2016-10-06', want: '[]' },
  {
    name: 'a VLAN',
    device: { ...nic, vlan: 300 },
    version: '2017-02-22',
    want: `[{"vlan": 300, "type": "nic", ${mac}}]`,
  },
  {
    name: 'a trusted VF',
    device: { ...nic, vlan: 300, vfTrusted: true },
    version: '2020-10-14',
    want: `[{"vlan": 300, "vf_trusted": true, "type": "nic", ${mac}}]`,
  },
  {
    name: 'an untagged disk without bus',
    device: disk,
    version: '2016-06-30',
    want: '[{"type": "disk", "serial": "vol", "bus": "none", "address": "none"}]',
  },
  { name: 'a share, before it is told', device: share, version: '2020-10-14', want: '[]' },
  {
    name: 'a share',
    device: share,
    version: '2025-04-04',
    want: '[{"type": "share", "share_id": "id", "tag": "data", "bus": "pci", "address": "none", "tags": ["t"]}]',
  },
]

for (const { name, device, version, want } of cases) {
  test(name, () => assert.equal(writeJson(deviceList([device], version)), want))
}
