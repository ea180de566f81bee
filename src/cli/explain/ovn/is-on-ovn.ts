import { existsSync } from 'node:fs'
import type { StateDirectory } from '../../../daemons/state-directory.ts'
import { OVN_PREFIX } from '../../../datapath/ovn/namespace.ts'
import type { Known } from '../../../host/examine/known.ts'
import { netnsInode, netnsPath } from '../../../host/netns.ts'
import type { RunningDaemon } from '../daemons.ts'
import type { Wanted } from '../find-port.ts'

/** Whether OVN carries the networks of an inventory: as the running daemon was told; else as we are; else by what a killed
 *  one has left. */
export function isOnOvn(
  daemons: Known<readonly RunningDaemon[]>,
  { port }: Wanted,
  datapath: 'bridges' | 'ovn',
): boolean {
  const running = 'value' in daemons ? daemons.value : []
  const up = running.find(({ command }) => command === 'up')
  if (up !== undefined) return up.values['datapath'] === 'ovn'
  return (
    datapath === 'ovn' || (port !== undefined && netnsInode(netnsPath(`${OVN_PREFIX}${port.networkId}`)) !== undefined)
  )
}

/** Whether guests are those of a cloud of others: an agent of OVN serves them, or there is no inventory. */
export function isOfSouthbound(daemons: Known<readonly RunningDaemon[]>, { database }: StateDirectory): boolean {
  const running = 'value' in daemons ? daemons.value : []
  return running.some(({ command }) => command === 'ovn-metadata-agent') || !existsSync(database)
}
