import type { Options } from '../config/option.ts'
import { HostError } from '../host/errors.ts'
import { nearest } from '../text/nearest.ts'
import { BadQuestion, type ManagementRoutes } from './management.ts'

/** Who can be given other options while it runs. */
export interface Configurable<V extends object> {
  /** In force now. */
  readonly values: V
  /** Puts others in force. @returns what changed, one a line
   *  @throws HostError when they name a program that is not installed; then those before stay in force */
  configure(values: V): Promise<readonly string[]>
}

/** What an operator sees and changes of the options of a datapath. */
export function configRoutes<V extends object>(running: Configurable<V>, options: Options): ManagementRoutes {
  return {
    'GET /config': async () => running.values,
    // Options as text, as a flag gives them: `{ "force_metadata": "true" }`. In force until the end or a SIGHUP.
    'PUT /config': async (asked) => ({
      changed: await running.configure({ ...running.values, ...parsed(options, asked) }).catch(refuse),
    }),
  }
}

function refuse(error: unknown): never {
  throw error instanceof HostError ? new BadQuestion(error.message, { cause: error }) : error
}

function parsed(options: Options, asked: unknown): Readonly<Record<string, unknown>> {
  if (typeof asked !== 'object' || asked === null || Array.isArray(asked))
    throw new BadQuestion('give an object of options and their values')
  const changes = Object.entries(asked).map(([name, text]) => {
    const option = options[name]
    if (option === undefined)
      throw new BadQuestion(`there is no option ${name} of the datapath${choice(name, Object.keys(options))}`)
    try {
      return [name, option.parse(String(text))]
    } catch (error) {
      throw new BadQuestion(`${name}: ${error instanceof Error ? error.message : error}`)
    }
  })
  return Object.fromEntries(changes)
}

function choice(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? `; it has ${known.join(', ')}` : `; did you mean ${near}?`
}
