import type { Known } from '../../host/examine/known.ts'

/** What came of it, or why nothing did. */
export async function attempted<T>(what: string, attempt: () => Promise<T>): Promise<Known<T>> {
  try {
    return { value: await attempt() }
  } catch (error) {
    return { unknown: `${what}: ${error instanceof Error ? error.message : error}` }
  }
}
