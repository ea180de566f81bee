/**
 * The hostname Nova makes of a display name when a server is created. With nothing usable in the name it is
 * `Server-<uuid>`.
 * @see nova/utils.py sanitize_hostname, behaviour as of 2022.2
 */
export function hostnameOf(displayName: string, serverId: string): string {
  const latin = [...displayName].filter((character) => (character.codePointAt(0) ?? 0) <= 0xff).join('')
  const sanitized = latin
    .slice(0, HOSTNAME_MAX)
    .replaceAll(/[ _.]/g, '-')
    .replaceAll(/[^\p{L}\p{N}_.-]/gu, '')
    .toLowerCase()
    .replaceAll(/^[.-]+|[.-]+$/g, '')
  return sanitized === '' ? `Server-${serverId}` : sanitized
}

/** Characters of one DNS label. */
const HOSTNAME_MAX = 63
