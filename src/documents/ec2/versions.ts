/** Oldest first. All of them are always listed, then `latest`. */
export const EC2_VERSIONS = [
  '1.0',
  '2007-01-19',
  '2007-03-01',
  '2007-08-29',
  '2007-10-10',
  '2007-12-15',
  '2008-02-01',
  '2008-09-01',
  '2009-04-04',
] as const

/** Versions compare as text: `1.0` is below every year. */
export type Ec2Version = (typeof EC2_VERSIONS)[number]

/** `latest` is the newest. Unknown versions are undefined, never an alias: clients probe for newer ones by their 404. */
export function ec2Version(name: string): Ec2Version | undefined {
  return name === 'latest' ? '2009-04-04' : EC2_VERSIONS.find((version) => version === name)
}

export function ec2VersionList(): string {
  return [...EC2_VERSIONS, 'latest'].join('\n')
}
