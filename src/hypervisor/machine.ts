import { fileURLToPath } from 'node:url'
import type { DiskImage, Machine } from '../host/machine.ts'
import type { Image } from '../inventory/records/image.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { HypervisorKind, Server } from '../inventory/records/server.ts'
import { interfacesOf } from './guest.ts'

/** The instances that a hypervisor of this host is to run as virtual machines. Pure.
 *  @param driveOf  how the server's config drive is to be shown to it, null when it gets none */
export function machinesOf(
  records: RecordSet,
  by: Extract<HypervisorKind, 'qemu' | 'libvirt'>,
  driveOf: (server: Server) => Machine['drive'],
): Machine[] {
  return [...records.server.values()]
    .filter((server) => server.hypervisor === by)
    .map((server) => machineOf(server, records, driveOf(server)))
}

export function machineOf(server: Server, records: RecordSet, drive: Machine['drive']): Machine {
  const flavor = records.flavor.get(server.flavorId)
  const image = server.imageId === null ? undefined : records.image.get(server.imageId)
  const part = (id: Image['id'] | null | undefined) => (id ? filePath(records.image.get(id)) : undefined) ?? null
  return {
    id: server.id,
    label: machineLabel(server),
    interfaces: interfacesOf(server, records),
    memoryMib: flavor?.ramMib ?? 512,
    vcpus: flavor?.vcpus ?? 1,
    image: diskImage(image),
    diskGib: flavor?.diskGib ?? 0,
    kernel: part(image?.kernelId),
    initrd: part(image?.ramdiskId),
    commandLine: property(image, 'os_command_line') ?? DEFAULT_COMMAND_LINE,
    drive,
  }
}

/** Nova's `instance_name_template`. */
export function machineLabel({ ec2Number }: Pick<Server, 'ec2Number'>): string {
  return `instance-${ec2Number.toString(16).padStart(8, '0')}`
}

/** What Nova gives a kernel whose image says nothing. */
const DEFAULT_COMMAND_LINE = 'root=/dev/vda console=tty0 console=ttyS0'

function diskImage(image: Image | undefined): DiskImage | null {
  const path = filePath(image)
  if (path === undefined) return null
  const isQcow2 = (property(image, 'disk_format') ?? (/\.(qcow2|img)$/.test(path) ? 'qcow2' : 'raw')) === 'qcow2'
  return { path, format: isQcow2 ? 'qcow2' : 'raw' }
}

/** Glance tells where an image lies by its `direct_url`; one of this host is a `file://`. */
function filePath(image: Image | undefined): string | undefined {
  const url = property(image, 'direct_url') ?? ''
  if (!/^file:\/\/\//.test(url)) return undefined
  try {
    return fileURLToPath(url)
  } catch {
    return undefined // no path of this system: a NUL or an encoded slash in it
  }
}

function property(image: Image | undefined, name: string): string | undefined {
  return image?.properties.find(([each]) => each === name)?.[1]
}
