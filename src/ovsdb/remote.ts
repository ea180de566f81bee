/** Where an ovsdb-server listens. */
export type Remote =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp' | 'ssl'; readonly host: string; readonly port: number }

/** IANA's, and what Open vSwitch takes where none is named. */
const OVSDB_PORT = 6640

/** `tcp:10.0.0.1`, `ssl:[fd00::1]:6642`, `tcp:db.example:6641`. */
const INTERNET = /^(tcp|ssl):(?:\[([^[\]\s]+)\]|([^[\]:\s]+))(?::(\d{1,5}))?$/

/**
 * Reads connection methods as Open vSwitch writes them: `unix:PATH`, `tcp:HOST[:PORT]`, `ssl:HOST[:PORT]`, IPv6 addresses
 * in brackets, several separated by commas.
 * @throws SyntaxError naming the one that is none
 */
export function parseRemotes(text: string): readonly Remote[] {
  return text.split(',').map((one) => parseRemote(one.trim()))
}

function parseRemote(text: string): Remote {
  if (text.startsWith('unix:') && text.length > 'unix:'.length) return { kind: 'unix', path: text.slice(5) }
  const [, kind, address, name, port] = INTERNET.exec(text) ?? []
  const number = port === undefined ? OVSDB_PORT : Number(port)
  if (kind === undefined || number < 1 || number > 65_535)
    throw new SyntaxError(
      `${JSON.stringify(text)} is no OVSDB remote: unix:PATH, tcp:HOST[:PORT] or ssl:HOST[:PORT], IPv6 in []`,
    )
  return { kind: kind as 'tcp' | 'ssl', host: address ?? name ?? '', port: number }
}

export function formatRemote(remote: Remote): string {
  if (remote.kind === 'unix') return `unix:${remote.path}`
  const host = remote.host.includes(':') ? `[${remote.host}]` : remote.host
  return `${remote.kind}:${host}:${remote.port}`
}
