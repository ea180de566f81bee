import { parseIpAddress } from '../inventory/records/address.ts'

const LOOPBACK = '127.0.0.1'

/**
 * Reads where to listen: `ADDRESS:PORT`, `[IPv6]:PORT` (a zone is allowed) or a port of 127.0.0.1. Port 0 leaves the choice
 * to the kernel.
 * @returns undefined when the text is none of these
 */
export function parsePlace(text: string): { readonly host: string; readonly port: number } | undefined {
  const { v6, v4, port = '' } = /^(?:\[(?<v6>[^\]]+)\]:|(?<v4>[\d.]+):)?(?<port>\d{1,5})$/.exec(text)?.groups ?? {}
  const host = v6 ?? v4 ?? LOOPBACK
  const address = parseIpAddress(host.replace(/%.+$/, ''))
  if (port === '' || Number(port) > 65_535 || address === undefined) return undefined
  return address.includes(':') === (v6 !== undefined) ? { host, port: Number(port) } : undefined
}

export function formatPlace({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
