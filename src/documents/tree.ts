import type { Instance } from '../inventory/records/instance.ts'
import type { Context } from './context.ts'
import { find, printEntry } from './directory.ts'
import { type Document, TEXT } from './document.ts'
import { ec2Tree } from './ec2/meta-data.ts'
import { type Ec2Version, ec2Version, ec2VersionList } from './ec2/versions.ts'
import { contents } from './openstack/content.ts'
import { listedFiles, type OpenstackFile, openstackFile } from './openstack/files.ts'
import { type OpenstackVersion, openstackVersion, openstackVersionList } from './openstack/versions.ts'
import type { Release } from './release.ts'

/** What a path names, before anyone asks of which instance. */
export type Place =
  | { readonly kind: 'ec2-versions' }
  | { readonly kind: 'ec2'; readonly version: Ec2Version; readonly names: readonly string[] }
  | { readonly kind: 'openstack-versions' }
  | { readonly kind: 'openstack-listing'; readonly version: OpenstackVersion }
  | { readonly kind: 'openstack-file'; readonly version: OpenstackVersion; readonly file: OpenstackFile }
  | { readonly kind: 'openstack-content'; readonly number: string }

/** @returns undefined when no instance has anything there */
export function locate(names: readonly string[], release: Release): Place | undefined {
  const [family, ...below] = names
  if (family === 'openstack') return locateOpenstack(below, release)
  return locateEc2(family === 'ec2' ? below : names)
}

/** Case counts, and the prefix counts once: `/ec2/ec2` is nothing. */
function locateEc2([first, ...names]: readonly string[]): Place | undefined {
  if (first === undefined) return { kind: 'ec2-versions' }
  const version = ec2Version(first)
  return version && { kind: 'ec2', version, names }
}

function locateOpenstack(names: readonly string[], release: Release): Place | undefined {
  const [first, name, ...more] = names
  if (first === undefined) return { kind: 'openstack-versions' }
  if (more.length > 0) return undefined
  if (first === 'content') return name === undefined ? undefined : { kind: 'openstack-content', number: name }
  const version = openstackVersion(first, release)
  if (version === undefined) return undefined
  if (name === undefined || name === LISTING_ALIAS) return { kind: 'openstack-listing', version }
  const file = openstackFile(name, version)
  return file && { kind: 'openstack-file', version, file }
}

/** `/openstack/latest/version` answers like `/openstack/latest`: an accident of Nova's that guests can see. */
const LISTING_ALIAS = 'version'

/** Reads a place as this instance. @returns undefined when this instance has nothing there */
export function readPlace(place: Place, instance: Instance, context: Context): Document | undefined {
  switch (place.kind) {
    case 'ec2-versions':
      return ec2Versions()
    case 'ec2':
      return readEc2(place.version, place.names, instance, context)
    case 'openstack-versions':
      return text(openstackVersionList(context.release, context.today))
    case 'openstack-listing':
      return text(
        listedFiles(place.version, instance)
          .map((file) => file.name)
          .join('\n'),
      )
    case 'openstack-file':
      return document(place.file.draw(instance, place.version, context), place.file.contentType)
    case 'openstack-content':
      return document(contents(instance, context).find((content) => content.number === place.number)?.body)
  }
}

/** The one document that is the same for everybody. */
export function ec2Versions(): Document {
  return text(ec2VersionList())
}

function readEc2(version: Ec2Version, names: readonly string[], instance: Instance, context: Context) {
  const entry = find(ec2Tree(version, instance, context), names)
  return entry === undefined ? undefined : document(printEntry(entry))
}

function text(lines: string): Document {
  return { contentType: TEXT, body: Buffer.from(lines) }
}

function document(body: Uint8Array | undefined, contentType: Document['contentType'] = TEXT): Document | undefined {
  return body && { contentType, body }
}
