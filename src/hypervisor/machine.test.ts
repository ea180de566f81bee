import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FLAVOR, IMAGE, server } from '../../test/contract/sample-records.ts'
import type { Image } from '../inventory/records/image.ts'
import { emptyRecordSet, type RecordSet } from '../inventory/records/records.ts'
import { machineOf, machinesOf } from './machine.ts'

const KERNEL = '00000003-0000-4000-8000-000000000002' as Image['id']

function image(id: Image['id'], changes: Partial<Image> = {}): [string, Image] {
  return [id, { id, name: id, ec2Number: 1, kernelId: null, ramdiskId: null, properties: [], ...changes }]
}

function records(...images: [string, Image][]): RecordSet {
  const flavor = { id: FLAVOR, name: 'm', vcpus: 2, ramMib: 256, diskGib: 3, ephemeralGib: 0, swapMib: 0 }
  return { ...emptyRecordSet(), image: new Map(images), flavor: new Map([[FLAVOR, flavor]]) }
}

const SERVER = server(1, { hypervisor: 'qemu', portIds: [], imageId: IMAGE, flavorId: FLAVOR, ec2Number: 255 })

describe('the machine of a server', () => {
  it('has Nova’s name and the flavor’s size', () => {
    const { label, vcpus, memoryMib, diskGib } = machineOf(SERVER, records(image(IMAGE)), null)
    assert.deepEqual([label, vcpus, memoryMib, diskGib], ['instance-000000ff', 2, 256, 3])
  })

  const urls: readonly { name: string; properties: Image['properties']; want: object | null }[] = [
    {
      name: 'a file',
      properties: [['direct_url', 'file:///a/b%20c.raw']],
      want: { path: '/a/b c.raw', format: 'raw' },
    },
    {
      name: 'by its name',
      properties: [['direct_url', 'file:///a.qcow2']],
      want: { path: '/a.qcow2', format: 'qcow2' },
    },
    {
      name: 'by what is said of it',
      properties: [
        ['direct_url', 'file:///a.img'],
        ['disk_format', 'raw'],
      ],
      want: { path: '/a.img', format: 'raw' },
    },
    { name: 'elsewhere', properties: [['direct_url', 'rbd://pool/image']], want: null },
    { name: 'on another host', properties: [['direct_url', 'file://host/a']], want: null },
    { name: 'no path at all', properties: [['direct_url', 'file:///a%2Fb%']], want: null },
    { name: 'unsaid', properties: [], want: null },
  ]
  for (const { name, properties, want } of urls)
    it(`boots its image: ${name}`, () =>
      assert.deepEqual(machineOf(SERVER, records(image(IMAGE, { properties })), null).image, want))

  it('boots the kernel of its image with that image’s command line', () => {
    const properties = [['os_command_line', 'quiet']] as const
    const kernel = image(KERNEL, { properties: [['direct_url', 'file:///vmlinuz']] })
    const machine = machineOf(SERVER, records(image(IMAGE, { kernelId: KERNEL, properties }), kernel), 'cdrom')
    assert.deepEqual(
      [machine.kernel, machine.initrd, machine.commandLine, machine.drive],
      ['/vmlinuz', null, 'quiet', 'cdrom'],
    )
  })

  it('is for the hypervisor that the server names', () => {
    const all = { ...records(), server: new Map([[SERVER.id, SERVER]]) }
    assert.equal(machinesOf(all, 'qemu', () => null).length, 1)
    assert.equal(machinesOf(all, 'libvirt', () => null).length, 0)
  })
})
