import type { Random } from './random.ts'
import { anyText } from './random-text.ts'
import type { Asked } from './wire.ts'

const TARGET = '/openstack/latest/password'

type Step = (random: Random) => Partial<Asked>

const POSTED: readonly ((random: Random) => Uint8Array)[] = [
  (random) => Buffer.from(anyText(random, 1, 40)),
  () => new Uint8Array(),
  (random) => Buffer.alloc(random.pick([1019, 1020, 1021, 5000]), 'x'),
  () => Buffer.from('é'.repeat(510)),
  () => Buffer.from([0x66, 0xe9, 0x66]),
]

const STEPS: readonly Step[] = [
  () => ({ method: 'GET' }),
  () => ({ method: 'GET', target: '/openstack/2013-04-04/password/' }),
  () => ({ method: 'GET', target: '/openstack/2012-08-10/password' }),
  (random) => ({ method: random.pick(['HEAD', 'PUT', 'DELETE', 'OPTIONS']) }),
  () => ({ method: 'POST' }),
  ...POSTED.map(
    (draw): Step =>
      (random) => ({ method: 'POST', body: draw(random) }),
  ),
]

/** What a guest may do with its password resource, in any order. A body comes with its length. */
export function passwordSequence(random: Random, fields: Asked['fields']): readonly Asked[] {
  return random.list(3, 6, () => {
    const step = { method: 'GET', target: TARGET, ...random.pick(STEPS)(random) }
    const length = step.body === undefined ? [] : [['Content-Length', `${step.body.length}`] as const]
    return { ...step, fields: [...fields, ...length] }
  })
}
