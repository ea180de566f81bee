import { CHECKS } from './examine.ts'

/** The table of docs/doctor.md. Pure. */
export function checkTable(): string {
  return [
    '## The checks',
    '',
    '| Check | What is expected |',
    '|---|---|',
    ...CHECKS.map(({ name, expected }) => `| \`${name}\` | ${expected} |`),
    '',
  ].join('\n')
}
