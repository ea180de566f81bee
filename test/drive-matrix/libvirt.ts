import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startLibvirt, type Virsh } from '../support/libvirt.ts'
import type { TestMachine } from '../support/test-machine.ts'
import type { Sample } from './readers.ts'

const started = new WeakMap<TestMachine, Promise<Virsh>>()

/** Whether libvirt starts a domain that has the drive as Nova attaches it. */
export async function libvirtStarts({ guests, guest, format, image }: Sample): Promise<boolean> {
  const { machine, state } = guests
  const starting = started.get(machine) ?? startLibvirt(machine, state)
  started.set(machine, starting)
  const virsh = await starting
  const path = join(state, 'matrix.xml')
  // The one in the guest's place is in use: QEMU locks what a guest may write to.
  const copy = join(state, 'matrix.img')
  machine.run('cp', '--sparse=always', image, copy)
  const [device, bus, dev] = format === 'iso9660' ? ['cdrom', 'ide', 'hda'] : ['disk', 'virtio', 'vda']
  writeFileSync(
    path,
    `<domain type="qemu"><name>${guest.name}</name><memory>65536</memory><os><type>hvm</type></os><devices>
       <disk type="file" device="${device}"><driver name="qemu" type="raw"/><source file="${copy}"/><target bus="${bus}" dev="${dev}"/></disk>
     </devices></domain>`,
  )
  virsh('create', '--validate', path)
  const isRunning = virsh('list', '--name').includes(guest.name)
  virsh('destroy', guest.name)
  return isRunning
}
