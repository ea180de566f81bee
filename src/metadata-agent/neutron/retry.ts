import { setTimeout as pause } from 'node:timers/promises'
import { type Rest, type RestAnswer, RestFailed, type RestQuestion } from './rest.ts'

const FIRST_PAUSE_MILLISECONDS = 100
const LAST_PAUSE_MILLISECONDS = 2_000

/** Answers of servers that may do better soon. */
const PASSING: ReadonlySet<number> = new Set([429, 500, 502, 503, 504])

/**
 * Asks until an answer comes that is worth something: no answer and an answer of PASSING are asked again, after pauses that
 * double, with some chance in them, so that many agents do not come back at once.
 *
 * @param retries  beyond the first try
 * @throws RestFailed when the last try has none, or when the signal comes
 */
export async function askPatiently(
  rest: Rest,
  question: RestQuestion,
  retries: number,
  signal: AbortSignal,
): Promise<RestAnswer> {
  for (let tried = 0; ; tried += 1) {
    const answer = await rest.ask(question, signal).catch((error: unknown) => error)
    const problem = problemOf(answer, question)
    if (problem === undefined) return answer as RestAnswer
    if (tried >= retries || signal.aborted) throw problem
    const longest = Math.min(FIRST_PAUSE_MILLISECONDS * 2 ** tried, LAST_PAUSE_MILLISECONDS)
    await pause(longest * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {
      throw problem
    })
  }
}

function problemOf(answer: unknown, { url }: RestQuestion): Error | undefined {
  if (answer instanceof Error) return answer
  const { status } = answer as RestAnswer
  return PASSING.has(status) ? new RestFailed(`${new URL(url).origin}: answers ${status}`) : undefined
}
