import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'

/** Neutron's modes. To connect, a proxy needs the right to write. */
const MODES = { user: 0o644, group: 0o664, all: 0o666 } as const

export interface SocketModeValues {
  readonly metadata_proxy_socket_mode: keyof typeof MODES | 'deduce'
  readonly metadata_proxy_user: string
  readonly metadata_proxy_group: string
}

/** Who we are, as names and numbers. */
export interface Ourselves {
  readonly user: readonly string[]
  readonly group: readonly string[]
}

/**
 * The mode of the agent's socket: as told, or as neutron deduces it from whom the proxies run as. Proxies of root or of
 * our own user need nothing beyond the owner's right; those of another user come in by our group, when they are in it;
 * else everybody must be let in. Pure.
 */
export function socketMode(values: SocketModeValues, ourselves: Ourselves): number {
  const { metadata_proxy_socket_mode: mode, metadata_proxy_user: user, metadata_proxy_group: group } = values
  if (mode !== 'deduce') return MODES[mode]
  if (['', '0', 'root', ...ourselves.user].includes(user)) return MODES.user
  return ['', ...ourselves.group].includes(group) ? MODES.group : MODES.all
}

export function whoWeAre(): Ourselves {
  const { uid, gid } = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }
  return { user: [String(uid), userInfo().username], group: [String(gid), ...groupNames(gid)] }
}

/** By /etc/group; a group that only a directory service knows is told by its number. */
function groupNames(gid: number): readonly string[] {
  return readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , id]) => id === String(gid))
    .map(([name = '']) => name)
}
