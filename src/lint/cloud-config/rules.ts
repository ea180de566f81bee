import type { Schema, SchemaDraft } from '@cfworker/json-schema'
import { nearest, suggestion } from '../../text/nearest.ts'
import { OTHER_MEMBERS, ownSchema } from './own-schema.ts'
import { isMapping, type Mapping } from './values.ts'
import { type Violation, valueAt, violationsOf } from './violations.ts'

/** What cloud-config is held against. */
export interface CloudConfigRules {
  violations(config: Mapping): readonly Violation[]
}

/** Checks of ours for the frequent mistakes. */
export function ownRules(): CloudConfigRules {
  return rules(ownSchema, '2020-12')
}

/**
 * cloud-init's own schema, as an installed cloud-init carries it.
 * @param json  the parsed file `schema-cloud-config-v1.json`
 * @throws Error when it is no such schema
 */
export function cloudInitRules(json: unknown): CloudConfigRules {
  if (!isMapping(json) || membersOf(json, json).size === 0) throw new Error('it is no JSON schema of cloud-config')
  return rules(json, draftOf(json['$schema']))
}

function rules(schema: Schema, draft: SchemaDraft): CloudConfigRules {
  const violations = violationsOf(schema, draft)
  const members = [...membersOf(schema, schema)]
  const known = [...new Set([...members, ...membersOf(ownSchema, ownSchema), ...OTHER_MEMBERS])]
  return {
    violations: (config) => {
      const found = violations(config)
      const strangers = new Set(found.filter(isUnknownMember).map(({ path }) => String(path[0])))
      return [
        ...found.filter((each) => !isUnknownMember(each)),
        // What is wrong with `network` is told in habits.ts.
        ...[...strangers].filter((name) => name !== 'network').map((name) => unknown(name, members)),
        ...misspelt(config, known)
          .filter((name) => !strangers.has(name))
          .map((name) => unknown(name, known)),
      ]
    },
  }
}

function isUnknownMember({ kind, path }: Violation): boolean {
  return kind === 'unknown' && path.length === 1
}

/** A schema that allows members it does not know is no help with their spelling. */
function misspelt(config: Mapping, known: readonly string[]): readonly string[] {
  return Object.keys(config).filter((name) => !known.includes(name) && nearest(name, known) !== undefined)
}

function unknown(name: string, known: readonly string[]): Violation {
  return {
    kind: 'unknown',
    path: [name],
    message: `${JSON.stringify(name)} is not known here${suggestion(name, known)}`,
  }
}

/** The members that a schema names at its top, also through `allOf` and references. */
function membersOf(node: unknown, root: unknown): ReadonlySet<string> {
  if (!isMapping(node)) return new Set()
  const { properties, allOf, $ref } = node
  const referred = typeof $ref === 'string' ? valueAt(root, $ref.split('/').slice(1)) : undefined
  return new Set([
    ...(isMapping(properties) ? Object.keys(properties) : []),
    ...(Array.isArray(allOf) ? allOf : []).flatMap((each: unknown) => [...membersOf(each, root)]),
    ...membersOf(referred, root),
  ])
}

function draftOf(name: unknown): SchemaDraft {
  const drafts: readonly (readonly [RegExp, SchemaDraft])[] = [
    [/draft-04/, '4'],
    [/draft-0[67]/, '7'],
    [/2019-09/, '2019-09'],
  ]
  return drafts.find(([pattern]) => pattern.test(String(name)))?.[1] ?? '2020-12'
}
