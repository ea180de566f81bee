import type { Machine, MachineFiles } from '../../host/machine.ts'
import { systemEntries } from '../smbios.ts'

export const QEMU = 'qemu-system-x86_64'

export interface QemuSettings {
  /** `qemu`: in software, everywhere. `kvm`: with the processor's help. */
  readonly virtType: 'qemu' | 'kvm'
  /** Of the Nova that SMBIOS names. */
  readonly productVersion: string
}

/** The cdrom of the config drive, by which its medium can be changed. */
export const DRIVE_DEVICE = 'config-drive'

/** The arguments that make a machine of its record. Pure: what they name must be there (disk, drive, taps). */
export function qemuArguments(
  machine: Machine,
  files: Omit<MachineFiles, 'record'>,
  { virtType, productVersion }: QemuSettings,
): string[] {
  const smbios = systemEntries(machine.id, productVersion).map(([name, value]) => `${name}=${escaped(value)}`)
  return [
    ...['-name', `guest=${machine.label}`, '-uuid', machine.id],
    ...['-machine', `pc,accel=${virtType === 'kvm' ? 'kvm' : 'tcg'}`, ...(virtType === 'kvm' ? ['-cpu', 'host'] : [])],
    ...['-smp', String(machine.vcpus), '-m', String(machine.memoryMib)],
    ...['-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-smbios', ['type=1', ...smbios].join(',')],
    ...kernelArguments(machine),
    ...diskArguments(machine, files),
    ...machine.interfaces.flatMap(interfaceArguments),
    ...driveArguments(machine, files),
    ...['-object', 'rng-random,id=rng0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng0'],
    ...['-chardev', `file,id=serial0,path=${escaped(files.console)},append=on`, '-serial', 'chardev:serial0'],
    ...['-qmp', `unix:${escaped(files.monitor)},server=on,wait=off`],
  ]
}

function kernelArguments({ kernel, initrd, commandLine }: Machine): string[] {
  if (kernel === null) return []
  return ['-kernel', kernel, ...(initrd === null ? [] : ['-initrd', initrd]), '-append', commandLine]
}

function diskArguments({ image }: Machine, { disk }: Pick<MachineFiles, 'disk'>): string[] {
  if (image === null) return []
  return [
    ...['-drive', `if=none,id=disk0,file=${escaped(disk)},format=qcow2`],
    ...['-device', 'virtio-blk-pci,drive=disk0,bootindex=1'],
  ]
}

/** In the order of the server's ports, which is the order in which a guest finds them. */
function interfaceArguments({ tap, mac, mtu }: Machine['interfaces'][number], index: number): string[] {
  return [
    ...['-netdev', `tap,id=net${index},ifname=${tap},script=no,downscript=no`],
    ...['-device', `virtio-net-pci,netdev=net${index},mac=${mac},host_mtu=${mtu},romfile=`],
  ]
}

/** As Nova attaches them: an ISO as a cdrom on IDE, anything else as the last virtio disk. */
function driveArguments({ drive }: Machine, files: Pick<MachineFiles, 'drive'>): string[] {
  if (drive === null) return []
  const file = `if=none,id=drive0,file=${escaped(files.drive)},format=raw`
  return drive === 'cdrom'
    ? ['-drive', `${file},media=cdrom,readonly=on`, '-device', `ide-cd,id=${DRIVE_DEVICE},drive=drive0,bus=ide.0`]
    : ['-drive', file, '-device', `virtio-blk-pci,id=${DRIVE_DEVICE},drive=drive0`]
}

/** Within an option a comma ends a value, and two are one. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,')
}
