import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** TCP_LISTEN of include/net/tcp_states.h, as proc_pid_net(5) prints it. */
const LISTEN = '0A'

/** Number of TCP sockets on which a process listens, in whatever namespace it is. 0 of one that is gone. */
export function listeningSockets(pid: number): number {
  const own = new Set(socketInodes(pid))
  return own.size === 0 ? 0 : ['tcp', 'tcp6'].flatMap((table) => listening(pid, table)).filter((i) => own.has(i)).length
}

function socketInodes(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`
  return unlessGone(() => readdirSync(directory)).flatMap((fd) =>
    unlessGone(() => [readlinkSync(`${directory}/${fd}`)]).flatMap(
      (target) => /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [],
    ),
  )
}

/** Inodes of the listening sockets of its namespace. A kernel without IPv6 has no `tcp6`. */
function listening(pid: number, table: string): readonly string[] {
  const lines = unlessGone(() => readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n'))
  return lines.slice(1).flatMap((line) => {
    const [, , , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    return state === LISTEN ? [inode] : []
  })
}

function unlessGone<T>(read: () => readonly T[]): readonly T[] {
  try {
    return read()
  } catch {
    return []
  }
}
