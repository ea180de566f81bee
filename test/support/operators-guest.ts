import { SERVER } from './installed-package.ts'
import type { PackagedRoot } from './packaged-root.ts'

export const META_DATA = 'http://169.254.169.254/openstack/latest/meta_data.json'
/** As patient as the clients of guests are; it asks once. */
export const CURL = ['curl', '--silent', '--show-error', '--fail', '--max-time', '30']

const NAME = 'operators-guest'

/** A machine of the operator's that stands for the server `web-1`: a namespace with `eth0`, which is to be plugged in. */
export interface OperatorsGuest {
  /** The other end of its `eth0`. */
  readonly tap: string
  /** In place of the hardware that a switch in userspace does not have. */
  computeChecksums(): void
  /** As one that is started anew: elsewhere, the same address may be another neighbour's. */
  forgetNeighbours(): void
  /** Asks once. @returns what it read, or the problem with that */
  ask(): string
}

export function makeOperatorsGuest(root: PackagedRoot): OperatorsGuest {
  const tap = 'tap-guest'
  root.run('ip', 'netns', 'add', NAME)
  root.run('ip', 'link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAME)
  root.run('ip', 'link', 'set', tap, 'up')
  const inside = ['ip', '-netns', NAME]
  root.run(...inside, 'link', 'set', 'eth0', 'address', SERVER.mac, 'up')
  root.run(...inside, 'address', 'add', `${SERVER.address}/24`, 'dev', 'eth0')
  root.run(...inside, 'route', 'add', '169.254.169.254', 'dev', 'eth0')
  return {
    tap,
    computeChecksums: () => {
      root.run('ethtool', '--offload', tap, 'tx', 'off')
      root.run('ip', 'netns', 'exec', NAME, 'ethtool', '--offload', 'eth0', 'tx', 'off')
    },
    forgetNeighbours: () => void root.run(...inside, 'neighbour', 'flush', 'all'),
    ask: () => root.try('ip', 'netns', 'exec', NAME, ...CURL, META_DATA).said,
  }
}
