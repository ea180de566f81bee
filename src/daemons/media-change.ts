import { driveDevice } from '../host/disk-images.ts'
import type { MachineFiles } from '../host/machine.ts'
import { keptMachine, machineFiles } from '../host/machine-files.ts'
import { isAlive } from '../host/process.ts'
import { openVirsh } from '../host/virsh.ts'
import { DRIVE_DEVICE } from '../hypervisor/qemu/arguments.ts'
import { changeQemuMedium } from '../hypervisor/qemu/qemu-machines.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { StateDirectory } from './state-directory.ts'

/** What a drive that was replaced means for a guest that runs. */
export type RunningPolicy = 'next-boot' | 'media-change'

/** Target of the config drive in our domains. */
const LIBVIRT_TARGET = 'hda'

/**
 * Carries out the policy for a drive that has just been replaced.
 * @returns a sentence about what the guest sees now
 * @throws HostError when the hypervisor does not change the medium; the guest then goes on with the former drive
 */
export async function refreshMedium(
  { machines }: StateDirectory,
  id: InstanceId,
  policy: RunningPolicy,
  connectionUri: string,
): Promise<string> {
  const files = machineFiles(machines, id)
  const change = await changerOf(files, id, connectionUri)
  if (change === undefined) return 'It does not run here: it reads the new drive when it is started.'
  if (policy === 'next-boot')
    return 'It runs, and reads the former drive until it is started again (--running media-change).'
  if (keptMachine(files)?.machine.drive !== 'cdrom' || driveDevice(files.drive) !== 'cdrom')
    return 'It runs, and its drive is a disk, which cannot be changed under it: it reads the new one when it is started again.'
  await change()
  return 'The medium in its cdrom was changed: a guest that mounts it now reads the new drive.'
}

/** undefined when it does not run. */
async function changerOf(files: MachineFiles, id: InstanceId, uri: string): Promise<(() => Promise<void>) | undefined> {
  const kept = keptMachine(files)
  if (kept?.by === 'qemu')
    return kept.process !== null && isAlive(kept.process) ? () => changeQemuMedium(files, DRIVE_DEVICE) : undefined
  if (kept === undefined) return undefined
  const virsh = openVirsh(uri)
  return (await virsh.running()).has(id) ? () => virsh.changeMedia(id, LIBVIRT_TARGET, files.drive) : undefined
}
