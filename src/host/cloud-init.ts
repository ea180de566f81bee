import { globSync } from 'node:fs'

/** Where distributions install Python packages, Debian first. */
const PACKAGES = [
  '/usr/lib/python3/dist-packages',
  '/usr/lib/python3*/site-packages',
  '/usr/lib64/python3*/site-packages',
  '/usr/local/lib/python3*/{site,dist}-packages',
]

/** The schema of cloud-config that an installed cloud-init carries, by path. undefined: none is installed. */
export function findCloudInitSchema(root = ''): string | undefined {
  return PACKAGES.flatMap((folder) =>
    globSync(`${root}${folder}/cloudinit/config/schemas/schema-cloud-config-v1.json`).sort(),
  )[0]
}
