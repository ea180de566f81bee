import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LISTENING = '00010000' // __SO_ACCEPTCON, as proc_net(5) shows the flags of a unix socket

/** Who listens on a unix socket, as far as /proc tells us: `process 4711 (python3)`. */
export function socketOwner(path: string): string {
  const row = readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find((fields) => fields[3] === LISTENING && fields.slice(7).join(' ') === path)
  const inode = row?.[6]
  const pid = inode === undefined ? undefined : processes().find((each) => holds(each, `socket:[${inode}]`))
  return pid === undefined ? 'in a process we may not see' : `process ${pid} (${nameOf(pid)})`
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

function nameOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'ended meanwhile'
  }
}
