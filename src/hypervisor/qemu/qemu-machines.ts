import { readFileSync, rmSync } from 'node:fs'
import { makeDisk } from '../../host/disk-images.ts'
import { attempting, HostError } from '../../host/errors.ts'
import type { GuestState } from '../../host/guest.ts'
import { removeDevice } from '../../host/links.ts'
import type { Machine, MachineFiles } from '../../host/machine.ts'
import { forgetMachine, keepMachine, keptMachine, keptMachines, machineFiles } from '../../host/machine-files.ts'
import { endProcess, isAlive, isGoneWithin, type ProcessId, processId } from '../../host/process.ts'
import { runProgram } from '../../host/programs.ts'
import { askQemu } from '../../host/qmp.ts'
import { addTap, replugTap, tapCondition } from '../../host/taps.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import type { Hypervisor } from '../keeper.ts'
import { QEMU, type QemuSettings, qemuArguments } from './arguments.ts'

export interface QemuMachinesOptions extends QemuSettings {
  /** The folder of all machines. */
  readonly machines: string
  /** Sees to it that the machine's config drive is there, if it gets one; makes its folder in any case. */
  readonly prepare: (machine: Machine, files: MachineFiles) => Promise<void>
}

/** Nova waits a minute; a guest without ACPI would keep every restart waiting. */
const SHUTDOWN_MILLISECONDS = 10_000

/** Unix socket addresses are no longer. */
const SOCKET_PATH_BYTES = 107

/** Instances that are QEMU's virtual machines. They outlive us and are adopted by the next run. */
export function qemuMachines(options: QemuMachinesOptions): Hypervisor<Machine> {
  const { machines, prepare } = options
  const filesOf = (id: InstanceId) => machineFiles(machines, id)

  async function stop(id: InstanceId): Promise<void> {
    const files = filesOf(id)
    const kept = keptMachine(files)
    if (kept === undefined) return
    if (kept.process !== null) await endMachine(kept.process, files)
    for (const { tap } of kept.machine.interfaces) await removeDevice(tap)
    rmSync(files.monitor, { force: true })
    forgetMachine(files)
  }

  return {
    known: async () =>
      new Map(
        [...keptMachines(machines, 'qemu')].map(
          ([id, { machine, process }]) => [id, stateOf(machine, process)] as const,
        ),
      ),
    async start(machine) {
      await stop(machine.id)
      await attempting(`starting instance ${machine.id}`, async () => {
        const files = filesOf(machine.id)
        checkBootable(machine, files)
        await prepare(machine, files)
        if (machine.image !== null) await makeDisk(files.disk, machine.image, machine.diskGib)
        // Kept before anything is made, so that what a failure leaves is found and taken away.
        keepMachine(files, { by: 'qemu', machine, process: null })
        for (const vif of machine.interfaces) await addTap(vif)
        const daemon = ['-daemonize', '-pidfile', files.pidFile]
        await runProgram(QEMU, [...qemuArguments(machine, files, options), ...daemon])
        keepMachine(files, { by: 'qemu', machine, process: processOf(files) })
      })
    },
    async attach({ interfaces }) {
      for (const vif of interfaces) await replugTap(vif)
    },
    stop,
    forget: async (id) => rmSync(filesOf(id).folder, { recursive: true, force: true }),
  }
}

/** Puts the drive that now lies at its place into the cdrom of a running machine. @throws HostError */
export function changeQemuMedium(files: MachineFiles, device: string): Promise<void> {
  return askQemu(files.monitor, 'blockdev-change-medium', { id: device, filename: files.drive, format: 'raw' })
}

function stateOf(machine: Machine, process: ProcessId | null): GuestState<Machine> {
  const isRunning = process !== null && isAlive(process)
  return { guest: machine, condition: isRunning ? tapCondition(machine.interfaces) : 'down' }
}

function processOf({ pidFile }: MachineFiles): ProcessId {
  const found = processId(Number(readFileSync(pidFile, 'ascii').trim()))
  if (found === undefined) throw new HostError('it ended at once')
  return found
}

function checkBootable({ image, kernel }: Machine, { monitor }: MachineFiles): void {
  if (image === null && kernel === null)
    throw new HostError('it has nothing to boot: give its image the property direct_url: file:///PATH, or kernel_id')
  if (Buffer.byteLength(monitor) > SOCKET_PATH_BYTES)
    throw new HostError(`${monitor} is too long for a socket; choose a shorter --state-dir`)
}

/** Presses the power button, and pulls the plug when that does not help. */
async function endMachine(process: ProcessId, { monitor }: MachineFiles): Promise<void> {
  if (!isAlive(process)) return
  const isAsked = await askQemu(monitor, 'system_powerdown').then(
    () => true,
    () => false, // it has hung up meanwhile, or will not listen
  )
  if (!isAsked || !(await isGoneWithin(process, SHUTDOWN_MILLISECONDS))) await endProcess(process)
}
