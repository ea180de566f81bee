import type { VendorData } from '../documents/context.ts'
import { RELEASES, type Release } from '../documents/release.ts'
import type { Instance } from '../inventory/records/instance.ts'
import { quote } from './files.ts'
import { type DriveImageOptions, driveImage, FORMATS } from './formats.ts'
import { DriveProblem, type Image } from './image.ts'
import { driveFiles } from './layout.ts'
import { SKIPPED_VERSIONS } from './skipped-versions.ts'

export { type Drive, type DriveEntry, type DriveFormat, DriveProblem, type Image, type ImageSource } from './image.ts'
export { bytesSource, imageBytes } from './image-source.ts'
export { readImage } from './read-image.ts'

/** Of an instance a Node program has to say who it is; everything else counts as not set. */
export type DriveInstance = { readonly id: string; readonly hostname: string } & Partial<
  Omit<Instance, 'id' | 'hostname'>
>

export interface ConfigDriveOptions
  extends Pick<DriveImageOptions, 'timestamp' | 'seed'>,
    Partial<Pick<DriveImageOptions, 'format' | 'sizeBytes' | 'release'>> {
  /** `novalocal` when left out. */
  readonly dhcpDomain?: string
  /** The operator's document only, and none, when left out. */
  readonly vendorData?: VendorData
  /** EC2 versions that are left out: Nova's when not given. */
  readonly skipVersions?: readonly string[]
}

const UNSET: Omit<Instance, 'id' | 'hostname'> = {
  projectId: '' as Instance['projectId'],
  name: '',
  keyName: null,
  keyData: null,
  keypair: null,
  userData: null,
  availabilityZone: null,
  launchIndex: 0,
  reservationId: 'r-00000001',
  rootDeviceName: '/dev/vda',
  defaultEphemeralDevice: null,
  defaultSwapDevice: null,
  adminPassword: null,
  password: '',
  properties: [],
  flavorName: '',
  imageRef: '',
  ec2: { instanceId: 'i-00000001', imageId: null, kernelId: null, ramdiskId: null },
  interfaces: [],
  securityGroups: [],
  blockDevices: [],
  devices: [],
  pinnedCpus: [],
  files: [],
  bootRoles: [],
}

/**
 * A config drive as an image, for Node programs. Pure: `timestamp` and `seed` are all of it that could differ, and equal
 * ones give equal bytes.
 *
 *     import { buildConfigDrive, imageBytes } from 'firstboot/config-drive'
 *     const image = buildConfigDrive({ id, hostname: 'web-1', userData: base64 }, { timestamp: new Date(), seed: randomBytes(64) })
 *     writeFileSync('drive.iso', imageBytes(image))
 *
 * @throws DriveProblem when it cannot be built, with the reason
 */
export function buildConfigDrive(instance: DriveInstance, options: ConfigDriveOptions): Image {
  const { format = 'iso9660', release = 'master' satisfies Release, dhcpDomain = 'novalocal' } = options
  const { vendorData = NO_VENDOR_DATA, skipVersions = SKIPPED_VERSIONS, seed } = options
  for (const name of ['id', 'hostname'] as const)
    if (typeof instance[name] !== 'string' || instance[name] === '')
      throw new DriveProblem(`the instance has no ${name}`)
  checkName('format', format, FORMATS)
  checkName('release', release, RELEASES)
  if (!(seed instanceof Uint8Array) || seed.length === 0)
    throw new DriveProblem('there is no seed; give random bytes that nobody else knows: randomBytes(64) of node:crypto')
  if (!(options.timestamp instanceof Date) || Number.isNaN(options.timestamp.getTime()))
    throw new DriveProblem('there is no timestamp; give a Date, such as new Date()')
  const whole: Instance = { ...UNSET, name: instance.hostname, ...instance, id: instance.id as Instance['id'] }
  const files = driveFiles(whole, { release, dhcpDomain, vendorData, skipVersions, seed })
  return driveImage(files, { ...options, format, release })
}

/** Of what a JavaScript program gives, no compiler has seen to it. */
function checkName(what: string, name: string, known: object): void {
  if (Object.hasOwn(known, name)) return
  throw new DriveProblem(`the ${what} is ${quote(String(name))}, and none of ${Object.keys(known).join(', ')}`)
}

const NO_VENDOR_DATA: VendorData = { providers: ['StaticJSON'], static: undefined, dynamic: [] }
