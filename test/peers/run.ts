import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Compared, comparePeers } from './compare-peers.ts'
import { printLastResult, withSection } from './compatibility-page.ts'
import type { Sample } from './inputs.ts'
import { ASPECTS } from './random-instance.ts'

// `npm run test:peers`, inside the sandbox: our metadata API beside the real Nova, asked the same about the same random
// instances. Exit code 1 when something differs that deviations.ts does not name.

const PAGE = fileURLToPath(new URL('../../docs/compatibility.md', import.meta.url))

/** Differing instances that are looked into, and findings that are shown of each run. */
const ISOLATED = 3
const SHOWN = 20

const { values } = parseArgs({
  options: {
    peers: { type: 'string', default: process.env['FIRSTBOOT_PEERS'] ?? '' },
    seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
    instances: { type: 'string', default: '200' },
    only: { type: 'string' },
    record: { type: 'boolean', default: false },
    part: { type: 'string' }, // bootstrap/peers.js has read it
  },
})
const seed = Number(values.seed)
const scripts = join(values.peers, 'nova')
const numbers = values.only === undefined ? [...Array(Number(values.instances)).keys()] : [Number(values.only)]

print(`seed ${seed}`)
const compared = await comparePeers(
  scripts,
  numbers.map((number) => ({ seed, number })),
  print,
)
report(compared)
const differing = [...new Set(compared.findings.map(({ case: name }) => Number(name.split('/')[1])))].slice(0, ISOLATED)
if (differing.length > 0) {
  print(`\neach aspect of instance ${differing.join(' and ')} on its own`)
  report(await comparePeers(scripts, differing.flatMap(aspectsAlone), print))
  print(`\nagain: npm run test:peers -- --seed ${seed} --only ${differing[0]}`)
}
if (values.record) {
  const result = printLastResult(compared, seed, new Date().toISOString().slice(0, 10))
  writeFileSync(PAGE, withSection(readFileSync(PAGE, 'utf8'), 'last result', result))
}
process.exit(compared.findings.length === 0 ? 0 : 1)

/** A plain instance with one aspect of the random one, for each aspect: it shows where a difference comes from. */
function aspectsAlone(number: number): readonly Sample[] {
  return ASPECTS.map((aspect) => ({ seed, number, aspects: [aspect] }))
}

function report({ release, instances, requests, findings, met }: Compared): void {
  for (const { case: name, request, difference } of findings.slice(0, SHOWN)) {
    print(`\ninstance ${name}\n  ${request}\n  ${difference}`)
  }
  if (findings.length > SHOWN) print(`\n... and ${findings.length - SHOWN} more`)
  for (const [{ what }, count] of met) print(`known, ${count} times: ${what}`)
  print(`Nova ${release}: ${instances} instances, ${requests} requests, ${findings.length} unexplained differences`)
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}
