import { RELEASES, type Release } from '../release.ts'

const KNOWN = [
  '2012-08-10',
  '2013-04-04',
  '2013-10-17',
  '2015-10-15',
  '2016-06-30',
  '2016-10-06',
  '2017-02-22',
  '2018-08-27',
  '2020-10-14',
  '2025-04-04',
] as const

/** Versions are dates and compare as text. */
export type OpenstackVersion = (typeof KNOWN)[number]

/** Oldest first. */
export function openstackVersions(release: Release): readonly OpenstackVersion[] {
  return KNOWN.filter((version) => version <= RELEASES[release].newestOpenstackVersion)
}

export function openstackVersion(name: string, release: Release): OpenstackVersion | undefined {
  if (name === 'latest') return RELEASES[release].newestOpenstackVersion
  return openstackVersions(release).find((version) => version === name)
}

/** Versions dated after `today` are not listed, though they are served. */
export function openstackVersionList(release: Release, today: string): string {
  return [...openstackVersions(release).filter((version) => version <= today), 'latest'].join('\n')
}
