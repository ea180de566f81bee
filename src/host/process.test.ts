import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { endProcess, isAlive, listProcesses, processId } from './process.ts'

test('a process is told from a later one of the same number', () => {
  const self = processId(process.pid) ?? assert.fail()
  assert.ok(isAlive(self))
  assert.ok(!isAlive({ ...self, startTime: `${Number(self.startTime) + 1}` }))
})

test('a zombie is not alive', async (t) => {
  // sh starts a child that ends at once, and becomes a program that does not wait for it.
  const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 100'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => parent.kill('SIGKILL'))
  const [pid] = await once(parent.stdout, 'data')
  const child = Number(String(pid))
  while (processId(child) !== undefined) await new Promise(setImmediate)
})

test('is found by its arguments, and ends even when it does not listen to SIGTERM', async (t) => {
  const mark = `mark-${process.pid}`
  const program = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')`
  const child = spawn(process.execPath, ['-e', program, mark])
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const [found, ...more] = listProcesses((args) => args.at(-1) === mark)
  assert.equal(found?.pid, child.pid)
  assert.deepEqual(more, [])
  await endProcess(found ?? assert.fail(), { patienceMilliseconds: 100 })
  assert.equal(processId(child.pid ?? 0), undefined)
})
