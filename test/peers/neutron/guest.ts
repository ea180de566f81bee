import { existsSync } from 'node:fs'
import { captureProgram, runProgram } from '../../../src/host/programs.ts'
import { tapName } from '../../../src/inventory/records/port.ts'
import type { NeutronRecord } from './neutron-api.ts'

/** What a guest got, of what the metadata path makes of it. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  /** One character a byte. */
  readonly body: string
}

/** A guest of the real Neutron: a namespace, plugged as os-vif would plug a machine. */
export interface Guest {
  get(path: string, ...options: readonly string[]): Promise<Answer>
}

/** @param route  the way to the metadata address, as `ip route` takes it */
export async function plugGuest(name: string, port: NeutronRecord, route: readonly string[]): Promise<Guest> {
  const tap = tapName({ id: port.id as never })
  const bridge = `brq${String(port['network_id']).slice(0, 11)}`
  const address = (port['fixed_ips'] as readonly { ip_address: string }[])[0]?.ip_address
  const ip = (...args: readonly string[]) => runProgram('ip', args)
  await ip('netns', 'add', name)
  await ip('link', 'add', tap, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  await ip('-n', name, 'link', 'set', 'eth0', 'address', String(port['mac_address']))
  await ip('-n', name, 'link', 'set', 'eth0', 'up')
  await ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', 'eth0')
  await ip('-n', name, 'route', 'add', ...route)
  if (!existsSync(`/sys/class/net/${bridge}`)) await ip('link', 'add', bridge, 'type', 'bridge')
  await ip('link', 'set', bridge, 'up')
  await ip('link', 'set', tap, 'up', 'master', bridge)
  return {
    get: async (path, ...options) => {
      const curl = ['curl', '--silent', '--include', '--path-as-is', '--max-time', '35', ...options]
      const { stdout } = await captureProgram('ip', ['netns', 'exec', name, ...curl, `http://169.254.169.254${path}`])
      const end = stdout.indexOf('\r\n\r\n')
      const head = stdout.slice(0, Math.max(0, end))
      return {
        status: Number(/^HTTP\/1\.\d (\d+)/.exec(head)?.[1] ?? 0),
        contentType: /^content-type: (.*)$/im.exec(head)?.[1]?.trim() ?? '',
        body: stdout.slice(end + 4),
      }
    },
  }
}
