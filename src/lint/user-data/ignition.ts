import type { Check, Spot } from '../finding.ts'
import { lineAt, type Piece, quoted } from './piece.ts'

const READER = { severity: 'error', breaks: ['Ignition'] } as const
const REFUSES = 'Ignition refuses the config and the machine stops in its emergency shell at first boot'

/** https://coreos.github.io/ignition/specs/: stable ones; Flatcar and old releases also read 1 and 2. */
const STABLE = { '2': 4, '3': 6 } as const

export const ignitionChecks: readonly Check<Piece>[] = [
  {
    ...READER,
    name: 'ignition/json',
    how: REFUSES,
    mend: 'generate it again (butane), or check it with a JSON reader',
    look: ({ text = '' }) => {
      const { error } = parsed(text)
      return error && { problem: `is no JSON: ${error.message}`, ...lineOf(error, text) }
    },
  },
  {
    ...READER,
    name: 'ignition/version',
    how: REFUSES,
    mend: 'say a stable version of the specification, such as {"ignition": {"version": "3.4.0"}}',
    look: ({ text = '' }) => versionSpot(parsed(text).value),
  },
]

function versionSpot(config: unknown): Spot | undefined {
  if (!isObject(config)) return undefined
  if (!isObject(config['ignition'])) return oldConfig(config)
  const version = config['ignition']['version']
  const at = { member: 'ignition.version' }
  if (version === undefined) return { ...at, problem: 'the version of the specification is missing' }
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)\.\d+$/.exec(String(version)) ?? []
  if (/-experimental$/.test(String(version)))
    return {
      ...at,
      severity: 'warning',
      problem: `${version} is experimental: releases that know it as stable refuse it`,
    }
  if (major !== '2' && major !== '3')
    return { ...at, problem: `${quoted(String(version))} is no version 2.x.0 or 3.x.0` }
  if (Number(minor) > STABLE[major])
    return {
      ...at,
      severity: 'warning',
      problem: `${version} is newer than any version known here (${major}.${STABLE[major]}.0)`,
    }
  if (major === '2')
    return {
      ...at,
      severity: 'warning',
      problem: `${version}: Fedora CoreOS and newer RHEL CoreOS read version 3 only`,
    }
  return undefined
}

function oldConfig(config: Readonly<Record<string, unknown>>): Spot | undefined {
  if (!('ignitionVersion' in config)) return { problem: 'has no member "ignition" that tells its version' }
  const problem = 'is of version 1: only Container Linux and Flatcar read it'
  return { severity: 'warning', member: 'ignitionVersion', problem }
}

function parsed(text: string): { readonly value?: unknown; readonly error?: Error } {
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) }
  }
}

function lineOf({ message }: Error, text: string): { readonly line?: number } {
  const offset = /at position (\d+)/.exec(message)?.[1]
  return offset === undefined ? {} : { line: lineAt(text, Number(offset)) }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
