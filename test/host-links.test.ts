import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { before, describe, it } from 'node:test'
import { ipBatch } from '../src/host/iproute.ts'
import { openNetlink } from '../src/host/netlink.ts'
import { NETNS_DIRECTORY, nameNamespace, netnsInode, netnsPath } from '../src/host/netns.ts'
import { LinksReader } from '../src/host/netns-reader.ts'
import { News } from '../src/host/news.ts'
import { runProgram } from '../src/host/programs.ts'
import { readLinks } from '../src/host/rtnetlink.ts'
import { noSandbox } from './support/datapath-machine.ts'
import { kernelTurn } from './support/kernel-turn.ts'

describe('the links of this machine, read as they are announced', { skip: noSandbox }, () => {
  before(kernelTurn)
  const ip = (line: string) => runProgram('ip', line.split(' '))

  /** Each step leaves the reader with what a fresh look at all of them finds. */
  const steps = [
    ['a bridge comes', 'link add links-br type bridge'],
    ['a pair comes', 'link add links-a type veth peer name links-b'],
    ['an end is plugged in', 'link set links-a master links-br'],
    ['it goes up', 'link set links-a up'],
    ['it is renamed, and has another MTU', 'link set links-b name links-c mtu 1400'],
    ['an end goes into a namespace', 'link set links-c netns links-ns'],
    ['many come at once', 'link add links-many type bridge'],
    ['an end is unplugged', 'link set links-a nomaster'],
    ['something is written on it', 'link set links-a alias hello'],
    ['a pair goes', 'link delete links-a'],
    ['a bridge goes', 'link delete links-br'],
  ] as const

  const pairs = Array.from({ length: 40 }, (_, i) => i)

  it('knows what a look at all of them would find', async () => {
    const news = new News()
    const reader = new LinksReader(news)
    const fd = openNetlink()
    const byIndex = (links: Iterable<{ readonly index: number }>) => [...links].sort((a, b) => a.index - b.index)
    mkdirSync(NETNS_DIRECTORY, { recursive: true })
    nameNamespace('links-ns')
    reader.links()
    for (const [what, command] of steps) {
      await ip(command)
      if (what === 'many come at once')
        await ipBatch(
          pairs.map((i) => ['link', 'add', `links-${i}`, 'type', 'veth', 'peer', 'name', `links-peer-${i}`]),
        )
      news.hear()
      assert.deepEqual(byIndex(reader.links().values()), byIndex(readLinks(fd)), what)
      assert.equal(reader.links(), reader.links())
    }
    await ipBatch([...pairs.map((i) => ['link', 'delete', `links-${i}`]), ['link', 'delete', 'links-many']])
    await ip('netns delete links-ns')
    reader.close()
    news.close()
  })

  it('names a namespace as `ip netns` does', async () => {
    nameNamespace('links-named')
    assert.notEqual(netnsInode(netnsPath('links-named')), netnsInode('/proc/self/ns/net'))
    assert.match((await ip('netns list')).stdout, /links-named/)
    assert.match((await ip('-n links-named -br link')).stdout, /^lo /)
    assert.throws(() => nameNamespace('links-named'), { code: 'EEXIST' })
    await ip('netns delete links-named')
    assert.equal(netnsInode(netnsPath('links-named')), undefined)
  })
})
