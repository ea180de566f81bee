import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { parseMacAddress } from '../inventory/records/address.ts'
import type { InstanceId } from '../inventory/records/ids.ts'
import { errorCode } from './errors.ts'
import type { Guest, GuestInterface } from './guest.ts'
import type { ProcessId } from './process.ts'

/** What is kept of a guest that was started, so that the next run of ours finds it. */
export interface KeptGuest {
  readonly guest: Guest
  readonly process: ProcessId
}

/** Whole or not at all. */
export function writeKeptGuest(path: string, kept: KeptGuest): void {
  writeFileSync(`${path}.new`, JSON.stringify(kept), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** @returns undefined when there is no such file, `unreadable` when it does not say what it must of this instance
 *  @throws Error of open(2) when it cannot be told which: out of descriptors, ... */
export function readKeptGuest(path: string, id: InstanceId): KeptGuest | 'unreadable' | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isKeptGuest(value) && value.guest.id === id ? value : 'unreadable'
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    if (error instanceof SyntaxError) return 'unreadable'
    throw error
  }
}

function isKeptGuest(value: unknown): value is KeptGuest {
  return isObject(value) && isGuest(value['guest']) && isProcessId(value['process'])
}

function isGuest(value: unknown): value is Guest {
  if (!isObject(value)) return false
  const { id, interfaces } = value
  return typeof id === 'string' && Array.isArray(interfaces) && interfaces.every(isGuestInterface)
}

function isGuestInterface(value: unknown): value is GuestInterface {
  if (!isObject(value)) return false
  const { name, tap, bridge, mac, mtu } = value
  const isMac = typeof mac === 'string' && parseMacAddress(mac) === mac
  return isMatch(/^eth\d+$/, name) && isMatch(/^tap/, tap) && isMatch(/^brq/, bridge) && isMac && Number.isInteger(mtu)
}

function isProcessId(value: unknown): value is ProcessId {
  return (
    isObject(value) &&
    Number.isInteger(value['pid']) &&
    Number(value['pid']) > 1 &&
    isMatch(/^\d+$/, value['startTime'])
  )
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isMatch(pattern: RegExp, value: unknown): boolean {
  return typeof value === 'string' && pattern.test(value)
}
