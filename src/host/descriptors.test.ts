import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { it } from 'node:test'
import { explained } from './descriptors.ts'

it('says how many files may be open, and what to raise, when they are used up', () => {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  const { message } = explained(Object.assign(new Error('opening a socket: too many open files'), { code: 'EMFILE' }))
  assert.match(message, new RegExp(`^opening a socket: .*may have ${limit} open files: raise LimitNOFILE=`))
})

it('leaves other errors as they are', () => {
  const error = new Error('no such device')
  assert.equal(explained(error), error)
})
