import { UsageError } from '../config/read.ts'
import { nearest } from '../text/nearest.ts'
import { command } from './command.ts'
import { build } from './config-drive/build.ts'
import { cat, inspect } from './config-drive/inspect.ts'
import { options } from './config-drive/options.ts'
import type { Verb } from './config-drive/verb.ts'
import { diff, verify } from './config-drive/verify.ts'

const VERBS: readonly Verb[] = [build, inspect, cat, diff, verify]

export const configDrive = command({
  usage: `${VERBS.map(({ name }) => name).join('|')} ...`,
  operands: 3,
  description: `Builds and reads config drives: the documents of the metadata service on a small disk labelled config-2. ${VERBS.map(({ name, usage }) => `${name} ${usage}`).join('; ')}. build needs no root and no program of the system. diff compares with a drive built now, verify with what HTTP answers now and says why a document is stale; both exit with 1 when something differs.`,
  options,
  examples: [
    ['firstboot config-drive build web-1', 'the drive that a guest run by firstboot gets'],
    ['firstboot config-drive build -f server.yaml -o drive.iso', 'a tool of its own, like cloud-localds'],
    ['firstboot config-drive build -f server.yaml -o seed.iso --format nocloud', 'for libvirt, Proxmox, Harvester'],
    ['firstboot config-drive inspect drive.iso', 'what is on it, and which guests could not read it'],
    ['firstboot config-drive cat drive.iso openstack/latest/meta_data.json', 'one document'],
    ['firstboot config-drive verify web-1 --rebuild', 'replace it if it is stale'],
  ],
  run: async (given) => {
    const [word, ...operands] = given.positionals
    const verb = VERBS.find(({ name }) => name === word)
    if (verb === undefined) throw new UsageError(unknownVerb(word))
    const surplus = operands.slice(verb.operands)
    if (surplus.length > 0)
      throw new UsageError(`nothing is done with ${surplus.map((each) => JSON.stringify(each)).join(' ')}`)
    return verb.run(operands, given)
  },
})

function unknownVerb(word: string | undefined): string {
  const names = VERBS.map(({ name }) => name)
  if (word === undefined) return `say what to do: ${names.join(', ')}`
  const near = nearest(word, names)
  return `${JSON.stringify(word)} is none of ${names.join(', ')}${near === undefined ? '' : `; did you mean ${near}?`}`
}
