import { DirectoryUnavailable } from './errors.ts'
import { type KeptOptions, keepAnswers } from './kept-answers.ts'
import type { FoundPort, PortDirectory, Within } from './port-directory.ts'

/** A directory that is asked over a network, with its answers kept. */
export function keptDirectory(
  directory: PortDirectory,
  options: Omit<KeptOptions, 'isAway' | 'paceMilliseconds'>,
): PortDirectory {
  const isAway = (error: unknown) => error instanceof DirectoryUnavailable
  const answers = keepAnswers<FoundPort>({ ...options, isAway, paceMilliseconds: FIND_PACE_MILLISECONDS })
  const pairs = keepAnswers<FoundPort>({ ...options, isAway, paceMilliseconds: PAIR_PACE_MILLISECONDS })
  const { findByAddressPair, close } = directory
  return {
    find: (within, client, freshness) => {
      const who = 'mac' in client ? client.mac : client.fixedIp
      return answers.get(`${keyOf(within)} ${who}`, () => directory.find(within, client), freshness === 'new')
    },
    ...(findByAddressPair === undefined
      ? {}
      : {
          findByAddressPair: (within, address, freshness) =>
            pairs.get(`${keyOf(within)} ${address}`, () => findByAddressPair(within, address), freshness === 'new'),
        }),
    ...(close === undefined ? {} : { close }),
  }
}

const FIND_PACE_MILLISECONDS = 1_000
/** Reading a whole network's ports costs Neutron much more. */
const PAIR_PACE_MILLISECONDS = 3_000

function keyOf(within: Within): string {
  return 'networkId' in within ? `network ${within.networkId}` : `router ${within.routerId}`
}
