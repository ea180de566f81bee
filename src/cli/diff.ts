import { text, truth } from '../config/option.ts'
import { documentOptions } from '../config/options/documents.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { openMetadataService } from '../daemons/metadata-service.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { EC2_VERSIONS, ec2Version } from '../documents/ec2/versions.ts'
import { openstackVersion, openstackVersions } from '../documents/openstack/versions.ts'
import type { Release } from '../documents/release.ts'
import { openInventory } from '../inventory/catalog.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { silentLog } from '../observe/log.ts'
import { nearest } from '../text/nearest.ts'
import { command } from './command.ts'
import { compareDocuments, type Difference } from './diff/compare.ts'
import { readDocuments } from './diff/read-documents.ts'
import { differenceLines, differencesJson } from './diff/report.ts'
import { findServer } from './find-server.ts'
import { readAs } from './read-as.ts'

export const diff = command({
  usage: 'SERVER [SERVER]',
  operands: 2,
  description:
    'Shows what differs between what one guest reads at two versions, or what two guests read: documents and EC2 leaves that only one has, and values that changed, JSON by its members. Random seeds do not count. A version of the OpenStack tree, or of the EC2 tree, picks that tree; `latest` on both sides compares both. Exit code 0 when there is no difference, 1 when there is.',
  options: {
    from: text('VERSION', 'latest', 'Version the first side reads.'),
    to: text('VERSION', 'latest', 'Version the second side reads.'),
    json: truth(false, 'Print the differences as JSON.'),
    ...stateOptions,
    ...documentOptions,
  },
  examples: [
    ['firstboot diff web-1 --from 2018-08-27 --to latest', 'what cloud-init does not see of the newest version'],
    ['firstboot diff web-1 web-2', 'why does one boot and the other not'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const [first, second = first] = positionals
    const families = familiesOf(values.from, values.to, values.release)
    const state = await existingStateDirectory(stateDirectory(values, env))
    const store = await openSqliteStore(state.database)
    const inventory = openInventory(store, undefined, { flatInjected: values.flat_injected })
    try {
      await inventory.ready
      const servers = [findServer(inventory.records, first), findServer(inventory.records, second)] as const
      if (servers[0] === servers[1] && values.from === values.to)
        throw new UsageError('name two servers, or two versions with --from and --to')
      const service = openMetadataService(inventory, store, '', values, silentLog)
      const found: Difference[] = []
      for (const family of families) {
        const before = await readDocuments(await readAs(service, servers[0]), family, values.from)
        const after = await readDocuments(await readAs(service, servers[1]), family, values.to)
        found.push(...compareDocuments(before, after).map((each) => ({ ...each, path: `${family}/${each.path}` })))
      }
      if (values.json) terminal.print(JSON.stringify({ differences: differencesJson(found) }, null, 2))
      else {
        differenceLines(found).forEach(terminal.print)
        const sides = [`${servers[0].name} at ${values.from}`, `${servers[1].name} at ${values.to}`]
        terminal.say(
          `${found.length === 0 ? 'No difference' : `${found.length} ${found.length === 1 ? 'difference' : 'differences'}`} between ${sides.join(' and ')}.`,
        )
      }
      return found.length === 0 ? 0 : 1
    } finally {
      inventory.close()
      await store.close()
    }
  },
})

/** The trees that have both versions. @throws UsageError when none has */
function familiesOf(from: string, to: string, release: Release): readonly ('ec2' | 'openstack')[] {
  const known = {
    openstack: (version: string) => openstackVersion(version, release) !== undefined,
    ec2: (version: string) => ec2Version(version) !== undefined,
  }
  const families = (['openstack', 'ec2'] as const).filter((family) => known[family](from) && known[family](to))
  if (families.length > 0) return families
  const stranger = [from, to].find((version) => !known.openstack(version) && !known.ec2(version))
  throw new UsageError(
    stranger === undefined
      ? `${from} and ${to} are versions of different trees`
      : `there is no version ${JSON.stringify(stranger)}; ${choice(stranger, openstackVersions(release))}`,
  )
}

/** Dates resemble each other more than names do: one of another year was hardly meant. */
function choice(stranger: string, openstack: readonly string[]): string {
  const near = nearest(stranger, [...openstack, ...EC2_VERSIONS, 'latest'])
  if (near?.slice(0, 4) === stranger.slice(0, 4)) return `did you mean ${JSON.stringify(near)}?`
  return `OpenStack has ${openstack.join(', ')}; EC2 has ${EC2_VERSIONS.join(', ')}; both have latest`
}
