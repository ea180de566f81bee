import { existsSync } from 'node:fs'
import type { Values } from '../config/option.ts'
import type { machineOptions } from '../config/options/machines.ts'
import { FORMATS } from '../config-drive/formats.ts'
import { productVersion } from '../config-drive/product.ts'
import { driveDevice } from '../host/disk-images.ts'
import { HostError } from '../host/errors.ts'
import type { Machine, MachineFiles } from '../host/machine.ts'
import { machineFiles } from '../host/machine-files.ts'
import { openVirsh } from '../host/virsh.ts'
import { type Keeper, keepGuests } from '../hypervisor/keeper.ts'
import { domainXml } from '../hypervisor/libvirt/domain-xml.ts'
import { libvirtMachines } from '../hypervisor/libvirt/libvirt-machines.ts'
import { machineOf, machinesOf } from '../hypervisor/machine.ts'
import { QEMU, qemuArguments } from '../hypervisor/qemu/arguments.ts'
import { qemuMachines } from '../hypervisor/qemu/qemu-machines.ts'
import { sweepMachines } from '../hypervisor/sweeper.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Server } from '../inventory/records/server.ts'
import type { Inventory, InventoryStore } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import { type DriveValues, makeMachineFolder, needOf, openDrives } from './drives.ts'
import type { StateDirectory } from './state-directory.ts'

export type MachineValues = DriveValues & Values<typeof machineOptions>

/** Keeps the virtual machines of this host as the inventory wants them: one keeper a hypervisor, and one that sweeps. */
export function keepMachines(
  state: StateDirectory,
  inventory: Inventory,
  store: InventoryStore,
  values: MachineValues,
  log: Log,
): Keeper[] {
  const { machines } = state
  const drives = openDrives(values, log)
  const settings = settingsOf(values)
  const driveOf = (server: Server) => deviceOf(server, inventory.records, machines, values)

  /** A drive that is there stays as it is: Nova freezes it at the first start. */
  async function prepare({ id, drive }: Machine, files: MachineFiles): Promise<void> {
    makeMachineFolder(machines, id)
    if (drive === null || existsSync(files.drive)) return
    const instance = inventory.instance(id)
    if (instance === undefined) throw new HostError('it is in the inventory no more')
    await drives.write(instance, files.drive, { kind: values.config_drive_format })
  }

  const qemu = qemuMachines({ ...settings, machines, prepare })
  const libvirt = libvirtMachines({
    machines,
    virsh: openVirsh(values.connection_uri),
    prepare,
    domain: (machine, files) => {
      const server = inventory.records.server.get(machine.id)
      if (server === undefined) throw new HostError('it is in the inventory no more')
      return domainXml(machine, files, server, inventory.records, settings)
    },
  })
  return [
    keepGuests(inventory, (records) => machinesOf(records, 'qemu', driveOf), qemu, log),
    keepGuests(inventory, (records) => machinesOf(records, 'libvirt', driveOf), libvirt, log),
    sweepMachines(inventory, store, machines, log),
  ]
}

function settingsOf({ virt_type: virtType, release }: MachineValues) {
  return { virtType, productVersion: productVersion(release) }
}

/** A drive that was built is shown as what it is, whatever would be built now. */
function deviceOf(server: Server, records: RecordSet, machines: string, values: MachineValues): Machine['drive'] {
  const { reasons } = needOf(server, records, machines, values.force_config_drive)
  if (reasons.length === 0) return null
  return driveDevice(machineFiles(machines, server.id).drive) ?? FORMATS[values.config_drive_format].device
}

/** What a person would run elsewhere to have this server as a virtual machine. */
export interface Elsewhere {
  /** QEMU's command line, word by word. */
  readonly qemu: readonly string[]
  readonly libvirtXml: string
}

export function elsewhere(server: Server, records: RecordSet, machines: string, values: MachineValues): Elsewhere {
  const files = machineFiles(machines, server.id)
  const machine = machineOf(server, records, deviceOf(server, records, machines, values))
  const settings = settingsOf(values)
  return {
    qemu: [QEMU, ...qemuArguments(machine, files, settings)],
    libvirtXml: domainXml(machine, files, server, records, settings),
  }
}
