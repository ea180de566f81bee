import { readFile } from 'node:fs/promises'
import type { TlsSource } from '../../ovsdb/ovsdb.ts'
import { unreadable } from '../unreadable.ts'

/** Paths, under the names of options; empty for none. */
type TlsFiles<D extends string> = { readonly [N in `${D}_${(typeof FILES)[number]}`]: string }

const FILES = ['private_key', 'certificate', 'ca_cert'] as const

/** For `openOvsdb`. The files are read at every connection: certificates are renewed while we run.
 *  @param database  what the options' names begin with */
export function tlsOf<D extends 'ovn_sb' | 'ovn_nb'>(database: D, values: TlsFiles<D>): { readonly tls?: TlsSource } {
  const named = FILES.map((file) => ({ option: `${database}_${file}`, path: values[`${database}_${file}`] }))
  if (named.every(({ path }) => path === '')) return {}
  return {
    tls: async () => {
      const [key = '', cert = '', ca = ''] = await Promise.all(named.map(read))
      return { key, cert, ca }
    },
  }
}

async function read({ option, path }: { readonly option: string; readonly path: string }): Promise<string> {
  if (path === '') throw new Error(`${option} is not set, and ssl takes all three: key, certificate and authorities`)
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`${option}: ${unreadable(path, error)}`)
  })
}
