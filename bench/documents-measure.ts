import { spawnSync } from 'node:child_process'
import { type Asker, askForDocuments, type DocumentsLoad, signedHeaders } from './documents-load.ts'
import { cpuMicroseconds } from './process-usage.ts'

/** What is measured of a metadata API, whosever it is. */

/** What the cloud-init of Debian 12 asks of a guest with one key and one disk, in its order. */
const CRAWL = [
  ...['/openstack', '/openstack'],
  ...['meta_data.json', 'user_data', 'vendor_data.json', 'vendor_data2.json', 'network_data.json'].map(
    (file) => `/openstack/2018-08-27/${file}`,
  ),
  ...[
    ...['', 'block-device-mapping/', 'block-device-mapping/ami', 'block-device-mapping/root', 'placement/'],
    ...['placement/availability-zone', 'public-keys/', 'public-keys/0/openssh-key', 'ami-id', 'ami-launch-index'],
    ...['ami-manifest-path', 'hostname', 'instance-action', 'instance-id', 'instance-type', 'local-hostname'],
    ...['local-ipv4', 'public-hostname', 'public-ipv4', 'reservation-id'],
  ].map((leaf) => `/latest/meta-data/${leaf}`),
]

export const DOCUMENTS = [
  { name: 'meta_data.json', paths: ['/openstack/latest/meta_data.json'] },
  { name: 'network_data.json', paths: ['/openstack/latest/network_data.json'] },
  { name: `cloud-init’s crawl, ${CRAWL.length} requests`, paths: CRAWL },
] as const

export const ROUNDS = 5
export const SECONDS = 1
export const SERVER_CORE = 0
export const LOAD_CORE = 1

/** CPU time for one document, or for one crawl. @param pids  of the server's processes */
export async function cpuOf(pids: readonly number[], load: DocumentsLoad): Promise<number> {
  const used = () => pids.reduce((sum, pid) => sum + cpuMicroseconds(pid), 0)
  const before = used()
  const answers = await askForDocuments(load)
  return ((used() - before) / answers) * load.paths.length
}

/** By curl. @returns undefined unless it is a 200 */
export function ask(port: number, path: string, asker: Asker, secret: string): Buffer | undefined {
  const headers = Object.entries(signedHeaders(asker, secret)).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const { stdout, status } = spawnSync('curl', ['-sf', '-m', '10', ...headers, `http://127.0.0.1:${port}${path}`])
  return status === 0 ? stdout : undefined
}
