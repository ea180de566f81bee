import { SKIPPED_VERSIONS } from '../../config-drive/skipped-versions.ts'
import { oneOf, text, texts, truth } from '../option.ts'

/** Options of config drives, under nova's names. */
export const configDriveOptions = {
  config_drive_format: oneOf(
    ['iso9660', 'vfat'],
    'iso9660',
    'What a config drive is. iso9660: a cdrom, read-only, which every guest can read; libvirt before 1.2.17 cannot carry it along in a block live migration. vfat: an ordinary disk of 64 MiB, which block live migration mirrors; afterburn does not read it.',
  ),
  config_drive_skip_versions: texts(
    'VERSION',
    SKIPPED_VERSIONS,
    'EC2 versions that are left out. The OpenStack tree is always whole.',
  ),
  mkisofs_cmd: text(
    'PROGRAM',
    '',
    'Have this program (genisoimage, mkisofs, xorrisofs) build the ISO, with the arguments Nova gives it. Default: no program, firstboot does it.',
  ),
  force_config_drive: truth(false, 'Give every server a config drive that has not been started before.'),
  flat_injected: truth(false, 'Render a network template for networks without DHCP.'),
}

/** Options of virtual machines, under nova's names. */
export const machineOptions = {
  virt_type: oneOf(['qemu', 'kvm'], 'qemu', 'How virtual machines run: in software, or with the processor’s help.'),
  connection_uri: text('URI', 'qemu:///system', 'The libvirt that runs servers of the kind `hypervisor: libvirt`.'),
}
