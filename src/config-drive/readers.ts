import { CONFIG_DRIVE_LABEL } from './formats.ts'
import type { Drive } from './image.ts'
import { NOCLOUD_LABEL } from './no-cloud.ts'

/** One guest's program that reads config drives, and what it cannot read though others can. */
interface Reader {
  readonly client: string
  readonly why: string
  readonly fails: (drive: Drive) => boolean
}

const BLOCK = 2048

const isConfigDrive = ({ label }: Drive) => label.toLowerCase() === CONFIG_DRIVE_LABEL

const READERS: readonly Reader[] = [
  {
    client: 'every client',
    why: `looks for the label ${CONFIG_DRIVE_LABEL} (or ${NOCLOUD_LABEL} for NoCloud)`,
    fails: (drive) => !isConfigDrive(drive) && drive.label.toLowerCase() !== NOCLOUD_LABEL,
  },
  {
    client: 'afterburn',
    why: `mounts only ISO 9660 with the label exactly ${CONFIG_DRIVE_LABEL}`,
    fails: (drive) => isConfigDrive(drive) && (drive.format !== 'iso9660' || drive.label !== CONFIG_DRIVE_LABEL),
  },
  {
    client: 'cloudbase-init',
    why: 'reads the size of an ISO as 16 bits: at most 65535 blocks, 128 MiB',
    fails: ({ format, size }) => format === 'iso9660' && size > 0xffff * BLOCK,
  },
  {
    client: 'cloud-init, cloudbase-init',
    why: 'take it for a config drive only with openstack/latest/meta_data.json',
    fails: (drive) =>
      isConfigDrive(drive) && !drive.entries.some(({ path }) => path === 'openstack/latest/meta_data.json'),
  },
]

/** Who would not read this drive, and why: lines for a person. */
export function readerProblems(drive: Drive): string[] {
  return READERS.filter(({ fails }) => fails(drive)).map(({ client, why }) => `${client} ${why}`)
}
