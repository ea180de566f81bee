import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.ts'
import { chain } from './chain.ts'
import { configDrive } from './config-drive.ts'
import { datapath } from './datapath.ts'
import { documents } from './documents.ts'
import { guestRequest } from './guest-request.ts'
import { describeMachine } from './machine.ts'
import { memory } from './memory.ts'
import { observing } from './observing.ts'
import { ovn } from './ovn.ts'
import { portSecurityBench } from './port-security.ts'
import { printReport } from './report.ts'

// `npm run bench [-- NAME...] [--json]`, inside the sandbox: the report on standard output, progress on standard error.

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  'guest-request': guestRequest,
  chain,
  observing,
  documents,
  memory,
  'config-drive': configDrive,
  datapath,
  'port-security': portSecurityBench,
  ovn,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS)
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name))
const refusal =
  unknown.length > 0
    ? `There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}.`
    : process.env['FIRSTBOOT_SANDBOX'] === '1'
      ? undefined
      : 'This needs a sandbox: npm run bench'
if (refusal !== undefined) {
  process.stderr.write(`${refusal}\n`)
  process.exit(2)
}

const machine = await describeMachine()
const results = []
for (const [name, { title, run }] of Object.entries(BENCHMARKS)) {
  if (!names.includes(name)) continue
  const start = performance.now()
  const result = await run((line) => process.stderr.write(`${name}: ${line}\n`))
  results.push({ name, title, seconds: Math.round((performance.now() - start) / 1000), ...result })
}
process.stdout.write(values.json ? `${JSON.stringify({ machine, results }, null, 2)}\n` : printReport(machine, results))
