import { closeSync } from 'node:fs'
import { checked, connect, send, socket } from './libc.ts'
import { AF_UNIX, encodeUnixAddress } from './socket-address.ts'

// What systemd and a service say to each other: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).

const FIRST_DESCRIPTOR = 3

/** Sockets that the service manager opened for us. The environment is cleared of them, so that no child takes them for
 *  its own. */
export function activatedSockets(env: NodeJS.ProcessEnv): readonly number[] {
  const count = env['LISTEN_PID'] === String(process.pid) ? Number(env['LISTEN_FDS'] ?? 0) : 0
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  return Array.from({ length: count }, (_, i) => FIRST_DESCRIPTOR + i)
}

/** What a service says of itself. */
export type Notice = 'READY=1' | 'STOPPING=1' | 'RELOADING=1' | 'WATCHDOG=1'

/** Tells the service manager. Does nothing where there is none. */
export type Notify = (notice: Notice) => void

const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2_000_000
const MSG_DONTWAIT = 0x40

/** @param env  cleared of what a child must not use in our name */
export function openNotify(env: NodeJS.ProcessEnv): Notify {
  const path = env['NOTIFY_SOCKET']
  delete env['NOTIFY_SOCKET']
  if (path === undefined || !/^[/@]/.test(path)) return () => undefined
  const address = encodeUnixAddress(path)
  return (notice) => {
    // systemd wants to know when a reload began, by the clock of CLOCK_MONOTONIC.
    const words = notice === 'RELOADING=1' ? `${notice}\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}` : notice
    const bytes = Buffer.from(words)
    const fd = checked(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'opening a socket')
    try {
      checked(connect(fd, address, address.length), `connecting to ${path}`)
      // A manager that does not read for a while must not hold us up for a sign of life; the next follows.
      if (notice === 'WATCHDOG=1') send(fd, bytes, bytes.length, MSG_DONTWAIT)
      else checked(Number(send(fd, bytes, bytes.length, 0)), `writing to ${path}`)
    } finally {
      closeSync(fd)
    }
  }
}

/** Says every half of the watchdog's time that we live, if it watches us. @returns what ends it */
export function keepWatchdog(env: NodeJS.ProcessEnv, notify: Notify): () => void {
  const microseconds = Number(env['WATCHDOG_USEC'] ?? 0)
  const isOurs = env['WATCHDOG_PID'] === undefined || env['WATCHDOG_PID'] === String(process.pid)
  for (const name of ['WATCHDOG_PID', 'WATCHDOG_USEC']) delete env[name]
  if (!isOurs || !(microseconds > 0)) return () => undefined
  const timer = setInterval(() => notify('WATCHDOG=1'), microseconds / 2_000)
  return () => clearInterval(timer)
}
