import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { NoPlace, openPlaces } from './places.ts'

test('who finds no place waits in order of arrival', async () => {
  const places = openPlaces(2)
  const came: string[] = []
  const come = (name: string) =>
    places.take(1_000).then((leave) => {
      came.push(name)
      return leave
    })
  const [leaveA, leaveB] = await Promise.all([come('a'), come('b')])
  const later = [come('c'), come('d'), come('e')]
  leaveA?.()
  leaveB?.()
  const [leaveC] = await Promise.all(later.slice(0, 2))
  assert.deepEqual(came, ['a', 'b', 'c', 'd'])
  leaveC?.()
  await Promise.all(later)
  assert.deepEqual(came, ['a', 'b', 'c', 'd', 'e'])
})

test('who waits too long goes away, and no place is lost', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.after(() => mock.timers.reset())
  const places = openPlaces(1)
  const leave = await places.take(1_000)
  const late = assert.rejects(places.take(1_000), NoPlace)
  mock.timers.tick(1_000)
  await late
  leave()
  await places.take(1_000)
})
