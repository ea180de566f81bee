import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import type { Ward } from './ward.ts'

/** One way to break something, and back. */
export interface Injection {
  /** What `explain` must call it. */
  readonly fault: string
  readonly path: 'dhcp' | 'router' | 'all' | 'record' | 'split' | 'IPv6' | 'dual-stack'
  readonly how: string
  readonly patient: string
  /** Who stays healthy; absent: everybody is ill by it. */
  readonly neighbour?: string
  /** Absent: either. */
  readonly severity?: 'broken' | 'risk'
  readonly inject?: (ward: Ward) => unknown
  readonly heal?: (ward: Ward) => unknown
}

export const METADATA = '169.254.169.254'
export const router = (ward: Ward) => ward.run('ip', 'netns').match(/qrouter-\S+/)?.[0] ?? assert.fail('no router')
export const qdhcp = (ward: Ward) => ward.patient('iso-1').qdhcp
export const inside = (ward: Ward, ...command: readonly string[]) => ward.within(qdhcp(ward), ...command)
export const address = (ward: Ward, verb: string, name: string, text: string) =>
  ward.run('ip', '-n', name, 'address', verb, text, 'dev', 'eth0')
export const dnsmasqOf = (ward: Ward) => ward.run('cat', `${ward.state}/dhcp/${qdhcp(ward).slice(6)}/pid`).trim()
export const listen = (...place: readonly string[]) => [
  process.execPath,
  '-e',
  `const [kind, port, host] = process.argv.slice(1); kind === 'udp' ? require('dgram').createSocket('udp4').bind(+port, host) : require('http').createServer((_, r) => r.end('{}')).listen(+port, host)`,
  ...place,
]
export const hold = (file: string) => [
  process.execPath,
  '-e',
  `const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]); db.exec('begin immediate'); setInterval(() => 0, 1e6)`,
  file,
]
/** Programs that an injection keeps running. */
const kept = new Map<string, ChildProcess>()
export const keep = (ward: Ward, name: string, ...command: readonly string[]) => kept.set(name, ward.keep(...command))
export const drop = (ward: Ward, name: string) => ward.end(kept.get(name) ?? assert.fail(name))
export const device = (ward: Ward) =>
  /(ns-\S+?)@/.exec(inside(ward, 'ip', '-o', 'link'))?.[1] ?? assert.fail('no device')

export const TARGET = ['http', '9999', '127.0.0.1'] as const
export const startTarget = (ward: Ward) => keep(ward, 'http 9999', ...listen(...TARGET))

/** What the datapath's daemon would repair within 2 s is done while that is stopped, which is another fault, but a risk only. */
export const whileAsleep = (
  row: Omit<Injection, 'heal'> & { readonly inject: (ward: Ward) => unknown; readonly heal?: Injection['heal'] },
): Injection => ({
  ...row,
  inject: (ward) => {
    ward.asleep()
    return row.inject(ward)
  },
  heal: async (ward) => {
    await row.heal?.(ward)
    ward.awake()
  },
})

export const NEIGHBOUR = { patient: 'iso-1', neighbour: 'iso-2', path: 'dhcp' } as const
export const WHOLE_DHCP = { patient: 'iso-1', neighbour: 'rtd-1', path: 'dhcp' } as const
export const WHOLE_ROUTER = { patient: 'rtd-1', neighbour: 'iso-1', path: 'router' } as const
export const BORN_ILL = { neighbour: 'iso-1', path: 'record' } as const
