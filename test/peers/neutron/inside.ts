import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tryCombinations } from './combinations.ts'

// In the peer's network and mount namespace: NOVA-SCRIPTS NEUTRON-DIRECTORY NEUTRON-URL RESULT-FILE

const [novaScripts = '', neutronDirectory = '', neutronUrl = '', result = ''] = process.argv.slice(2)
const directory = mkdtempSync(join(tmpdir(), 'fb-agents-'))
const say = (line: string) => process.stdout.write(`${line}\n`)
const combinations = await tryCombinations({ novaScripts, neutronDirectory, neutronUrl, directory, say })
writeFileSync(result, JSON.stringify(combinations))
const isGood = combinations.every(({ differences }) => differences.length === 0)
if (isGood) rmSync(directory, { recursive: true })
else say(`logs are in ${directory}`)
for (const { agent, api, differences } of combinations)
  for (const line of differences) say(`agent ${agent}, API ${api}: ${line}`)
process.exit(isGood ? 0 : 1)
