import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text, truth } from '../config/option.ts'
import { dhcpOptions } from '../config/options/datapath.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { recordedStateDirectory, type StateDirectory } from '../daemons/state-directory.ts'
import { judge } from '../guest-clients/verdict.ts'
import { errorCode } from '../host/errors.ts'
import { VISITOR_AGENT } from '../host/probe/visitor.ts'
import { journeys } from '../observe/flight/journey.ts'
import { readRecords as readFlight } from '../observe/flight/read.ts'
import { command } from './command.ts'
import { findGuest, type Guest } from './flight/guest.ts'
import { printable } from './flight/line.ts'
import { drawBoot } from './timeline/draw.ts'
import { type Boot, lastBoot, nameOf } from './timeline/events.ts'
import { bootSvg } from './timeline/svg.ts'

const { dhcp_lease_duration } = dhcpOptions

export const timeline = command({
  usage: 'SERVER',
  operands: 1,
  description:
    'Draws the last boot of a server as its requests tell it: lease, first contact, each document, failures, silence; which client asked, and whether it has all it needs. Exit code 1 when nothing is recorded of it.',
  options: {
    svg: text('FILE', '', 'Write the drawing there as SVG.'),
    json: truth(false, 'Print it as JSON.'),
    dhcp_lease_duration,
    ...stateOptions,
  },
  examples: [
    ['firstboot timeline web-1', 'in the terminal'],
    ['firstboot timeline web-1 --svg boot.svg', 'as a picture'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const state = await recordedStateDirectory(stateDirectory(values, env))
    const server = await findGuest(state, positionals[0], values, env)
    const own = journeys(readFlight(state.flight, () => true)).filter(
      // What explain asks in the guest’s name is no part of a boot.
      ({ instance, userAgent }) => instance === server.id && userAgent !== VISITOR_AGENT,
    )
    const boot = lastBoot(own, leaseGiven(state, server, values.dhcp_lease_duration))
    if (boot === undefined) {
      terminal.say(
        `Nothing is recorded of ${server.name} in ${state.flight}: it has not asked, or nobody was there to answer.`,
      )
      return 1
    }
    if (values.svg !== '') writeDrawing(values.svg, bootSvg(server.name, boot))
    if (values.json)
      terminal.print(
        JSON.stringify({ server: server.name, began: boot.began, events: boot.events, clients: clients(boot) }),
      )
    else {
      terminal.print(`${terminal.paint('bold', server.name)}  ${boot.began}`)
      drawBoot(boot, terminal.paint).forEach(terminal.print)
      for (const { client, version, lacks } of clients(boot)) {
        // The version is what the guest says of itself.
        const name = printable(`${client}${version === null ? '' : ` ${version}`}`)
        const isWell = lacks.length === 0
        terminal.print(
          terminal.paint(
            isWell ? 'green' : 'red',
            isWell ? `${name} has everything it needs.` : `${name} lacks ${lacks.join(', ')}.`,
          ),
        )
      }
    }
    return 0
  },
})

/** @throws UsageError when it cannot be written there, for reasons of the path */
function writeDrawing(path: string, svg: string): void {
  try {
    writeFileSync(path, svg)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT')
      throw new UsageError(`--svg: there is no folder ${dirname(path)}; make it (mkdir -p), or write elsewhere`)
    if (code === 'EISDIR') throw new UsageError(`--svg: ${path} is a directory; name a file in it`)
    throw error
  }
}

function clients({ session }: Boot) {
  return judge(session).map(({ client, version, lacks }) => ({
    client: nameOf({ client, version: undefined }),
    version: version ?? null,
    lacks: lacks.map(({ what }) => what),
  }))
}

/** When dnsmasq gave the server's present lease: its lease file has when that ends. Milliseconds since 1970. */
function leaseGiven(state: StateDirectory, { id, records }: Guest, seconds: number): number | undefined {
  const ports = [...(records?.port.values() ?? [])].filter(({ deviceId }) => deviceId === id)
  const given = ports.flatMap(({ networkId, macAddress }) =>
    leases(join(state.dhcp, networkId, 'leases'))
      .filter(([, mac]) => mac === macAddress)
      .map(([expiry]) => (Number(expiry) - seconds) * 1000),
  )
  return given.length === 0 ? undefined : Math.max(...given)
}

function leases(path: string): readonly (readonly string[])[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => line.split(' '))
  } catch {
    return [] // the network has no DHCP here
  }
}
