import { closeSync } from 'node:fs'
import { bind, checked, recv, socket } from '../../src/host/libc.ts'
import { AF_UNIX, encodeUnixAddress } from '../../src/host/socket-address.ts'
import { eventually } from './eventually.ts'

/** Where a service tells how it is, as systemd has it (sd_notify(3)). */
export interface NotifyInbox {
  /** For NOTIFY_SOCKET. */
  readonly path: string
  /** Resolves when a message that matches has come. @throws when none comes */
  hears(what: RegExp): Promise<void>
  /** What has come so far counts no more. */
  forget(): void
  close(): void
}

const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0o4000
const SOCK_CLOEXEC = 0o2_000_000

export function openNotifyInbox(path: string): NotifyInbox {
  const address = encodeUnixAddress(path)
  const inbox = checked(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'opening a socket')
  checked(bind(inbox, address, address.length), `binding ${path}`)
  const heard: string[] = []
  const read = () => {
    const bytes = Buffer.alloc(1024)
    for (let length = 1; length > 0; ) {
      length = Number(recv(inbox, bytes, bytes.length, 0))
      if (length > 0) heard.push(bytes.toString('latin1', 0, length))
    }
  }
  // Few messages fit, and a service waits until there is room.
  const timer = setInterval(read, 50).unref()
  return {
    path,
    hears: (what) =>
      eventually(`the service manager hears ${what}`, () => {
        read()
        return heard.some((line) => what.test(line))
      }),
    forget: () => {
      read()
      heard.length = 0
    },
    close: () => {
      clearInterval(timer)
      closeSync(inbox)
    },
  }
}
