import type { Machine, MachineFiles } from '../../host/machine.ts'
import { ipVersion } from '../../inventory/records/address.ts'
import type { RecordSet } from '../../inventory/records/records.ts'
import type { Server } from '../../inventory/records/server.ts'
import { systemEntries } from '../smbios.ts'
import { type Element, writeXml } from './xml.ts'

export interface DomainSettings {
  readonly virtType: 'qemu' | 'kvm'
  /** Of the Nova that SMBIOS and the metadata name. */
  readonly productVersion: string
}

/** A domain as Nova's libvirt driver defines it, as far as metadata is concerned: what the guest sees of itself (sysinfo,
 *  config drive, interfaces), and what tools on the host read (`nova:instance`). */
export function domainXml(
  machine: Machine,
  files: Pick<MachineFiles, 'disk' | 'drive' | 'console'>,
  server: Server,
  records: RecordSet,
  settings: DomainSettings,
): string {
  const entries = systemEntries(machine.id, settings.productVersion)
  return writeXml({
    name: 'domain',
    attributes: { type: settings.virtType },
    content: [
      text('uuid', machine.id),
      text('name', machine.label),
      text('memory', String(machine.memoryMib * 1024)),
      text('vcpu', String(machine.vcpus)),
      { name: 'metadata', content: [novaInstance(server, records, settings.productVersion)] },
      {
        name: 'sysinfo',
        attributes: { type: 'smbios' },
        content: [{ name: 'system', content: entries.map(([name, value]) => text('entry', value, { name })) }],
      },
      operatingSystem(machine),
      { name: 'features', content: [{ name: 'acpi' }, { name: 'apic' }] },
      { name: 'clock', attributes: { offset: 'utc' } },
      { name: 'devices', content: devices(machine, files) },
    ],
  })
}

function operatingSystem({ kernel, initrd, commandLine }: Machine): Element {
  const direct = kernel === null ? [] : [text('kernel', kernel), ...(initrd === null ? [] : [text('initrd', initrd)])]
  return {
    name: 'os',
    content: [
      text('type', 'hvm', { machine: 'pc', arch: 'x86_64' }),
      ...direct,
      ...(kernel === null ? [] : [text('cmdline', commandLine)]),
      { name: 'boot', attributes: { dev: 'hd' } },
      { name: 'smbios', attributes: { mode: 'sysinfo' } },
    ],
  }
}

function devices(machine: Machine, files: Pick<MachineFiles, 'disk' | 'drive' | 'console'>): Element[] {
  return [
    ...(machine.image === null ? [] : [disk('disk', 'qcow2', files.disk, { bus: 'virtio', dev: 'vda' })]),
    ...(machine.drive === null ? [] : [configDrive(machine, files.drive)]),
    ...machine.interfaces.map(networkInterface),
    {
      name: 'serial',
      attributes: { type: 'file' },
      content: [{ name: 'source', attributes: { path: files.console, append: 'on' } }],
    },
    {
      name: 'rng',
      attributes: { model: 'virtio' },
      content: [text('backend', '/dev/urandom', { model: 'random' })],
    },
  ]
}

/** The first free name of its bus. A cdrom is read-only to libvirt whatever is said. */
function configDrive({ drive, image }: Machine, path: string): Element {
  return drive === 'cdrom'
    ? disk('cdrom', 'raw', path, { bus: 'ide', dev: 'hda' })
    : disk('disk', 'raw', path, { bus: 'virtio', dev: image === null ? 'vda' : 'vdb' })
}

function disk(device: string, format: string, file: string, target: { bus: string; dev: string }): Element {
  return {
    name: 'disk',
    attributes: { type: 'file', device },
    content: [
      { name: 'driver', attributes: { name: 'qemu', type: format } },
      { name: 'source', attributes: { file } },
      { name: 'target', attributes: target },
    ],
  }
}

function networkInterface({ mac, bridge, tap, mtu }: Machine['interfaces'][number]): Element {
  return {
    name: 'interface',
    attributes: { type: 'bridge' },
    content: [
      { name: 'mac', attributes: { address: mac } },
      { name: 'model', attributes: { type: 'virtio' } },
      { name: 'source', attributes: { bridge } },
      { name: 'mtu', attributes: { size: String(mtu) } },
      { name: 'target', attributes: { dev: tap } },
    ],
  }
}

const NOVA_NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova/1.1'

/** Nova writes the time of creation too; here equal records give equal domains. */
function novaInstance(server: Server, records: RecordSet, version: string): Element {
  const flavor = records.flavor.get(server.flavorId)
  const project = records.project.get(server.projectId)
  return {
    name: 'nova:instance',
    attributes: { 'xmlns:nova': NOVA_NAMESPACE },
    content: [
      { name: 'nova:package', attributes: { version } },
      text('nova:name', server.name),
      {
        name: 'nova:flavor',
        attributes: { name: flavor?.name ?? '' },
        content: [
          text('nova:memory', String(flavor?.ramMib ?? 0)),
          text('nova:disk', String(flavor?.diskGib ?? 0)),
          text('nova:swap', String(flavor?.swapMib ?? 0)),
          text('nova:ephemeral', String(flavor?.ephemeralGib ?? 0)),
          text('nova:vcpus', String(flavor?.vcpus ?? 0)),
        ],
      },
      {
        name: 'nova:owner',
        content: [
          text('nova:user', server.userId, { uuid: server.userId }),
          text('nova:project', project?.name ?? server.projectId, { uuid: server.projectId }),
        ],
      },
      ...(server.imageId === null ? [] : [{ name: 'nova:root', attributes: { type: 'image', uuid: server.imageId } }]),
      { name: 'nova:ports', content: server.portIds.flatMap((id) => novaPort(id, records)) },
    ],
  }
}

function novaPort(id: string, records: RecordSet): Element[] {
  const port = records.port.get(id)
  if (port === undefined) return []
  const addresses = port.fixedIps.map(({ ipAddress: address }) => ({
    name: 'nova:ip',
    attributes: { type: 'fixed', address, ipVersion: String(ipVersion(address)) },
  }))
  return [{ name: 'nova:port', attributes: { uuid: port.id }, content: addresses }]
}

function text(name: string, content: string, attributes: Element['attributes'] = {}): Element {
  return { name, attributes, content }
}
