import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import koffi, { type KoffiFunc } from 'koffi'

/** System calls that Node has no word for. Each returns -1 on failure; `checked` makes that an exception. */

// The process itself is linked to its C library, whatever that is called (glibc, musl).
const process = koffi.load(null)

type Bytes = Uint8Array

export const setns: KoffiFunc<(fd: number, kind: number) => number> = process.func('int setns(int, int)')
export const unshare: KoffiFunc<(kinds: number) => number> = process.func('int unshare(int)')
export const mount: KoffiFunc<(source: string, target: string, type: string, flags: number, data: null) => number> =
  process.func('int mount(str, str, str, unsigned long, void *)')
export const flock: KoffiFunc<(fd: number, operation: number) => number> = process.func('int flock(int, int)')
export const socket: KoffiFunc<(family: number, type: number, protocol: number) => number> =
  process.func('int socket(int, int, int)')
export const setsockopt: KoffiFunc<(fd: number, level: number, name: number, value: Bytes, size: number) => number> =
  process.func('int setsockopt(int, int, int, void *, uint32_t)')
export const getsockopt: KoffiFunc<(fd: number, level: number, name: number, value: Bytes, size: Bytes) => number> =
  process.func('int getsockopt(int, int, int, void *, void *)')
export const bind: KoffiFunc<(fd: number, address: Bytes, size: number) => number> = process.func(
  'int bind(int, void *, uint32_t)',
)
export const listen: KoffiFunc<(fd: number, backlog: number) => number> = process.func('int listen(int, int)')
export const connect: KoffiFunc<(fd: number, address: Bytes, size: number) => number> = process.func(
  'int connect(int, void *, uint32_t)',
)
export const getpeername: KoffiFunc<(fd: number, address: Bytes, size: Bytes) => number> = process.func(
  'int getpeername(int, void *, void *)',
)
export const getsockname: KoffiFunc<(fd: number, address: Bytes, size: Bytes) => number> = process.func(
  'int getsockname(int, void *, void *)',
)
export const send: KoffiFunc<(fd: number, bytes: Bytes, size: number, flags: number) => number> = process.func(
  'int64_t send(int, void *, size_t, int)',
)
export const recv: KoffiFunc<(fd: number, bytes: Bytes, size: number, flags: number) => number> = process.func(
  'int64_t recv(int, void *, size_t, int)',
)
export const epoll_create1: KoffiFunc<(flags: number) => number> = process.func('int epoll_create1(int)')
export const epoll_ctl: KoffiFunc<(epoll: number, operation: number, fd: number, event: Bytes) => number> =
  process.func('int epoll_ctl(int, int, int, void *)')
export const epoll_wait: KoffiFunc<(epoll: number, events: Bytes, count: number, milliseconds: number) => number> =
  process.func('int epoll_wait(int, void *, int, int)')
export const getrlimit: KoffiFunc<(resource: number, limits: BigUint64Array) => number> =
  process.func('int getrlimit(int, void *)')
/** struct ifreq (netdevice(7)): 16 bytes of name, then a union of 24, of which here the pointer. */
koffi.struct('ifreq', { name: koffi.array('char', 16), data: 'void *', unused: koffi.array('uint8_t', 16) })
export interface InterfaceRequest {
  readonly name: string
  readonly data: ArrayBufferView
  readonly unused: readonly number[]
}
export const ioctl: KoffiFunc<(fd: number, request: number, argument: InterfaceRequest) => number> = process.func(
  'int ioctl(int, unsigned long, ifreq *)',
)
/** Of the call just made by this thread. */
export function errno(): number {
  return koffi.errno()
}

/** @throws Error with `code` (`EADDRINUSE`) when the call returned -1: `bind 10.0.0.1:80: address already in use` */
export function checked(result: number, attempt: string): number {
  if (result !== -1) return result
  const number = -errno()
  throw Object.assign(new Error(`${attempt}: ${getSystemErrorMessage(number)}`), { code: getSystemErrorName(number) })
}
