import { createHash } from 'node:crypto'
import { type Context, RANDOM_SEED_BYTES } from '../documents/context.ts'
import { entryJson } from '../documents/directory.ts'
import { ec2MetaData } from '../documents/ec2/meta-data.ts'
import { EC2_VERSIONS, ec2Version } from '../documents/ec2/versions.ts'
import { writeJson } from '../documents/json.ts'
import { contentPath, contents } from '../documents/openstack/content.ts'
import { listedFiles } from '../documents/openstack/files.ts'
import { openstackVersion, openstackVersions } from '../documents/openstack/versions.ts'
import { userData } from '../documents/user-data.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { DriveFile } from './image.ts'
import { checkInjectedFiles } from './injected-files.ts'

/** What a drive's documents need beside the instance. */
export interface DriveContext extends Pick<Context, 'release' | 'dhcpDomain' | 'vendorData'> {
  /** EC2 versions that are left out (`config_drive_skip_versions`). The OpenStack tree is always whole. */
  readonly skipVersions: readonly string[]
  /** Where `random_seed` comes from: any number of random bytes. Each version shows other bytes drawn from it, so equal
   *  seeds make equal drives. */
  readonly seed: Uint8Array
}

/**
 * The files of a config drive, in the order in which Nova writes them.
 * @throws DriveProblem when an injected file names a place that no guest should write to
 */
export function driveFiles(instance: Instance, context: DriveContext): readonly DriveFile[] {
  checkInjectedFiles(instance.files)
  return [...ec2Files(instance, context), ...openstackFiles(instance, context), ...contentFiles(instance, context)]
}

function ec2Files(instance: Instance, context: DriveContext): DriveFile[] {
  const names = [...EC2_VERSIONS, 'latest'].filter((name) => !context.skipVersions.includes(name))
  const data = userData(instance)
  return names.flatMap((name) => {
    const version = ec2Version(name) ?? 'latest'
    if (version === 'latest') return []
    const document = entryJson(ec2MetaData(version, instance, documentContext(context, name)))
    return [
      ...(data === undefined ? [] : [{ path: `ec2/${name}/user-data`, content: data }]),
      { path: `ec2/${name}/meta-data.json`, content: Buffer.from(writeJson(document)) },
    ]
  })
}

/** Versions of the future too, whatever the service lists today. Without StaticJSON there is no vendor_data.json; Nova
 *  fails there to build a drive at all. */
function openstackFiles(instance: Instance, context: DriveContext): DriveFile[] {
  return [...openstackVersions(context.release), 'latest'].flatMap((name) => {
    const version = openstackVersion(name, context.release)
    if (version === undefined) return []
    const documents = documentContext(context, name)
    return listedFiles(version, instance)
      .filter((file) => file.name !== 'password')
      .flatMap((file) => {
        const content = file.draw(instance, version, documents)
        return content === undefined ? [] : [{ path: `openstack/${name}/${file.name}`, content }]
      })
  })
}

function contentFiles(instance: Instance, context: DriveContext): DriveFile[] {
  return contents(instance, documentContext(context, 'content')).map((content) => ({
    path: `openstack${contentPath(content)}`,
    content: content.body,
  }))
}

/** Nobody asks a drive, and nothing on it is left out for being of the future. */
function documentContext({ release, dhcpDomain, vendorData, seed }: DriveContext, version: string): Context {
  return {
    release,
    dhcpDomain,
    vendorData,
    carrier: 'config-drive',
    today: '9999-12-31',
    get randomSeed() {
      return createHash('shake256', { outputLength: RANDOM_SEED_BYTES }).update(seed).update(version).digest()
    },
    requesterAddress: null,
  }
}
