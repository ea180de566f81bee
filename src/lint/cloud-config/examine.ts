import { type Check, type Finding, runChecks, type Spot } from '../finding.ts'
import type { Means } from '../user-data/examine.ts'
import type { Piece } from '../user-data/piece.ts'
import { consequenceOf } from './consequences.ts'
import { type CloudConfig, habitChecks } from './habits.ts'
import { isMapping, kindName } from './values.ts'
import type { Violation } from './violations.ts'
import { readYaml, type Yaml } from './yaml.ts'

/** Cloud-config: whether it parses, is a mapping, fits the rules, and does what it seems to do. */
export function examineCloudConfig(piece: Piece, { rules, hasKeyPair }: Means): readonly Finding[] {
  const yaml = readYaml(piece.text ?? '')
  const found = runChecks(yamlChecks, yaml, piece.place)
  if (!isMapping(yaml.value)) return found
  const at = (violation: Violation) => spotOf(violation, yaml)
  const config: CloudConfig = { value: yaml.value, hasKeyPair, lineOf: yaml.lineOf }
  return [
    ...found,
    ...runChecks(ruleChecks, { violations: rules.violations(yaml.value), at }, piece.place),
    ...runChecks(habitChecks, config, piece.place),
  ]
}

const READERS = { severity: 'error', breaks: ['cloud-init', 'cloudbase-init'] } as const
const UNREAD = 'the guest cannot read it and uses nothing of it; the boot goes on'

const yamlChecks: readonly Check<Yaml>[] = [
  {
    ...READERS,
    name: 'cloud-config/yaml',
    how: UNREAD,
    mend: 'mend the YAML; text with ": ", "#" or a bracket in it belongs in quotes',
    look: ({ problems }) =>
      problems
        .filter(({ isDuplicate }) => !isDuplicate)
        .slice(0, 1) // what follows the first mistake is most often its echo
        .map(({ line, message }) => ({
          line,
          problem: message,
          ...(/tab/i.test(message) ? { mend: 'indent with blanks' } : {}),
        })),
  },
  {
    ...READERS,
    name: 'cloud-config/duplicate-key',
    severity: 'warning',
    how: 'the last value wins, and the earlier ones are lost without a word',
    mend: 'join them under one name',
    look: ({ problems }) =>
      problems
        .filter(({ isDuplicate }) => isDuplicate)
        .map(({ line }) => ({ line, problem: 'the name stands here twice in one mapping' })),
  },
  {
    ...READERS,
    name: 'cloud-config/mapping',
    how: UNREAD,
    mend: 'write names and values ("packages: [vim]")',
    look: ({ value, problems }) => {
      if (isMapping(value) || problems.some(({ isDuplicate }) => !isDuplicate)) return undefined
      if (value === null) return { severity: 'warning', how: 'nothing is configured', problem: 'says nothing' }
      return { problem: `is ${kindName(value)}, and should be a mapping` }
    },
  },
]

interface Violations {
  readonly violations: readonly Violation[]
  readonly at: (violation: Violation) => Spot
}

const ruleChecks: readonly Check<Violations>[] = [
  {
    ...READERS,
    name: 'cloud-config/unknown-key',
    severity: 'warning',
    how: 'the guest pays no attention to it, so what it asks for is not done',
    mend: 'correct the name, or remove it',
    look: ({ violations, at }) => violations.filter(({ kind }) => kind === 'unknown').map(at),
  },
  {
    ...READERS,
    name: 'cloud-config/shape',
    breaks: ['cloud-init'],
    how: 'cloud-init finds its own schema violated; the module that reads it fails or does less',
    mend: 'give it the form the schema asks for',
    look: ({ violations, at }) =>
      violations
        .filter(({ kind }) => kind === 'wrong')
        .map((violation) => ({ ...at(violation), ...consequenceOf(violation.path[0]) })),
  },
]

function spotOf({ path, message }: Violation, { lineOf }: Yaml): Spot {
  const line = lineOf(path)
  return {
    problem: message,
    ...(line === undefined ? {} : { line }),
    ...(path.length === 0 ? {} : { member: pathText(path) }),
  }
}

/** `users[0].name`, `disk_setup["/dev/vda"].layout` */
function pathText(path: Violation['path']): string {
  return path.map((step, index) => stepText(step, index === 0)).join('')
}

function stepText(step: string | number, isFirst: boolean): string {
  if (typeof step === 'number' || !/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`
  return isFirst ? step : `.${step}`
}
