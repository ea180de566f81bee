import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { ask } from './ask.ts'
import type { Benchmark } from './benchmark.ts'
import { HaproxyPerNetwork } from './haproxy-per-network.ts'
import { ListeningProcess } from './listening-process-client.ts'
import { type BenchNetwork, benchNetworks, deleteNamespaces, GUEST, makeNamespaces } from './many-networks.ts'
import { memoryTables } from './memory-tables.ts'
import { availableKibibytes } from './process-usage.ts'

/** Networks served. */
const COUNTS = [10, 100, 1000] as const
const LARGEST = 1000

/** What the largest number of haproxies may cost. Beyond that they are counted up from fewer. */
const HAPROXY_SECONDS_MAX = 60
const MEMORY_SHARE_MAX = 0.5

/** How many networks are asked, at each count, whether they answer in their own name. */
const PROBES = 5

/** All processes together, with this many networks. */
export interface Held {
  readonly networks: number
  readonly pssKibibytes: number
  /** From the first network to the last. */
  readonly milliseconds: number
  /** Not measured, but counted up by the price of one more network between the two counts before. */
  readonly isExtrapolated: boolean
}

export interface MemoryFigures {
  /** One process with nothing in its inventory and no socket. */
  readonly emptyKibibytes: number
  /** With the records of the largest number of networks, and no socket: what the first of `firstboot` starts from. */
  readonly loadedKibibytes: number
  readonly firstboot: readonly Held[]
  readonly haproxy: readonly Held[]
}

export const memory: Benchmark = {
  title: 'Memory and time per network: one firstboot process, against one haproxy for each',
  async run(say) {
    const directory = '/run/firstboot-bench/memory'
    mkdirSync(directory, { recursive: true })
    const networks = benchNetworks(LARGEST)
    say(`making ${LARGEST} namespaces`)
    try {
      await makeNamespaces(networks)
      const figures = {
        ...(await measureFirstboot(networks, say)),
        haproxy: await measureHaproxy(networks, directory, say),
      }
      return { tables: memoryTables(figures), notes: NOTES, figures }
    } finally {
      await deleteNamespaces(networks)
    }
  },
}

const NOTES = [
  'PSS of smaps_rollup, summed over the processes: shared pages are counted once. Kernel memory of sockets and processes is not in it.',
  'firstboot: one process that opens its sockets in each namespace and answers from its inventory, which holds a network, a subnet, two ports and a server for each; garbage collected before each reading. haproxy: neutron’s configuration, one daemon a namespace, started one after the other. Each listens on 169.254.169.254:80 and, where the kernel has IPv6, on [fe80::a9fe:a9fe]:80.',
  `After each step ${PROBES} of the networks were asked from inside: firstboot answered each in the name of its own instance.`,
]

async function measureFirstboot(
  networks: readonly BenchNetwork[],
  say: (line: string) => void,
): Promise<Omit<MemoryFigures, 'haproxy'>> {
  const listening = new ListeningProcess()
  try {
    const emptyKibibytes = (await listening.step({ load: 0 })).pssKibibytes
    const loadedKibibytes = (await listening.step({ load: LARGEST })).pssKibibytes
    const firstboot: Held[] = []
    let total = 0
    for (const count of COUNTS) {
      say(`firstboot listens in ${count} namespaces`)
      const { milliseconds, pssKibibytes } = await listening.step({ listen: count })
      total += milliseconds
      firstboot.push({ networks: count, pssKibibytes, milliseconds: total, isExtrapolated: false })
      for (const network of probes(networks.slice(0, count))) assertOwnAnswer(network)
    }
    return { emptyKibibytes, loadedKibibytes, firstboot }
  } finally {
    await listening.stop()
  }
}

function probes(networks: readonly BenchNetwork[]): readonly BenchNetwork[] {
  const step = (networks.length - 1) / (PROBES - 1)
  return Array.from({ length: PROBES }, (_, i) => networks[Math.round(i * step)]).filter((each) => each !== undefined)
}

function assertOwnAnswer({ netns, ec2InstanceId }: BenchNetwork): void {
  const answer = ask(netns, 'http://169.254.169.254/latest/meta-data/instance-id', GUEST)
  assert.equal(answer?.body.toString(), ec2InstanceId, `the answer in ${netns} is another's`)
}

async function measureHaproxy(
  networks: readonly BenchNetwork[],
  directory: string,
  say: (line: string) => void,
): Promise<readonly Held[]> {
  const proxies = new HaproxyPerNetwork(directory)
  const held: Held[] = []
  try {
    for (const count of COUNTS) {
      const guess = extrapolated(held, count)
      if (guess && !isAffordable(guess)) {
        say(`${count} haproxies would cost too much; counted up from fewer`)
        held.push(guess)
        continue
      }
      say(`${count} haproxies`)
      const { milliseconds, pssKibibytes } = await proxies.startUpTo(networks.slice(0, count))
      held.push({ networks: count, pssKibibytes, milliseconds, isExtrapolated: false })
    }
    return held
  } finally {
    await proxies.stop()
  }
}

/** @returns undefined with fewer than two readings to go by */
function extrapolated(held: readonly Held[], networks: number): Held | undefined {
  const [before, last] = held.slice(-2)
  if (before === undefined || last === undefined) return undefined
  const beyond = (networks - last.networks) / (last.networks - before.networks)
  return {
    networks,
    pssKibibytes: last.pssKibibytes + beyond * (last.pssKibibytes - before.pssKibibytes),
    milliseconds: last.milliseconds + beyond * (last.milliseconds - before.milliseconds),
    isExtrapolated: true,
  }
}

function isAffordable({ milliseconds, pssKibibytes }: Held): boolean {
  return milliseconds < HAPROXY_SECONDS_MAX * 1000 && pssKibibytes < availableKibibytes() * MEMORY_SHARE_MAX
}
