import { DHCP_PREFIX } from '../datapath/dhcp/namespace.ts'
import { OVN_PREFIX } from '../datapath/ovn/namespace.ts'
import { ROUTER_PREFIX } from '../datapath/router/namespace.ts'
import { errorCode } from '../host/errors.ts'
import { type Heard, heardIn } from '../host/heard.ts'
import { askHeardIn, neighboursSocket } from '../host/socket-keeper/neighbours.ts'
import type { IpAddress } from '../inventory/records/address.ts'
import { DirectoryUnavailable } from '../metadata-agent/errors.ts'
import type { PortDirectory, Within } from '../metadata-agent/port-directory.ts'
import type { Log } from '../observe/log.ts'
import type { StateDirectory } from './state-directory.ts'

/** A namespace that guests' requests come through, and what the devices there begin with that lead to guests: who is outside
 *  of a router's gateway is none. */
interface Place {
  readonly netns: string
  readonly devices: string
}

function placesOf(within: Within): readonly Place[] {
  return 'routerId' in within
    ? [{ netns: `${ROUTER_PREFIX}${within.routerId}`, devices: 'qr-' }]
    : [DHCP_PREFIX, OVN_PREFIX].map((prefix) => ({ netns: `${prefix}${within.networkId}`, devices: '' }))
}

type Read = (netns: string, address: IpAddress) => Promise<readonly Heard[] | undefined>

/**
 * Reads the kernel's neighbour tables in the namespaces of this host. They are entered where this process may; else the socket
 * keeper of the state directory is asked, which has the privilege. Where neither can be, the log says so once.
 */
export function neighbourTables(
  { socketKeeper }: Pick<StateDirectory, 'socketKeeper'>,
  log: Log,
): Required<Pick<PortDirectory, 'heardAs'>> {
  const keeper = neighboursSocket(socketKeeper)
  let mayEnter = true
  let isSaid = false
  const enter: Read = async (netns, address) => {
    if (!mayEnter) return undefined
    try {
      return heardIn(netns, address)
    } catch (error) {
      if (!FORBIDDEN.has(errorCode(error) ?? '')) throw error
      mayEnter = false
      return undefined
    }
  }
  const ask: Read = (netns, address) => askHeardIn(keeper, netns, address)
  return {
    heardAs: async (within, address) => {
      const places = placesOf(within)
      try {
        const heard = (await readAll(enter, places, address)) ?? (await readAll(ask, places, address))
        return heard && [...new Set(heard.map(({ mac }) => mac))]
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error)
        const code = errorCode(error) ?? ''
        if (!isSaid && (LASTING.has(code) || code === KEEPER_GONE)) {
          log.warn({ cause, may_enter: mayEnter }, NOT_KNOWN)
          isSaid = true
        }
        if (!LASTING.has(code)) throw new DirectoryUnavailable(`who has ${address}: ${cause}`)
        return undefined
      }
    },
  }
}

const FORBIDDEN: ReadonlySet<string> = new Set(['EPERM', 'EACCES'])
/** A keeper has ended: for good, or to be started again. */
const KEEPER_GONE = 'ECONNREFUSED'
/** No keeper of this version runs on the state directory, its group does not include us, or the kernel is too old. */
const LASTING: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EOPNOTSUPP'])

const NOT_KNOWN =
  'a guest asks from a link-local address that shows no MAC address, and it cannot be read whose it is: there is no such namespace here or this process may not enter it, and no socket keeper tells. Such guests get 404. A firstboot socket-keeper on the state directory of this agent, run by root, helps; one that an earlier version has started has to be ended first'

/** @returns undefined when none of them is there */
async function readAll(
  read: Read,
  places: readonly Place[],
  address: IpAddress,
): Promise<readonly Heard[] | undefined> {
  const found = await Promise.all(
    places.map(async ({ netns, devices }) =>
      (await read(netns, address))?.filter(({ device }) => device.startsWith(devices)),
    ),
  )
  return found.every((heard) => heard === undefined) ? undefined : found.flatMap((heard) => heard ?? [])
}
