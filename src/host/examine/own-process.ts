import { readFileSync } from 'node:fs'
import { setting } from './kernel.ts'
import { type Known, known } from './known.ts'

/** What this process may do and use. */
export interface OwnProcess {
  /** The effective ones, a bit each. */
  readonly capabilities: Known<bigint>
  readonly openFiles: Known<{ readonly soft: number; readonly hard: number }>
  readonly inotifyWatches: Known<number>
  readonly inotifyInstances: Known<number>
}

/** Numbers of linux/capability.h. */
export const CAPABILITIES = { CAP_NET_BIND_SERVICE: 10n, CAP_NET_ADMIN: 12n, CAP_NET_RAW: 13n, CAP_SYS_ADMIN: 21n }

export function ownProcess(): OwnProcess {
  return {
    capabilities: known('/proc/self/status', () => {
      const status = readFileSync('/proc/self/status', 'ascii')
      return BigInt(`0x${/^CapEff:\s*(\w+)$/m.exec(status)?.[1] ?? '0'}`)
    }),
    openFiles: known('/proc/self/limits', () => {
      const limits = readFileSync('/proc/self/limits', 'ascii')
      const [, soft = '', hard = ''] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(limits) ?? []
      return { soft: limit(soft), hard: limit(hard) }
    }),
    inotifyWatches: inotify('max_user_watches'),
    inotifyInstances: inotify('max_user_instances'),
  }
}

function limit(text: string): number {
  return text === 'unlimited' ? Number.POSITIVE_INFINITY : Number(text)
}

function inotify(name: string): Known<number> {
  const text = setting(`fs/inotify/${name}`)
  return text === undefined ? { unknown: 'this kernel has no inotify' } : { value: Number(text) }
}
