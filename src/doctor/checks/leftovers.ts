import type { Marked } from '../../host/examine/network.ts'
import { type Check, error, ifKnown, type Observation, unless, warning } from '../check.ts'
import type { Facts } from '../facts.ts'

const REMOVAL: Readonly<Record<Marked['kind'], (name: string) => string>> = {
  namespace: (name) => `ip netns delete ${name}`,
  bridge: (name) => `ip link delete ${name}`,
}

export const leftoverChecks: readonly Check[] = [
  {
    name: 'leftovers/marked',
    expected: 'namespaces and bridges with our mark are of a firstboot that runs',
    judge: ({ network: { marked }, owners }) =>
      ifKnown(marked, (found) =>
        unless(
          found.flatMap((each) => judgeMarked(each, owners) ?? []),
          'so they are',
        ),
      ),
  },
  {
    name: 'leftovers/names',
    expected: 'behind each name in /run/netns there is a namespace',
    judge: ({ network: { emptyNames } }) =>
      unless(
        emptyNames.map((name) => warning(`behind ${name} there is none`, `ip netns delete ${name}`)),
        'so it is',
      ),
  },
  {
    name: 'leftovers/dnsmasq',
    expected: 'each dnsmasq of ours is in a namespace of ours',
    judge: ({ neighbours, network: { namesByInode }, state, owners }) =>
      ifKnown(neighbours, ({ dnsmasq }) => {
        const folders = [state.path, ...owners.keys()].map((path) => `${path}/dhcp/`)
        const ours = dnsmasq.filter(({ directory = '' }) => folders.some((each) => directory.startsWith(each)))
        return unless(
          ours
            .filter(({ netnsInode }) => !namesByInode.has(netnsInode))
            .map(({ pid, directory }) =>
              warning(`process ${pid} serves ${directory} in a namespace without a name: for nobody`, `kill ${pid}`),
            ),
          ours.length === 0 ? 'there is none' : `${ours.length} run`,
        )
      }),
  },
]

function judgeMarked({ name, kind, statePath }: Marked, owners: Facts['owners']): Observation | undefined {
  const owner = statePath === undefined ? undefined : owners.get(statePath)
  if (owner === undefined || (owner.exists && owner.holder !== undefined)) return undefined
  const remove = REMOVAL[kind](name)
  if (!owner.exists) return error(`${kind} ${name} is of ${statePath}, which is no more`, remove)
  return warning(
    `${kind} ${name} is of ${statePath}, on which nobody runs`,
    `start firstboot there again, which takes it over; or ${remove}`,
  )
}
