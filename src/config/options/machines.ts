import { SKIPPED_VERSIONS } from '../../config-drive/skipped-versions.ts'
import { inFiles, oneOf, text, texts, truth } from '../option.ts'

/** Options of config drives, under nova's names. */
export const configDriveOptions = {
  config_drive_format: inFiles(
    oneOf(
      ['iso9660', 'vfat'],
      'iso9660',
      'What a config drive is. iso9660: a cdrom, read-only, which every guest can read; libvirt before 1.2.17 cannot carry it along in a block live migration. vfat: an ordinary disk of 64 MiB, which block live migration mirrors; afterburn does not read it.',
    ),
    ['DEFAULT.config_drive_format'],
  ),
  config_drive_skip_versions: inFiles(
    {
      ...texts('VERSION', SKIPPED_VERSIONS, 'EC2 versions that are left out. The OpenStack tree is always whole.'),
      parse: (given) => given.split(/\s+/).filter(Boolean), // in files all are on one line
    },
    ['api.config_drive_skip_versions', 'DEFAULT.config_drive_skip_versions'],
  ),
  mkisofs_cmd: inFiles(
    text(
      'PROGRAM',
      '',
      'Have this program (genisoimage, mkisofs, xorrisofs) build the ISO, with the arguments Nova gives it. Default: no program, firstboot does it.',
    ),
    ['DEFAULT.mkisofs_cmd'],
  ),
  force_config_drive: inFiles(truth(false, 'Give every server a config drive that has not been started before.'), [
    'DEFAULT.force_config_drive',
  ]),
}

/** Options of virtual machines, under nova's names. */
export const machineOptions = {
  virt_type: oneOf(['qemu', 'kvm'], 'qemu', 'How virtual machines run: in software, or with the processor’s help.'),
  connection_uri: text('URI', 'qemu:///system', 'The libvirt that runs servers of the kind `hypervisor: libvirt`.'),
}
