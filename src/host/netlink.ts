import { closeSync } from 'node:fs'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import { bind, checked, errno, recv, send, setsockopt, socket } from './libc.ts'

/** Netlink (netlink(7), RFC 3549) as far as reading goes: dumps, and the news that something changed. Numbers are in
 *  the order of the machine, little-endian on every platform koffi has binaries for. */

const AF_NETLINK = 16
const SOCK_RAW_CLOEXEC = 0o2_000_003
export const NETLINK_ROUTE = 0
export const NETLINK_NETFILTER = 12

/** struct nlmsghdr: 16 bytes. */
const HEADER = { length: 0, type: 4, flags: 6, sequence: 8, size: 16 } as const
const NLM_F_REQUEST = 0x1
const NLM_F_ACK = 0x4
const NLM_F_DUMP = 0x300
/** Of changes: what is there is replaced, is an error, what is not there is made. */
export const REPLACE = 0x100
export const EXCLUSIVE = 0x200
export const CREATE = 0x400
const NLM_F_DUMP_INTR = 0x10
const NLMSG_ERROR = 2
const NLMSG_DONE = 3
/** The kernel fills at most half of it at once. */
const BUFFER_BYTES = 65_536
/** One for all: reading is synchronous, and what is kept is copied. */
const received = Buffer.alloc(BUFFER_BYTES)
const DUMP_ATTEMPTS = 5

/** Something changed under a dump, and it cannot be trusted. */
class Interrupted extends Error {}

const SOL_NETLINK = 270
/** Refusals come with a sentence. */
const NETLINK_EXT_ACK = 11
const ON = Uint8Array.of(1, 0, 0, 0)

/** Opens a socket in the namespace of the calling thread. @param groups  bit n-1: news of multicast group n */
export function openNetlink(groups = 0, protocol = NETLINK_ROUTE): number {
  const fd = checked(socket(AF_NETLINK, SOCK_RAW_CLOEXEC, protocol), 'opening a netlink socket')
  const address = Buffer.alloc(12) // struct sockaddr_nl: family, padding, port id (0: the kernel chooses), groups
  address.writeUInt16LE(AF_NETLINK, 0)
  address.writeUInt32LE(groups, 8)
  try {
    checked(setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, ON, ON.length), 'setting an option of a netlink socket')
    checked(bind(fd, address, address.length), 'binding a netlink socket')
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

/**
 * Everything of one kind, one buffer (without header) an object.
 * @param type     RTM_GETLINK, ...
 * @param request  its fixed part, zeros mean everything
 */
export function dump(fd: number, type: number, request: Uint8Array): readonly Buffer[] {
  for (let attempt = 1; ; attempt++) {
    try {
      return dumpOnce(fd, type, request, attempt)
    } catch (error) {
      if (!(error instanceof Interrupted) || attempt === DUMP_ATTEMPTS) throw error
    }
  }
}

function dumpOnce(fd: number, type: number, request: Uint8Array, sequence: number): readonly Buffer[] {
  const message = encode(type, NLM_F_REQUEST | NLM_F_DUMP, sequence, request)
  checked(send(fd, message, message.length, 0), 'asking netlink')
  const found: Buffer[] = []
  let isInterrupted = false
  for (;;) {
    const size = checked(recv(fd, received, received.length, 0), 'reading netlink')
    for (const { kind, flags, body } of messages(Buffer.from(received.subarray(0, size)), sequence)) {
      isInterrupted ||= (flags & NLM_F_DUMP_INTR) !== 0
      if (kind === NLMSG_ERROR) throw new Error(`netlink answered with error ${body.readInt32LE(0)}`)
      if (kind !== NLMSG_DONE) found.push(body)
      else if (isInterrupted) throw new Interrupted('the network changed while it was read')
      else return found
    }
  }
}

/**
 * Asks for one thing, or for one change.
 * @param flags  besides those of every request: `CREATE`, ...
 * @returns what is answered, without header; undefined: only that it is done
 * @throws Error with `code` (`ENODEV`) and what the kernel says about it
 */
export function request(fd: number, type: number, flags: number, body: Uint8Array): Buffer | undefined {
  const message = encode(type, NLM_F_REQUEST | NLM_F_ACK | flags, 1, body)
  checked(send(fd, message, message.length, 0), 'asking netlink')
  let answer: Buffer | undefined
  for (;;) {
    const size = checked(recv(fd, received, received.length, 0), 'reading netlink')
    for (const { kind, flags: told, body: said } of messages(Buffer.from(received.subarray(0, size)), 1)) {
      if (kind !== NLMSG_ERROR) answer = said
      else if (said.readInt32LE(0) === 0) return answer
      else throw refusal(said, told)
    }
  }
}

const ERROR_BYTES = 4 + HEADER.size
const NLM_F_CAPPED = 0x100
const NLMSGERR_ATTR_MSG = 1

/** struct nlmsgerr: a number, what was asked (its header only, when capped), and attributes. */
function refusal(said: Buffer, flags: number): Error {
  const number = said.readInt32LE(0)
  const asked = (flags & NLM_F_CAPPED) === 0 ? said.readUInt32LE(4) - HEADER.size : 0
  const why = attributes(said.subarray(ERROR_BYTES + aligned(asked))).get(NLMSGERR_ATTR_MSG)
  const message = [getSystemErrorMessage(number), why?.toString('latin1', 0, why.length - 1)].filter(Boolean).join(': ')
  return Object.assign(new Error(message), { code: getSystemErrorName(number) })
}

function encode(type: number, flags: number, sequence: number, body: Uint8Array): Buffer {
  const message = Buffer.alloc(HEADER.size + body.length)
  message.writeUInt32LE(message.length, HEADER.length)
  message.writeUInt16LE(type, HEADER.type)
  message.writeUInt16LE(flags, HEADER.flags)
  message.writeUInt32LE(sequence, HEADER.sequence)
  message.set(body, HEADER.size)
  return message
}

/** @param sequence  of the request that is answered; undefined: what nobody asked for, too */
function* messages(buffer: Buffer, sequence: number | undefined) {
  for (let at = 0; at + HEADER.size <= buffer.length; ) {
    const length = buffer.readUInt32LE(at + HEADER.length)
    const header = buffer.subarray(at, at + HEADER.size)
    const body = buffer.subarray(at + HEADER.size, at + length)
    if (sequence === undefined || header.readUInt32LE(HEADER.sequence) === sequence) {
      yield { kind: header.readUInt16LE(HEADER.type), flags: header.readUInt16LE(HEADER.flags), body }
    }
    at += aligned(length)
  }
}

/** Attributes (struct rtattr: 2 bytes length, 2 bytes type, value) by type. A nested one is read by another call. */
export function attributes(bytes: Buffer): ReadonlyMap<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(at)
    if (length < 4) break
    found.set(bytes.readUInt16LE(at + 2) & NESTED_MASK, bytes.subarray(at + 4, at + length))
    at += aligned(length)
  }
  return found
}

