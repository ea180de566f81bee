import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { applyFile } from '../../src/cli/apply-file.ts'
import type { RecordSet } from '../../src/inventory/records/records.ts'
import { openSqliteStore } from '../../src/inventory/sql/sqlite.ts'
import type { InventoryStore } from '../../src/inventory/store.ts'
import { type Daemon, startDaemon } from '../support/daemon.ts'
import { eventually } from '../support/eventually.ts'
import { openTestMachine, type TestMachine } from '../support/test-machine.ts'

//   early: route to metadata by 10.0.0.2 ]                       [ qdhcp-11111111-...: 10.0.0.2, 169.254.169.254
//                                         ] brq11111111-11 ------[
//   late: route to metadata by 10.0.0.1  ]                       [ qrouter-77777777-...: 10.0.0.1, while it is attached
//
// Each guest asks every 50 ms by the route it was given and never renews its lease, while the router comes and goes.

const GUESTS = [
  { netns: 'early', address: '10.0.0.11', by: '10.0.0.2', port: '33333333-3333-4333-8333-333333333333' },
  { netns: 'late', address: '10.0.0.12', by: '10.0.0.1', port: '44444444-4444-4444-8444-444444444444' },
] as const
type Guest = (typeof GUESTS)[number]

const router = (fields: string) => `
routers:
  - { name: r, id: 77777777-7777-4777-8777-777777777777, ${fields} }
`
const inventory = (routers: string) => `
networks:
  - name: n
    id: 11111111-1111-4111-8111-111111111111
    subnets: [{ name: s, cidr: 10.0.0.0/24 }]
ports:
${GUESTS.map(({ netns, address, port }) => `  - { name: ${netns}, network: n, id: ${port}, fixed_ips: [{ ip_address: ${address} }] }`).join('\n')}
servers:
${GUESTS.map(({ netns }) => `  - { name: ${netns}, networks: [{ port: ${netns} }] }`).join('\n')}
${routers}`

const ISOLATED = inventory('routers: []')
const ROUTED = inventory(router('interfaces: [s]'))
const DETACHED = inventory(router('interfaces: []'))
const DOWN = inventory(router('interfaces: [s], admin_state_up: false'))

describe('guests that ask all the time', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-handover-'))
  const state = join(directory, 'state')
  const file = join(directory, 'inventory.yaml')
  let machine: TestMachine
  let up: Daemon
  let store: InventoryStore

  const apply = async (text: string) => {
    writeFileSync(file, text)
    await applyFile(store, file, { prune: true })
  }
  const logOf = ({ netns }: Guest) => join(directory, `${netns}.log`)
  /** The answers a guest has had so far: the HTTP status of each, or curl's error. */
  const answers = (guest: Guest) => readFileSync(logOf(guest), 'utf8').trim().split('\n').filter(Boolean)
  const asksOn = async (guest: Guest) => {
    const enough = answers(guest).length + 10
    await eventually(`${guest.netns} has asked 10 times more`, () => answers(guest).length >= enough)
  }
  /** Starts to ask, every 50 ms. A failure is a line like every answer. */
  const startAsking = (guest: Guest) => {
    writeFileSync(logOf(guest), '')
    const ask = `while :; do
      curl -sS -o /dev/null --max-time 5 -w '%{http_code}\\n' http://169.254.169.254/openstack >>${logOf(guest)} 2>&1
      sleep 0.05
    done`
    machine.start(['ip', 'netns', 'exec', guest.netns, 'sh', '-c', ask], { stdio: 'ignore' })
  }
  const routerIs = (wanted: 'there' | 'gone') =>
    eventually(`the router is ${wanted}`, () => {
      const rules = machine.run(
        'sh',
        '-c',
        'ip netns exec qrouter-77777777-7777-4777-8777-777777777777 iptables -S || true',
      )
      const forwards = rules.includes('-o qr-') && !/-FORWARD -i qr-.* DROP/.test(rules)
      return forwards === (wanted === 'there')
    })

  before(async () => {
    machine = await openTestMachine()
    writeFileSync(file, ISOLATED)
    up = startDaemon(machine, 'up', '-f', file, '--state-dir', state)
    await up.saying('firstboot is up')
    store = await openSqliteStore(join(state, 'inventory.sqlite'))
    for (const guest of GUESTS) plug(machine, guest, (await store.load()).records)
  })
  after(async () => {
    await store?.close()
    await up?.end('SIGINT')
    await machine?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const [early, late] = GUESTS

  it('have every answer while a router is attached', async () => {
    startAsking(early)
    await asksOn(early)
    await apply(ROUTED)
    await routerIs('there')
    await asksOn(early)
  })

  it('have every answer while it is detached', async () => {
    startAsking(late)
    await asksOn(late)
    await apply(DETACHED)
    await routerIs('gone')
    await asksOn(late)
  })

  it('and while it is attached again, taken down, brought up, and deleted', async () => {
    for (const [text, state] of [
      [ROUTED, 'there'],
      [DOWN, 'gone'],
      [ROUTED, 'there'],
      [ISOLATED, 'gone'],
    ] as const) {
      await apply(text)
      await routerIs(state)
      await asksOn(late)
    }
  })

  it('so that none of them has met a failure', () => {
    for (const guest of GUESTS) {
      const all = answers(guest)
      assert.ok(all.length >= 60, `${guest.netns} asked ${all.length} times only`)
      assert.deepEqual([...new Set(all)], ['200'], guest.netns)
    }
  })
})

/** A guest with a static address and the route to metadata that a lease would have given it. */
function plug(machine: TestMachine, { netns, address, by, port }: Guest, records: RecordSet): void {
  const inside = (...words: string[]) => machine.run('ip', '-n', netns, ...words)
  const mac = records.port.get(port)?.macAddress ?? assert.fail(`there is no port ${netns}`)
  const tap = `tap${port.slice(0, 11)}`
  machine.run('ip', 'netns', 'add', netns)
  machine.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns)
  machine.run('ip', 'link', 'set', tap, 'master', 'brq11111111-11', 'up')
  inside('link', 'set', 'eth0', 'address', mac, 'up')
  inside('address', 'add', `${address}/24`, 'dev', 'eth0')
  inside('route', 'add', '169.254.169.254/32', 'via', by)
}
