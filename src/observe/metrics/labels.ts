import { PATH_CLASSES } from './path-class.ts'

/** What a label can say. A guest must not be able to make a new series, so each is a list, or comes from the code or the
 *  configuration. */
export type LabelValues = readonly string[] | 'from the code' | 'configured'

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'other'] as const

/** Statuses that we send. One that a peer sends is `2xx` to `5xx`. */

export const STATUSES = [
  '200',
  '201',
  '204',
  '400',
  '401',
  '403',
  '404',
  '405',
  '408',
  '409',
  '413',
  '414',
  '429',
  '500',
  '502',
  '503',
  '504',
  '2xx',
  '3xx',
  '4xx',
  '5xx',
  'other',
] as const

export const RESOLUTIONS = [
  'found',
  'no-port',
  'several-ports',
  'no-instance',
  'bad-origin',
  'not-ready',
  'failed',
] as const
export const DRIFTS = ['dnsmasq', 'namespace', 'sockets', 'other'] as const
export const PASS_RESULTS = ['clean', 'changed', 'failed'] as const
export const VENDOR_DATA_OUTCOMES = ['answered', 'failed', 'busy'] as const

export const LABELS = {
  path: PATH_CLASSES,
  method: METHODS,
  status: STATUSES,
  stage: 'from the code',
  problem: 'from the code',
  outcome: RESOLUTIONS,
  cache: ['hit', 'miss'],
  command: 'from the code',
  done: ['done', 'failed'],
  result: PASS_RESULTS,
  drift: DRIFTS,
  program: 'from the code',
  held: ['answered', 'unavailable'],
  target: 'configured',
  answer: VENDOR_DATA_OUTCOMES,
  limit: ['delayed', 'refused'],
  database: 'from the code',
  table: 'from the code',
  monitor: 'from the code',
  version: 'from the code',
  node_version: 'from the code',
} as const satisfies Readonly<Record<string, LabelValues>>

export type LabelName = keyof typeof LABELS
