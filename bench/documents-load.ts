import { createHmac } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../src/host/programs.ts'
import { inCore } from './placing.ts'

/** An instance that asks. */
export interface Asker {
  readonly id: string
  readonly projectId: string
}

/** The file that documents.lua reads: the askers as a metadata agent would name them. */
export function writeAskers(file: string, askers: readonly Asker[], sharedSecret: string): void {
  writeFileSync(file, askers.map(({ id, projectId }) => `${id} ${projectId} ${signature(id, sharedSecret)}\n`).join(''))
}

export function signedHeaders({ id, projectId }: Asker, sharedSecret: string): Readonly<Record<string, string>> {
  return {
    'X-Instance-ID': id,
    'X-Tenant-ID': projectId,
    'X-Instance-ID-Signature': signature(id, sharedSecret),
    'X-Forwarded-For': '10.0.0.10',
  }
}

function signature(id: string, sharedSecret: string): string {
  return createHmac('sha256', sharedSecret).update(id).digest('hex')
}

export interface DocumentsLoad {
  readonly core: number
  readonly port: number
  /** The file of the askers, who ask one after the other. */
  readonly askers: string
  /** Which of them begins. */
  readonly first: number
  /** What each asks for: one document, or a whole crawl. */
  readonly paths: readonly string[]
  /** Whole seconds. */
  readonly seconds: number
}

/** Enough to keep the server at work without a pause. */
const CONNECTIONS = 32
const LUA = fileURLToPath(new URL('documents.lua', import.meta.url))

/** Asks as fast as answers come. @returns the number of answers @throws Error when one was not a success */
export async function askForDocuments({ core, port, askers, first, paths, seconds }: DocumentsLoad): Promise<number> {
  const options = ['-t', '1', '-c', `${CONNECTIONS}`, '-d', `${seconds}s`, '-s', LUA]
  const wrk = ['wrk', ...options, `http://127.0.0.1:${port}/`, '--', askers, `${first}`, ...paths]
  const [program, ...args] = inCore(core, wrk)
  const { stdout } = await runProgram(program, args)
  const seen = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { requests: number; errors: number }
  if (seen.errors > 0 || seen.requests === 0) {
    throw new Error(`${seen.errors} of ${seen.requests} requests for ${paths[0]} went wrong`)
  }
  return seen.requests
}
