import { attempt } from './attempt.ts'

/** How a program is asked for its version. */
export interface Asked {
  readonly program: string
  readonly versionArguments: readonly string[]
}

/** What was found of a program. */
export interface FoundProgram {
  /** First line of what it says of itself; empty when it says nothing. */
  readonly says: string
  /** `2.89`: the first number with a dot in that line. */
  readonly version: string | undefined
}

/** Programs that are there, by name. */
export async function findPrograms(asked: readonly Asked[]): Promise<ReadonlyMap<string, FoundProgram>> {
  const found = await Promise.all(
    asked.map(async ({ program, versionArguments }) => {
      const answer = await attempt(program, versionArguments)
      return answer === undefined ? [] : [[program, describe(answer.stdout || answer.stderr)] as const]
    }),
  )
  return new Map(found.flat())
}

function describe(output: string): FoundProgram {
  const says = output.trim().split('\n')[0] ?? ''
  return { says, version: /\d+(?:\.\d+)+/.exec(says)?.[0] }
}
