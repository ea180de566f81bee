import type { Socket } from 'node:net'

/** The file descriptor of one of Node's sockets, which Node itself does not tell. @returns undefined once it is closed */
export function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = '_handle' in socket ? socket._handle : undefined
  return typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number'
    ? handle.fd
    : undefined
}
