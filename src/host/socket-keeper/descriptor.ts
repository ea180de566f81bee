import koffi, { type KoffiFunc } from 'koffi'
import { checked } from '../libc.ts'

/** Open descriptors from process to process, over a unix socket (SCM_RIGHTS of unix(7)). Node itself can do so only between
 *  a parent and its child, and only for what it listens on itself. */

const library = koffi.load(null)

const IoVector = koffi.struct('iovec', { iov_base: 'void *', iov_len: 'size_t' })
const MessageHeader = koffi.struct('msghdr', {
  msg_name: 'void *',
  msg_namelen: 'uint32_t',
  msg_iov: koffi.pointer(IoVector),
  msg_iovlen: 'size_t',
  msg_control: 'void *',
  msg_controllen: 'size_t',
  msg_flags: 'int',
})

interface Message {
  msg_name: null
  msg_namelen: number
  msg_iov: [{ iov_base: Uint8Array; iov_len: number }]
  msg_iovlen: number
  msg_control: Uint8Array
  msg_controllen: number
  msg_flags: number
}

const sendmsg: KoffiFunc<(fd: number, message: Message, flags: number) => number> = library.func('sendmsg', 'int64_t', [
  'int',
  koffi.pointer(MessageHeader),
  'int',
])
const recvmsg: KoffiFunc<(fd: number, message: Message, flags: number) => number> = library.func('recvmsg', 'int64_t', [
  'int',
  koffi.inout(koffi.pointer(MessageHeader)),
  'int',
])

const SOL_SOCKET = 1
const SCM_RIGHTS = 1
const MSG_NOSIGNAL = 0x4000
const MSG_CMSG_CLOEXEC = 0x4000_0000

/** A struct cmsghdr of 64-bit Linux: length (8 bytes), level, type; behind it one descriptor, padded to 8 bytes. */
const HEADER_BYTES = 16
const LENGTH = HEADER_BYTES + 4
const CONTROL_BYTES = 24

/** Sends one byte and a descriptor with it. Ours stays open. @throws Error with `code` */
export function sendDescriptor(socket: number, fd: number): void {
  const control = Buffer.alloc(CONTROL_BYTES)
  control.writeBigUInt64LE(BigInt(LENGTH), 0)
  control.writeInt32LE(SOL_SOCKET, 8)
  control.writeInt32LE(SCM_RIGHTS, 12)
  control.writeInt32LE(fd, HEADER_BYTES)
  checked(Number(sendmsg(socket, message(Buffer.of(1), control), MSG_NOSIGNAL)), 'passing a descriptor')
}

/**
 * Receives what `sendDescriptor` sent; waits for it if the socket blocks. A byte without a descriptor says that there is
 * none.
 * @returns undefined when there is none
 * @throws Error with `code`, also when the other side is gone
 */
export function receiveDescriptor(socket: number): number | undefined {
  const control = Buffer.alloc(CONTROL_BYTES)
  const size = checked(
    Number(recvmsg(socket, message(Buffer.alloc(1), control), MSG_CMSG_CLOEXEC)),
    'taking over a descriptor',
  )
  if (size === 0) throw Object.assign(new Error('taking over a descriptor: the other side hung up'), { code: 'EPIPE' })
  const isOne = control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS
  return isOne ? control.readInt32LE(HEADER_BYTES) : undefined
}

function message(bytes: Uint8Array, control: Uint8Array): Message {
  return {
    msg_name: null,
    msg_namelen: 0,
    msg_iov: [{ iov_base: bytes, iov_len: bytes.length }],
    msg_iovlen: 1,
    msg_control: control,
    msg_controllen: control.length,
    msg_flags: 0,
  }
}
