import {
  type Cidr,
  contains,
  fromNumber,
  type IpAddress,
  ipVersion,
  lastAddress,
  networkAddress,
  parseIpAddress,
  prefixLength,
  toNumber,
} from '../../inventory/records/address.ts'
import { HostError } from '../errors.ts'

/** The sets that say what a guest's device may send as, and how nft writes what is in them. Pure. */

/** One entry of a set, in one spelling: `ports tap0123abcd-01`, `ipv4 tap0123abcd-01 10.0.0.5`, `ipv6_ranges tap… 2001:db8::/64`. */
export type Element = string

interface SetRow {
  /** As nft declares it. */
  readonly type: string
  /** Of what a device may send as; undefined: the device alone is the key. */
  readonly value: ValueForm | undefined
}

/** How nft writes a value, and the way back from what `nft -j` prints. */
interface ValueForm {
  write(value: string): string
  /** @returns undefined of what we would never write */
  read(printed: unknown): string | undefined
}

const asItIs: ValueForm = {
  write: (value) => value,
  read: (printed) => (typeof printed === 'string' ? printed : undefined),
}
const address: ValueForm = { write: (value) => value, read: (printed) => readAddress(printed) }
const range: ValueForm = { write: (value) => value, read: (printed) => readRange(printed, (end) => readAddress(end)) }
/** nft compares bytes of a packet that it has no name for with numbers only. */
const target: ValueForm = { write: (value) => hexOf(value as IpAddress), read: readTarget }
const targetRange: ValueForm = {
  write: (value) => `${hexOf(networkAddress(value as Cidr))}-${hexOf(lastAddress(value as Cidr))}`,
  read: (printed) => readRange(printed, readTarget),
}

/** Addresses and ranges are apart since a set of ranges is slower to search and to change, and mostly empty. */
export const SETS = {
  /** Devices that are guarded. One that has nothing in the other sets may send nothing. */
  ports: { type: 'type ifname', value: undefined },
  macs: { type: 'type ifname . ether_addr', value: asItIs },
  ipv4: { type: 'type ifname . ipv4_addr', value: address },
  ipv4_ranges: { type: 'type ifname . ipv4_addr; flags interval', value: range },
  ipv6: { type: 'type ifname . ipv6_addr', value: address },
  ipv6_ranges: { type: 'type ifname . ipv6_addr; flags interval', value: range },
  /** The IPv6 addresses again, in the form in which they are compared with the target of a neighbour discovery message:
   *  16 bytes that begin 8 bytes into ICMPv6 (RFC 4861 §4.3, §4.4). */
  targets: { type: 'typeof iifname . @th,64,128', value: target },
  target_ranges: { type: 'typeof iifname . @th,64,128; flags interval', value: targetRange },
} as const satisfies Readonly<Record<string, SetRow>>

export type SetName = keyof typeof SETS

export function element(set: SetName, device: string, value?: string): Element {
  return value === undefined ? `${set} ${device}` : `${set} ${device} ${value}`
}

/** What could be read as something else by nft is never written. */
const ELEMENT = /^([a-z0-9_]+) (tap[0-9A-Za-z-]{1,12})(?: ([0-9a-f.:/]+))?$/

/** @throws HostError of one that is none */
export function parseElement(text: Element): {
  readonly set: SetName
  readonly device: string
  readonly value: string
} {
  const [, set, device, value = ''] = ELEMENT.exec(text) ?? []
  if (set === undefined || device === undefined || !isSetName(set))
    throw new HostError(`${JSON.stringify(text)} cannot be an element of a set`)
  return { set, device, value }
}

/** `"tap0123abcd-01" . 10.0.0.5` */
export function keyText(text: Element): string {
  const { set, device, value } = parseElement(text)
  const form: ValueForm | undefined = SETS[set].value
  return form === undefined ? `"${device}"` : `"${device}" . ${form.write(value)}`
}

/** @param printed  an element as `nft -j` prints it @returns undefined of what we would never write */
export function readElement(set: SetName, printed: unknown): Element | undefined {
  const form: ValueForm | undefined = SETS[set].value
  const [device, value] = form === undefined ? [printed, ''] : concatenated(printed)
  const read = form === undefined ? undefined : form.read(value)
  if (typeof device !== 'string' || (form !== undefined && read === undefined)) return undefined
  const text = element(set, device, read)
  return ELEMENT.test(text) ? text : undefined
}

export function isSetName(name: string): name is SetName {
  return Object.hasOwn(SETS, name)
}

function concatenated(printed: unknown): readonly unknown[] {
  return isRecord(printed) && Array.isArray(printed['concat']) ? printed['concat'] : []
}

function readAddress(printed: unknown): IpAddress | undefined {
  return typeof printed === 'string' ? parseIpAddress(printed) : undefined
}

/** `0x20010db8…`; a small number as a number. */
function readTarget(printed: unknown): IpAddress | undefined {
  const isNumber = typeof printed === 'number' || (typeof printed === 'string' && /^(0x[0-9a-f]+|\d+)$/.test(printed))
  return isNumber ? fromNumber(BigInt(printed as string | number), 6) : undefined
}

/** `{"prefix": {"addr": …, "len": 24}}`, `{"range": [first, last]}`. Ours are all of one prefix. */
function readRange(printed: unknown, readEnd: (end: unknown) => IpAddress | undefined): string | undefined {
  if (!isRecord(printed)) return undefined
  const { prefix, range: ends } = printed
  if (isRecord(prefix)) {
    const first = readEnd(prefix['addr'])
    return first && `${first}/${prefix['len']}`
  }
  const [first, last] = Array.isArray(ends) ? ends.map(readEnd) : []
  return first && last && rangeBetween(first, last)
}

function rangeBetween(first: IpAddress, last: IpAddress): string {
  const differing = (toNumber(first) ^ toNumber(last)).toString(2).replace(/^0$/, '').length
  return `${first}/${(ipVersion(first) === 4 ? 32 : 128) - differing}`
}

function hexOf(ip: IpAddress): string {
  return `0x${toNumber(ip).toString(16).padStart(32, '0')}`
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** Those that no other contains: in one set of ranges none may overlap. */
export function outermost(ranges: readonly Cidr[]): readonly Cidr[] {
  const distinct = [...new Set(ranges)]
  return distinct.filter((one) => !distinct.some((other) => other !== one && isWithin(one, other)))
}

function isWithin(one: Cidr, other: Cidr): boolean {
  return prefixLength(other) < prefixLength(one) && contains(other, networkAddress(one))
}
