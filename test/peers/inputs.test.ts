import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instancesOf, readInputs } from '../nova-inputs.ts'
import { drawInstance, printInputs } from './inputs.ts'
import { Random } from './random.ts'
import { ASPECTS, type SeedInstance } from './random-instance.ts'

const numbers = Array.from({ length: 50 }, (_, number) => number)
const ec2 = { instance_id: 'i-00000001', ami_id: null, kernel_id: null, ramdisk_id: null }

test('a seed and a number give the same instance again, and no other gives it', () => {
  const draw = (seed: number) => numbers.map((number) => drawInstance({ seed, number }))
  assert.deepEqual(draw(1), draw(1))
  assert.equal(new Set([...draw(1), ...draw(2)].map(({ uuid }) => uuid)).size, 2 * numbers.length)
})

test('what is written for Nova is what we read, the order of properties included', () => {
  const drawn = numbers.map((number) => drawInstance({ seed: 3, number }))
  const ids = Object.fromEntries(drawn.map((instance) => [instance.case, ec2]))
  const read = [...instancesOf(readInputs(printInputs(drawn)), ids).values()]
  const told = (instances: readonly { properties: unknown; name: string; userData: string | null }[]) =>
    instances.map(({ properties, name, userData }) => ({ properties, name, userData }))
  assert.deepEqual(
    told(read),
    drawn.map((drawn) => ({
      properties: [...drawn.metadata],
      name: drawn.display_name,
      userData: drawn.user_data,
    })),
  )
})

test('one aspect alone is that of the whole instance, on a plain one', () => {
  const [plain, whole] = [drawInstance({ seed: 4, number: 7, aspects: [] }), drawInstance({ seed: 4, number: 7 })]
  for (const aspect of ASPECTS) {
    const { case: _, uuid, ...alone } = drawInstance({ seed: 4, number: 7, aspects: [aspect] })
    assert.notEqual(uuid, whole.uuid)
    const varied = Object.entries(aspect.draw(new Random(4, 7, 1 + ASPECTS.indexOf(aspect))))
    assert.deepEqual(alone, { ...withoutIdentity(plain), ...Object.fromEntries(varied) }, aspect.name)
    for (const [name, value] of varied) assert.deepEqual(value, Reflect.get(whole, name), aspect.name)
  }
})

function withoutIdentity({ case: _, uuid: __, ...rest }: SeedInstance) {
  return rest
}
