import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { server, serverId } from '../../test/contract/sample-records.ts'
import { eventually } from '../../test/support/eventually.ts'
import { keepMachine, machineFiles } from '../host/machine-files.ts'
import { emptyRecordSet, type Noun } from '../inventory/records/records.ts'
import { silentLog } from '../observe/log.ts'
import { sweepMachines } from './sweeper.ts'

const [KNOWN, ADDED, FORMER, RUNNING] = [1, 2, 3, 4].map(serverId) as [Id, Id, Id, Id]
type Id = ReturnType<typeof serverId>

const scratch = mkdtempSync(join(tmpdir(), 'firstboot-machines-'))
after(() => rmSync(scratch, { recursive: true }))

/** Machines of which something is left, the inventory, and the sweeper. */
function open(name: string, sequence: number) {
  const machines = join(scratch, name)
  for (const id of [KNOWN, ADDED, FORMER, RUNNING]) {
    mkdirSync(join(machines, id), { recursive: true })
    writeFileSync(join(machines, id, 'disk'), 'the disk')
  }
  mkdirSync(join(machines, 'images'))
  const machine = { id: RUNNING, interfaces: [] } as unknown as Parameters<typeof keepMachine>[1]['machine']
  keepMachine(machineFiles(machines, RUNNING), { by: 'qemu', machine, process: null })
  const records = { ...emptyRecordSet(), server: new Map([[KNOWN, server(1)]]) }
  const listeners = new Set<(nouns: ReadonlySet<Noun>) => void>()
  let asked = 0
  const inventory = {
    ready: Promise.resolve(),
    records,
    sequence,
    onChange(listener: (nouns: ReadonlySet<Noun>) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    /** Another process has added one of them, and this one hears of it late. */
    async caughtUp() {
      asked += 1
      records.server.set(ADDED, server(2))
    },
  }
  return {
    records,
    asked: () => asked,
    changed: () => listeners.forEach((listen) => void listen(new Set(['server'] as const))),
    left: () => readdirSync(machines).toSorted(),
    disk: (id: Id) => existsSync(join(machines, id, 'disk')),
    sweeper: sweepMachines(inventory, machines, silentLog),
  }
}

test('what is left of a former server goes; a server’s own, one just added, and what a keeper has to end stay', async () => {
  const { sweeper, left, disk } = open('start', 1)
  await sweeper.look()
  await eventually('the folder is gone', () => !left().includes(FORMER))
  assert.deepEqual(left(), [KNOWN, ADDED, RUNNING, 'images'])
  assert.ok([KNOWN, ADDED, RUNNING].every(disk))
  sweeper.close()
})

test('a server that is removed while we run leaves nothing either', async () => {
  const { sweeper, left, records, changed } = open('change', 1)
  records.server.delete(KNOWN)
  changed()
  await eventually('both folders are gone', () => left().length === 3)
  sweeper.close()
})

test('an inventory that was never written says nothing about whose the disks are', async () => {
  const { sweeper, left, asked } = open('lost', 0)
  await sweeper.look()
  await eventually('it has asked', () => asked() === 1)
  await Promise.resolve()
  assert.equal(left().length, 5)
  sweeper.close()
})
