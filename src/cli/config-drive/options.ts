import { type Options, oneOf, text, truth, type Values } from '../../config/option.ts'
import { documentOptions } from '../../config/options/documents.ts'
import { configDriveOptions, machineOptions } from '../../config/options/machines.ts'
import { stateOptions } from '../../config/options/state.ts'

export const options = {
  file: text('FILE', '', 'Take the server from this inventory file; nothing is kept, no inventory is needed.', {
    short: 'f',
  }),
  output: text(
    'FILE',
    '',
    'Where to write the drive. Default: where the instance’s drive is kept in the state directory.',
    {
      short: 'o',
    },
  ),
  format: text(
    'iso9660|vfat|nocloud',
    '',
    'nocloud: an ISO labelled cidata with cloud-init’s own documents, for libvirt, Proxmox, Harvester. Default: config_drive_format.',
  ),
  size: text('SIZE', '64M', 'Size of a VFAT drive: bytes, or with K, M, G.'),
  network_config: oneOf(['1', '2'], '2', 'Version of network-config on a nocloud drive.'),
  seed: text('TEXT', '', 'Draw random_seed from this: equal records then make equal drives. Default: random.'),
  timestamp: text(
    'SECONDS',
    '',
    'When the drive was made, in seconds since 1970. Default: $SOURCE_DATE_EPOCH, else now.',
  ),
  rebuild: truth(
    false,
    'Replace the drive that is kept: Nova never does; a running guest sees the new one as --running says.',
  ),
  running: oneOf(
    ['next-boot', 'media-change'],
    'next-boot',
    'What a rebuilt drive means for a running guest. next-boot: it reads the old one until it is started again. media-change: the medium in its cdrom is changed now (qemu, libvirt; not with vfat, which is a disk).',
  ),
  json: truth(false, 'Print as JSON.'),
  connection_uri: machineOptions.connection_uri,
  ...configDriveOptions,
  ...documentOptions,
  ...stateOptions,
} satisfies Options

export type ConfigDriveValues = Values<typeof options>
