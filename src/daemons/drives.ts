import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Values } from '../config/option.ts'
import type { configDriveOptions } from '../config/options/machines.ts'
import { CONFIG_DRIVE_LABEL, driveImage, publisher } from '../config-drive/formats.ts'
import { type Drive, type DriveFile, type DriveFormat, DriveProblem } from '../config-drive/image.ts'
import { driveFiles } from '../config-drive/layout.ts'
import { type DriveNeed, driveNeed } from '../config-drive/need.ts'
import type { NetworkConfigVersion } from '../config-drive/network-config.ts'
import { NOCLOUD_LABEL, noCloudFiles } from '../config-drive/no-cloud.ts'
import { readImage } from '../config-drive/read-image.ts'
import { openImageFile, writeImage } from '../host/image-file.ts'
import { runMkisofs } from '../host/mkisofs.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import type { Server } from '../inventory/records/server.ts'
import type { Log } from '../observe/log.ts'
import type { DocumentValues } from './metadata-service.ts'
import { openVendorData } from './vendor-data.ts'

export type DriveValues = DocumentValues & Values<typeof configDriveOptions>

/** `nocloud` is an ISO too, with cloud-init's own documents in place of OpenStack's. */
export type DriveKind = DriveFormat | 'nocloud'

export interface DriveRequest {
  readonly kind: DriveKind
  /** Bytes of a VFAT image; Nova's 64 MiB when left out. */
  readonly sizeBytes?: number
  /** Of a NoCloud drive. */
  readonly networkConfig?: NetworkConfigVersion
  /** Two drives of the same record, seed and timestamp have equal bytes. Random, and now, when left out. */
  readonly seed?: string
  readonly timestamp?: Date
}

/** Builds drives of instances, with the system's clock and generator where nothing is said. */
export interface Drives {
  /** The files as a drive built now would have them. The seed is another each time unless given. */
  files(instance: Instance, request: DriveRequest): Promise<readonly DriveFile[]>
  /** @throws DriveProblem, HostError or an error of the system; then nothing is at the path that was not before */
  write(instance: Instance, path: string, request: DriveRequest): Promise<void>
}

/** Enough to draw any number of seeds from. */
const SEED_BYTES = 64

export function openDrives(values: DriveValues, log: Log): Drives {
  const vendorData = openVendorData(values, log)
  const { release, dhcp_domain: dhcpDomain, vendordata_providers: providers, mkisofs_cmd: mkisofs } = values
  const isDynamic = providers.includes('DynamicJSON')

  async function filesOf(instance: Instance, request: DriveRequest, seed: Uint8Array): Promise<readonly DriveFile[]> {
    // Nova asks the targets once for each version; their answers are about the instance, not the version.
    const dynamic = isDynamic ? await vendorData.dynamic.ask(instance) : []
    const vendor = { providers, static: vendorData.static, dynamic }
    if (request.kind === 'nocloud')
      return noCloudFiles(instance, { dhcpDomain, vendorData: vendor }, request.networkConfig ?? 2)
    const skipVersions = values.config_drive_skip_versions
    return driveFiles(instance, { release, dhcpDomain, vendorData: vendor, skipVersions, seed })
  }

  return {
    files: (instance, request) => filesOf(instance, request, seedOf(request)),
    async write(instance, path, request) {
      const seed = seedOf(request)
      const files = await filesOf(instance, request, seed)
      const label = request.kind === 'nocloud' ? NOCLOUD_LABEL : CONFIG_DRIVE_LABEL
      const format = request.kind === 'vfat' ? 'vfat' : 'iso9660'
      const { timestamp = new Date(), sizeBytes } = request
      const size = sizeBytes === undefined ? {} : { sizeBytes }
      // Ours refuses what cannot be on a drive; a program would fold names or fail half way.
      const image = driveImage(files, { format, label, timestamp, seed, release, ...size })
      if (mkisofs === '' || format === 'vfat') writeImage(path, image)
      else await runMkisofs(mkisofs, path, files, { label, publisher: publisher(release) })
    },
  }
}

function seedOf({ seed }: DriveRequest): Uint8Array {
  return seed === undefined ? randomBytes(SEED_BYTES) : createHash('sha512').update(seed).digest()
}

/** Where the drive of an instance is kept: Nova's name for it. */
export function keptDrivePath(machines: string, id: InstanceId): string {
  return join(machines, id, 'disk.config')
}

/** Others may pass through (libvirt's QEMU runs as another user) but not look around; the files are closed to them by
 *  their own mode. */
export function makeMachineFolder(machines: string, id: InstanceId): void {
  mkdirSync(machines, { recursive: true, mode: 0o711 })
  mkdirSync(join(machines, id), { recursive: true, mode: 0o711 })
}

/** Reads a drive and lets go of the file. @throws DriveProblem naming the file, or an error of the system */
export function withDrive<T>(path: string, use: (drive: Drive) => T): T {
  const source = openImageFile(path)
  try {
    return use(readImage(source))
  } catch (error) {
    throw error instanceof DriveProblem ? new DriveProblem(`${path}: ${error.message}`) : error
  } finally {
    source.close()
  }
}

/** @param isForced  `force_config_drive` */
export function needOf(server: Server, records: RecordSet, machines: string, isForced: boolean): DriveNeed {
  const image = server.imageId === null ? undefined : records.image.get(server.imageId)
  const subnets = server.portIds
    .flatMap((id) => records.port.get(id)?.fixedIps ?? [])
    .flatMap(({ subnetId }) => records.subnet.get(subnetId) ?? [])
  return driveNeed({
    configDrive: server.configDrive,
    isForced,
    wasLaunched: existsSync(join(machines, server.id, 'disk')),
    hasDrive: existsSync(keptDrivePath(machines, server.id)),
    imageProperty: image?.properties.find(([name]) => name === 'img_config_drive')?.[1],
    hasAutomaticAddress: subnets.some(({ enableDhcp, ipv6RaMode }) => enableDhcp || ipv6RaMode !== null),
  })
}