export type AttributeValue = number | string | Uint8Array

/** One attribute: a number of 32 bits, text with a zero byte, or bytes. */
export function attribute(type: number, value: AttributeValue): Buffer {
  const bytes = valueBytes(value)
  const whole = Buffer.alloc(aligned(4 + bytes.length))
  whole.writeUInt16LE(4 + bytes.length, 0)
  whole.writeUInt16LE(type, 2)
  whole.set(bytes, 4)
  return whole
}

function valueBytes(value: AttributeValue): Uint8Array {
  if (typeof value === 'number') return new Uint8Array(Uint32Array.of(value).buffer)
  return typeof value === 'string' ? Buffer.from(`${value}\0`, 'latin1') : value
}

/** The two highest bits of a type say how the value is written. */
const NESTED_MASK = 0x3fff

function aligned(length: number): number {
  return (length + 3) & ~3
}

const MSG_DONTWAIT = 0x40
const EAGAIN = 11
/** More was announced than the socket could hold. */
const ENOBUFS = 105

/** Whether anything was announced since the last call. Reads all of it. */
export function hasNews(fd: number): boolean {
  for (let heard = false; ; heard = true) {
    if (recv(fd, received, received.length, MSG_DONTWAIT) !== -1 || errno() === ENOBUFS) continue
    if (errno() === EAGAIN) return heard
    checked(-1, 'reading netlink')
  }
}

/** What was announced since the last call, one buffer (without header) a message. undefined: more than the socket could hold,
 *  so that some of it is lost. */
export function announced(fd: number): readonly Buffer[] | undefined {
  const heard: Buffer[] = []
  for (let isLost = false; ; ) {
    const size = recv(fd, received, received.length, MSG_DONTWAIT)
    if (size !== -1) {
      for (const { body } of messages(Buffer.from(received.subarray(0, size)), undefined)) heard.push(body)
    } else if (errno() === ENOBUFS) isLost = true
    else if (errno() === EAGAIN) return isLost ? undefined : heard
    else checked(-1, 'reading netlink')
  }
}
