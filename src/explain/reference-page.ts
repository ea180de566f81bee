import { FAULTS } from './faults.ts'
import { OVN_FAULTS } from './ovn/way.ts'

/** The catalogue of docs/faults/README.md. Pure. */
export function faultCatalogue(): string {
  return [
    '## The faults',
    '',
    '| Fault | Symptom | Cause | How it is recognised | Mend |',
    '|---|---|---|---|---|',
    ...[...FAULTS, ...OVN_FAULTS].map(
      ({ id, symptom, cause, recognised, mend }) => `| \`${id}\` | ${symptom} | ${cause} | ${recognised} | ${mend} |`,
    ),
    '',
  ].join('\n')
}
