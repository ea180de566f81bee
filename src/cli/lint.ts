import type { Values } from '../config/option.ts'
import { text, truth } from '../config/option.ts'
import { documentOptions } from '../config/options/documents.ts'
import { stateOptions } from '../config/options/state.ts'
import { openMemoryStore } from '../inventory/memory-store.ts'
import type { RecordSet } from '../inventory/records/records.ts'
import { applyFile, FileRefused } from './apply-file.ts'
import { command } from './command.ts'
import { findServer } from './find-server.ts'
import { examineServers } from './lint/examine-servers.ts'
import { loadRules } from './lint/load-rules.ts'
import { count, findingLines, findingsJson, summary } from './lint/report.ts'
import { readRecords } from './read-records.ts'

const options = {
  file: text('FILE', '', 'Examine the servers of this inventory file instead; nothing is kept.', { short: 'f' }),
  cloud_init_schema: text(
    'FILE',
    '',
    'The schema of cloud-config (schema-cloud-config-v1.json of a cloud-init). Default: the one of the cloud-init installed here; without any, checks of ours for the frequent mistakes.',
  ),
  json: truth(false, 'Print the findings as JSON.'),
  dhcp_domain: documentOptions.dhcp_domain,
  ...stateOptions,
}

export const lint = command({
  usage: '[SERVER...]',
  operands: Number.POSITIVE_INFINITY,
  description:
    'Examines what servers would be given at their first boot: user data of every kind (first line, cloud-config, MIME parts, gzip, Ignition), host name, key pair, network, config drive. Each finding says where it is, which guest it breaks and how, and what to do. All servers when none is named. Exit code 1 when there is an error; warnings leave it 0. Needs no root and no network.',
  options,
  examples: [
    ['firstboot lint', 'every server of the inventory'],
    ['firstboot lint web-1 web-2', 'two of them'],
    ['firstboot lint -f my.yaml', 'before applying it'],
    ['firstboot lint --json', 'for programs'],
  ],
  run: async ({ values, positionals, env, terminal }) => {
    const { rules, schema } = loadRules(values.cloud_init_schema)
    const records = await recordsOf(values, env).catch(refusal)
    if (records instanceof FileRefused) {
      if (values.json) terminal.print(JSON.stringify({ problems: records.problems }, null, 2))
      else records.message.split('\n').forEach(terminal.say)
      return 1
    }
    const servers =
      positionals.length === 0 ? records.server.values() : positionals.map((name) => findServer(records, name))
    const examined = await examineServers(records, servers, rules, values.dhcp_domain)
    if (values.json)
      terminal.print(JSON.stringify({ cloud_init_schema: schema, findings: findingsJson(examined) }, null, 2))
    else {
      findingLines(examined, terminal.paint).forEach(terminal.print)
      terminal.say(summary(examined))
      terminal.say(schema === null ? OWN_CHECKS : `cloud-config was held against ${schema}`)
    }
    return count(examined, 'error') === 0 ? 0 : 1
  },
})

const OWN_CHECKS =
  'No cloud-init is installed here: cloud-config was examined for frequent mistakes only (--cloud-init-schema FILE gives its schema).'

async function recordsOf(values: Values<typeof options>, env: NodeJS.ProcessEnv): Promise<RecordSet> {
  if (values.file === '') return readRecords(values, env)
  const store = openMemoryStore()
  await applyFile(store, values.file)
  return (await store.load()).records
}

function refusal(error: unknown): FileRefused {
  if (error instanceof FileRefused) return error
  throw error
}
