import { rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { makeDisk } from '../../host/disk-images.ts'
import { attempting } from '../../host/errors.ts'
import type { GuestState } from '../../host/guest.ts'
import { makeBridge } from '../../host/links.ts'
import type { Machine, MachineFiles } from '../../host/machine.ts'
import { forgetMachine, keepMachine, keptMachine, keptMachines, machineFiles } from '../../host/machine-files.ts'
import { MARK } from '../../host/mark.ts'
import { replugTap, tapCondition } from '../../host/taps.ts'
import type { Virsh } from '../../host/virsh.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import type { Hypervisor } from '../keeper.ts'

export interface LibvirtMachinesOptions {
  /** The folder of all machines. */
  readonly machines: string
  readonly virsh: Virsh
  /** Sees to it that the machine's config drive is there, if it gets one; makes its folder in any case. */
  readonly prepare: (machine: Machine, files: MachineFiles) => Promise<void>
  /** The domain of a machine. */
  readonly domain: (machine: Machine, files: MachineFiles) => string
}

/** Nova waits a minute; a guest without ACPI would keep every restart waiting. */
const SHUTDOWN_MILLISECONDS = 10_000
const POLL_MILLISECONDS = 200

/** Instances that are domains of a libvirt, defined anew at every start. */
export function libvirtMachines({ machines, virsh, prepare, domain }: LibvirtMachinesOptions): Hypervisor<Machine> {
  const filesOf = (id: InstanceId) => machineFiles(machines, id)

  async function stop(id: InstanceId): Promise<void> {
    const files = filesOf(id)
    if (keptMachine(files) === undefined) return
    if ((await virsh.running()).has(id)) await endDomain(virsh, id)
    await virsh.undefine(id)
    forgetMachine(files)
  }

  return {
    async known() {
      const kept = [...keptMachines(machines, 'libvirt')]
      if (kept.length === 0) return new Map() // there may be no libvirt
      const running = await virsh.running()
      return new Map(kept.map(([id, { machine }]) => [id, stateOf(machine, running.has(id))] as const))
    },
    async start(machine) {
      await stop(machine.id)
      await attempting(`starting instance ${machine.id}`, async () => {
        const files = filesOf(machine.id)
        await prepare(machine, files)
        if (machine.image !== null) await makeDisk(files.disk, machine.image, machine.diskGib)
        keepMachine(files, { by: 'libvirt', machine, process: null })
        for (const { bridge, mtu } of machine.interfaces) await makeBridge({ name: bridge, mtu }, MARK)
        writeFileSync(files.domain, domain(machine, files), { mode: 0o600 })
        await virsh.define(files.domain)
        await virsh.start(machine.id)
      })
    },
    async attach({ interfaces }) {
      for (const vif of interfaces) await replugTap(vif)
    },
    stop,
    forget: async (id) => rmSync(filesOf(id).folder, { recursive: true, force: true }),
  }
}

function stateOf(machine: Machine, isRunning: boolean): GuestState<Machine> {
  return { guest: machine, condition: isRunning ? tapCondition(machine.interfaces) : 'down' }
}

async function endDomain(virsh: Virsh, id: InstanceId): Promise<void> {
  await virsh.shutdown(id).catch(() => undefined) // a guest without an agent or ACPI; the plug helps
  const end = performance.now() + SHUTDOWN_MILLISECONDS
  while (performance.now() < end) {
    if (!(await virsh.running()).has(id)) return
    await delay(POLL_MILLISECONDS)
  }
  await virsh.destroy(id)
}
