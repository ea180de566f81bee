import { type Check, error, ifKnown, unless, warning } from '../check.ts'
import type { SecretSource } from '../facts.ts'

export const configurationChecks: readonly Check[] = [
  {
    name: 'configuration/variables',
    expected: 'each variable FIRSTBOOT_… is an option’s, and its value is one the option can have',
    judge: ({ configuration: { unknown, wrong } }) =>
      unless(
        [
          ...unknown.map(({ name, meant }) =>
            meant === undefined
              ? warning(`no option has ${name}: nobody reads it`, `unset ${name}; firstboot COMMAND --help lists them`)
              : error(`no option has ${name}: nobody reads it`, `write ${meant}`),
          ),
          ...wrong.map((message) => error(message, 'firstboot COMMAND --help says what it can be')),
        ],
        'so it is',
      ),
  },
  {
    name: 'configuration/shared-secret',
    expected: 'metadata agent and metadata API have the same shared secret',
    judge: ({ secrets }) => ifKnown(secrets, judgeSecrets),
  },
]

/** An agent whose secret no API here has is refused by each of them. */
function judgeSecrets(sources: readonly SecretSource[]) {
  const [agents, apis] = (['agent', 'api'] as const).map((side) => sources.filter((source) => source.side === side))
  if (!agents?.length || !apis?.length) return unless([], 'there are not both on this host')
  return unless(
    agents
      .filter(({ digest }) => !apis.some((api) => api.digest === digest))
      .map(({ where }) =>
        error(
          `that of ${where} differs from that of ${apis.map((api) => api.where).join(' and ')}: each request ends in 403`,
          'give both the same metadata_proxy_shared_secret, and restart them',
        ),
      ),
    'so they have',
  )
}
