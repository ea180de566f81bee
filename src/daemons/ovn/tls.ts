import { readFile } from 'node:fs/promises'
import type { TlsSource } from '../../ovsdb/ovsdb.ts'

/** Paths; empty for none. */
export interface TlsFiles {
  readonly key: string
  readonly certificate: string
  readonly authorities: string
}

/** For `openOvsdb`. The files are read at every connection: certificates are renewed while we run. */
export function tlsOf({ key, certificate, authorities }: TlsFiles): { readonly tls?: TlsSource } {
  if (key === '' && certificate === '' && authorities === '') return {}
  const read = (path: string) => readFile(path, 'utf8')
  return {
    tls: async () => ({ key: await read(key), cert: await read(certificate), ca: await read(authorities) }),
  }
}
