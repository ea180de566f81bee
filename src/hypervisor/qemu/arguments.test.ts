import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Machine } from '../../host/machine.ts'
import { machineFiles } from '../../host/machine-files.ts'
import type { MacAddress } from '../../inventory/records/address.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import { qemuArguments } from './arguments.ts'

const ID = '5b0c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e' as InstanceId
const MACHINE: Machine = {
  id: ID,
  label: 'instance-00000001',
  interfaces: [
    { name: 'eth0', tap: 'tap1', bridge: 'brq1', mac: 'fa:16:3e:00:00:01' as MacAddress, mtu: 1450 },
    { name: 'eth1', tap: 'tap2', bridge: 'brq2', mac: 'fa:16:3e:00:00:02' as MacAddress, mtu: 9000 },
  ],
  memoryMib: 512,
  vcpus: 2,
  image: { path: '/srv/image', format: 'qcow2' },
  diskGib: 0,
  kernel: null,
  initrd: null,
  commandLine: 'ignored without a kernel',
  drive: 'cdrom',
}
const SETTINGS = { virtType: 'qemu', productVersion: '26.2.2' } as const

/** As `option value` pairs. */
function given(changes: Partial<Machine> = {}, folder = '/state/machines'): string[] {
  const words = qemuArguments({ ...MACHINE, ...changes }, machineFiles(folder, ID), SETTINGS)
  return words.flatMap((word, index) => (word.startsWith('-') ? [`${word} ${words[index + 1] ?? ''}`] : []))
}

describe('the arguments of QEMU', () => {
  it('never ask for the processor’s help unless told', () => {
    assert.ok(given().includes('-machine pc,accel=tcg'))
    const kvm = qemuArguments(MACHINE, machineFiles('/m', ID), { ...SETTINGS, virtType: 'kvm' })
    assert.ok(kvm.includes('pc,accel=kvm'))
  })

  it('plug the interfaces in the order of the ports, each with its MAC address and MTU', () =>
    assert.deepEqual(
      given().filter((pair) => /netdev/.test(pair)),
      [
        '-netdev tap,id=net0,ifname=tap1,script=no,downscript=no',
        '-device virtio-net-pci,netdev=net0,mac=fa:16:3e:00:00:01,host_mtu=1450,romfile=',
        '-netdev tap,id=net1,ifname=tap2,script=no,downscript=no',
        '-device virtio-net-pci,netdev=net1,mac=fa:16:3e:00:00:02,host_mtu=9000,romfile=',
      ],
    ))

  it('show the drive as a cdrom, as a disk, or not at all', () => {
    const driven = (drive: Machine['drive']) => given({ drive }).filter((pair) => /drive0/.test(pair))
    assert.match(driven('cdrom').join(' '), /media=cdrom,readonly=on -device ide-cd,id=config-drive/)
    assert.match(driven('disk').join(' '), /format=raw -device virtio-blk-pci,id=config-drive/)
    assert.deepEqual(driven(null), [])
  })

  it('boot a kernel, or the disk', () => {
    assert.ok(!given().some((pair) => /^-(kernel|append)/.test(pair)))
    const direct = given({ kernel: '/k', initrd: '/i', commandLine: 'console=ttyS0 a=b', image: null })
    for (const pair of ['-kernel /k', '-initrd /i', '-append console=ttyS0 a=b']) assert.ok(direct.includes(pair), pair)
    assert.ok(!direct.some((pair) => /disk0/.test(pair)))
  })

  it('let no comma of a path become an option', () => {
    const disk = given({}, '/a,readonly=on/b').find((pair) => pair.includes('id=disk0'))
    assert.equal(disk, `-drive if=none,id=disk0,file=/a,,readonly=on/b/${ID}/disk,format=qcow2`)
  })
})
