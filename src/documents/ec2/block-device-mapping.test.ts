import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance } from '../../../test/nova-example.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import type { BlockDevice } from '../../inventory/records/server.ts'
import { blockDeviceMapping } from './block-device-mapping.ts'

const device = (deviceName: string | null, changes: Partial<BlockDevice>): BlockDevice => ({
  deviceName,
  sourceType: 'blank',
  destinationType: 'local',
  guestFormat: null,
  bootIndex: null,
  volumeId: null,
  ...changes,
})
const volume = (name: string | null) => device(name, { sourceType: 'volume', destinationType: 'volume' })
const blank = (name: string, guestFormat: string | null = null) => device(name, { guestFormat })

const cases: readonly { readonly name: string; readonly given: Partial<Instance>; readonly want: object }[] = [
  {
    name: 'an unknown root device hides everything',
    given: { rootDeviceName: null, defaultSwapDevice: '/dev/vdz', blockDevices: [volume('/dev/vdb')] },
    want: { ami: 'sda1', ephemeral0: 'sda2', root: '/dev/sda1', swap: 'sda3' },
  },
  {
    name: 'an image on a local disk adds nothing',
    given: { blockDevices: [device('/dev/vda', { sourceType: 'image' })] },
    want: { ami: 'vda', root: '/dev/vda' },
  },
  {
    name: 'recorded devices replace the defaults',
    given: {
      defaultSwapDevice: '/dev/vdz',
      blockDevices: [blank('/dev/vdm'), blank('/dev/vdk', 'swap'), volume('/dev/vdb')],
    },
    want: { ami: 'vda', root: '/dev/vda', swap: '/dev/vdk', ebs0: '/dev/vdb', ephemeral0: '/dev/vdm' },
  },
  {
    name: 'defaults stand where nothing is recorded',
    given: { defaultEphemeralDevice: '/dev/vdb', defaultSwapDevice: '/dev/vdc' },
    want: { ami: 'vda', root: '/dev/vda', ephemeral0: '/dev/vdb', swap: '/dev/vdc' },
  },
  {
    name: 'volumes are sorted, nameless first; the boot volume and blank volumes count',
    given: {
      blockDevices: [
        volume('/dev/vdc'),
        device('/dev/vdb', { destinationType: 'volume' }),
        volume('/dev/vda'),
        volume(null),
      ],
    },
    want: { ami: 'vda', root: '/dev/vda', ebs0: null, ebs1: '/dev/vda', ebs2: '/dev/vdb', ebs3: '/dev/vdc' },
  },
  {
    name: 'the last swap counts, ephemerals keep their order',
    given: {
      blockDevices: [blank('/dev/s1', 'swap'), blank('/dev/e2', 'ext4'), blank('/dev/e1'), blank('/dev/s2', 'swap')],
    },
    want: { ami: 'vda', root: '/dev/vda', swap: '/dev/s2', ephemeral0: '/dev/e2', ephemeral1: '/dev/e1' },
  },
]

for (const { name, given, want } of cases) {
  test(name, () => {
    assert.deepEqual(Object.fromEntries(blockDeviceMapping(exampleInstance(given)).entries), want)
  })
}
