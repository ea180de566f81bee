import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LISTENING = '00010000' // __SO_ACCEPTCON, as proc_net(5) shows the flags of a unix socket

/** Who listens on a unix socket, as far as /proc tells us: `process 4711 (python3)`. */
export function socketOwner(path: string): string {
  const known = socketHolders(path).filter((pid) => pid !== undefined)
  const pid = known.find((each) => each !== process.pid) ?? known[0]
  return pid === undefined ? 'in a process we may not see' : `process ${pid} (${nameOf(pid)})`
}

/**
 * The processes that listen on a path, undefined for each that we may not see. There are several when a socket's file was
 * replaced and whoever had it listens on: the kernel knows both by that path.
 */
export function socketHolders(path: string): readonly (number | undefined)[] {
  const links = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === LISTENING && fields.slice(7).join(' ') === path)
    .map((fields) => `socket:[${fields[6]}]`)
  if (links.length === 0) return []
  const running = processes()
  return links.map((link) => {
    const pid = running.find((each) => holds(each, link))
    return pid === undefined ? undefined : Number(pid)
  })
}

function processes(): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name))
}

function holds(pid: string, link: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === link)
  } catch {
    return false // it has ended, or is another user's
  }
}

/** Of one of ours its command: Node calls them all MainThread. */
function nameOf(pid: number): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const at = words.findIndex((word) => /(^|\/)firstboot(\.js)?$/.test(word))
    return at === -1 ? readFileSync(`/proc/${pid}/comm`, 'utf8').trim() : `firstboot ${words[at + 1]}`
  } catch {
    return 'ended meanwhile'
  }
}
