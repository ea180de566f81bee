import { type OutputUnit, type Schema, type SchemaDraft, Validator } from '@cfworker/json-schema'
import { suggestion } from '../../text/nearest.ts'
import { kindName, typeNames } from './values.ts'
import type { Path } from './yaml.ts'

/** One way in which a value does not fit a schema. */
export interface Violation {
  readonly kind: 'unknown' | 'wrong'
  readonly path: Path
  readonly message: string
}

/**
 * Makes a function that tells, in words for people, what is wrong with a value. A validator reports every subschema that
 * failed on the way; of alternatives only the one that was most likely meant is told about.
 */
export function violationsOf(schema: Schema, draft: SchemaDraft): (value: unknown) => readonly Violation[] {
  const validator = new Validator(schema, draft, false)
  return (value) => {
    const units = withoutEchoes(validator.validate(value).errors)
    const found = leaves(units).map((unit) => told(unit, schema, value))
    return found.filter((each, i) => found.findIndex((other) => sameViolation(each, other)) === i)
  }
}

function sameViolation(a: Violation, b: Violation): boolean {
  return a.message === b.message && a.path.join('\0') === b.path.join('\0')
}

/** Keywords that only lead to the one that failed. */
const STRUCTURE: ReadonlySet<string> = new Set([
  '$ref',
  'allOf',
  'properties',
  'patternProperties',
  'items',
  'additionalItems',
  'prefixItems',
  'additionalProperties',
])
const CHOICES: ReadonlySet<string> = new Set(['oneOf', 'anyOf'])
const UNKNOWN = 'unknown'

/** A member that `additionalProperties: false` forbids is reported twice; one unit with the member's place is left. */
function withoutEchoes(units: readonly OutputUnit[]): readonly OutputUnit[] {
  return units.map((unit, i) => {
    const before = units[i - 1]
    if (unit.keyword !== 'false' || before?.keyword !== 'additionalProperties') return unit
    return { ...unit, keyword: UNKNOWN, keywordLocation: before.keywordLocation }
  })
}

/** Units come depth first: what failed inside of a choice follows it. */
function leaves(units: readonly OutputUnit[]): readonly OutputUnit[] {
  const [unit, ...rest] = units
  if (unit === undefined) return []
  if (!CHOICES.has(unit.keyword)) return [...(STRUCTURE.has(unit.keyword) ? [] : [unit]), ...leaves(rest)]
  const end = rest.findIndex(({ keywordLocation }) => !keywordLocation.startsWith(`${unit.keywordLocation}/`))
  const inside = end < 0 ? rest : rest.slice(0, end)
  return [...chosen(unit, inside), ...leaves(rest.slice(inside.length))]
}

/** The alternative that has the value's type and got furthest; with none of its type, all of them as one. */
function chosen(choice: OutputUnit, inside: readonly OutputUnit[]): readonly OutputUnit[] {
  const branches = Object.values(Object.groupBy(inside, ({ keywordLocation }) => branchOf(choice, keywordLocation)))
  const meant = branches
    .filter((branch) => branch !== undefined)
    .filter((branch) => !branch.some((unit) => isOfOtherType(unit, choice)))
    .toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)
  if (meant[0] !== undefined) return leaves(meant[0])
  const types = inside.filter((unit) => isOfOtherType(unit, choice))
  return types.length === 0
    ? [choice]
    : [{ ...choice, keyword: 'types', keywordLocation: types.map((unit) => unit.keywordLocation).join('\n') }]
}

function branchOf(choice: OutputUnit, location: string): string {
  return location.slice(choice.keywordLocation.length + 1).split('/')[0] ?? ''
}

function isOfOtherType(unit: OutputUnit, { instanceLocation }: OutputUnit): boolean {
  return unit.keyword === 'type' && unit.instanceLocation === instanceLocation
}

function depth(units: readonly OutputUnit[]): number {
  return Math.max(...units.map(({ instanceLocation }) => instanceLocation.split('/').length))
}

function told(unit: OutputUnit, schema: Schema, root: unknown): Violation {
  const path = pathOf(unit.instanceLocation, root)
  const value = valueAt(root, path)
  const wrong = (message: string): Violation => ({ kind: 'wrong', path, message })
  const rule = valueAt(schema, ruleSteps(unit.keywordLocation, schema))
  switch (unit.keyword) {
    case UNKNOWN:
      return {
        kind: 'unknown',
        path,
        message: `${JSON.stringify(path.at(-1))} is not known here${suggestion(String(path.at(-1)), siblings(unit, schema))}`,
      }
    case 'type':
      return wrong(`is ${kindName(value)}, and should be ${typeNames([rule].flat().map(String))}`)
    case 'types': {
      const types = unit.keywordLocation.split('\n').flatMap((location) => valueAt(schema, ruleSteps(location, schema)))
      return wrong(`is ${kindName(value)}, and should be ${typeNames(types.map(String))}`)
    }
    case 'enum':
      return wrong(
        `is ${JSON.stringify(value)}, and should be one of ${[rule]
          .flat()
          .map((each) => JSON.stringify(each))
          .join(', ')}`,
      )
    case 'oneOf':
    case 'anyOf':
      return wrong(`is ${kindName(value)}, in none of the forms it may have, or in a form that can be read in two ways`)
    case 'minItems':
    case 'minProperties':
      return wrong(`has too few entries; at least ${rule}`)
    case 'required':
      return wrong(`has no ${/"([^"]*)"\.$/.exec(unit.error)?.[1] ?? 'member that it needs'}`)
    default:
      return wrong(unit.error.charAt(0).toLowerCase() + unit.error.slice(1).replace(/\.$/, ''))
  }
}

/** The names that are allowed where `additionalProperties` forbids others. */
function siblings({ keywordLocation }: OutputUnit, schema: Schema): readonly string[] {
  const parent = valueAt(schema, ruleSteps(keywordLocation, schema).slice(0, -1))
  const properties = valueAt(parent, ['properties'])
  return typeof properties === 'object' && properties !== null ? Object.keys(properties) : []
}

/** `#/allOf/3/$ref/properties/runcmd/type` leads through the references that it names; this is the way without them. */
function ruleSteps(location: string, schema: Schema): readonly string[] {
  let steps: readonly string[] = []
  const written = pointerSteps(location)
  for (const [i, step] of written.entries()) {
    const reference = step === '$ref' && i < written.length - 1 ? valueAt(schema, [...steps, step]) : undefined
    steps = typeof reference === 'string' ? pointerSteps(reference) : [...steps, step]
  }
  return steps
}

function pointerSteps(pointer: string): readonly string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => decodeURI(step).replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Steps into a list are numbers. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = []
  for (const step of pointerSteps(pointer)) path.push(Array.isArray(valueAt(root, path)) ? Number(step) : step)
  return path
}

export function valueAt(root: unknown, path: Path): unknown {
  let value = root
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Reflect.get(value, step)
  }
  return value
}
