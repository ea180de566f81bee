import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstanceId } from '../inventory/records/ids.ts'
import { errorCode } from './errors.ts'
import type { Machine, MachineFiles } from './machine.ts'
import type { ProcessId } from './process.ts'

/** What is kept of a machine that was started, so that the next run of ours finds it. */
export interface KeptMachine {
  /** Which hypervisor runs it. */
  readonly by: 'qemu' | 'libvirt'
  readonly machine: Machine
  /** Of QEMU; null where libvirt looks after it. */
  readonly process: ProcessId | null
}

/** @param machines  the folder of all of them */
export function machineFiles(machines: string, id: InstanceId): MachineFiles {
  const folder = join(machines, id)
  return {
    folder,
    disk: join(folder, 'disk'),
    drive: join(folder, 'disk.config'),
    console: join(folder, 'console.log'),
    monitor: join(folder, 'monitor'),
    pidFile: join(folder, 'pid'),
    domain: join(folder, 'domain.xml'),
    record: join(folder, 'machine.json'),
  }
}

/** Whole or not at all. */
export function keepMachine({ record }: MachineFiles, kept: KeptMachine): void {
  writeFileSync(`${record}.new`, JSON.stringify(kept), { mode: 0o600 })
  renameSync(`${record}.new`, record)
}

export function forgetMachine({ record }: MachineFiles): void {
  rmSync(record, { force: true })
}

/** @returns undefined when nothing that can be understood is kept */
export function keptMachine({ record }: MachineFiles): KeptMachine | undefined {
  try {
    const value = JSON.parse(readFileSync(record, 'utf8')) as Partial<KeptMachine> | null
    const isWhole = Array.isArray(value?.machine?.interfaces) && (value.by === 'qemu' || value.by === 'libvirt')
    return isWhole
      ? ({ by: value.by, machine: value.machine, process: value.process ?? null } as KeptMachine)
      : undefined
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** The machines of one hypervisor that were started and not yet stopped by us. */
export function keptMachines(machines: string, by: KeptMachine['by']): ReadonlyMap<InstanceId, KeptMachine> {
  return new Map(
    machineFolders(machines).flatMap((id) => {
      const kept = keptMachine(machineFiles(machines, id))
      return kept?.by === by ? [[id, kept] as const] : []
    }),
  )
}

/** Whose files are here, whether they were started or not. @param machines  the folder of all of them */
export function machineFolders(machines: string): InstanceId[] {
  try {
    return readdirSync(machines).filter((name): name is InstanceId => UUID.test(name))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
