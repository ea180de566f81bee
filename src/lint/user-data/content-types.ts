import type { KindName } from './kinds.ts'

/** What cloud-init does with a part, by its declared type. `look`: it goes by how the part begins. */
export type Treatment = KindName | 'look' | 'gzip' | 'nested' | 'handled'

const TREATMENTS: ReadonlyMap<string, Treatment> = new Map(
  Object.entries<Treatment>({
    'text/plain': 'look',
    'text/x-not-multipart': 'look',
    'application/octet-stream': 'look',
    'text/x-shellscript': 'script',
    'text/x-shellscript-per-boot': 'script',
    'text/x-shellscript-per-instance': 'script',
    'text/x-shellscript-per-once': 'script',
    'text/cloud-config': 'cloud-config',
    'text/cloud-config-archive': 'cloud-config-archive',
    'text/cloud-config-jsonp': 'cloud-config-jsonp',
    'text/x-include-url': 'include',
    'text/x-include-once-url': 'include',
    'text/cloud-boothook': 'boothook',
    'text/part-handler': 'part-handler',
    'text/jinja2': 'jinja',
    'text/upstart-job': 'upstart-job',
    'application/gzip': 'gzip',
    'application/gzip-compressed': 'gzip',
    'application/gzipped': 'gzip',
    'application/x-compress': 'gzip',
    'application/x-compressed': 'gzip',
    'application/x-gunzip': 'gzip',
    'application/x-gzip': 'gzip',
    'application/x-gzip-compressed': 'gzip',
    // Heat wraps these around a user's data; its own part handler and cloudbase-init take them.
    'text/x-cfninitdata': 'handled',
  }),
)

export const KNOWN_TYPES: readonly string[] = [...TREATMENTS.keys()]

export function treatmentOf(type: string): Treatment | undefined {
  return type.startsWith('multipart/') ? 'nested' : TREATMENTS.get(type)
}
