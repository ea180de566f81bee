import { stateDirectory } from '../config/options/state.ts'
import { UsageError } from '../config/read.ts'
import { existingStateDirectory } from '../daemons/state-directory.ts'
import { parseNoun } from '../inventory/file/listing.ts'
import { NOUNS, type Noun, type RecordSet } from '../inventory/records/records.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { nearest } from '../text/nearest.ts'

/** Everything the inventory holds now. */
export async function readRecords(
  values: { readonly state_dir: string; readonly lab: boolean },
  env: NodeJS.ProcessEnv,
): Promise<RecordSet> {
  const state = await existingStateDirectory(stateDirectory(values, env))
  const store = await openSqliteStore(state.database)
  const { records } = await store.load()
  await store.close()
  return records
}

/** How nouns are written on the command line. */
export const NOUN_WORDS: readonly string[] = NOUNS.map((noun) => `${noun.replaceAll('_', '-')}s`)

/** @throws UsageError naming the nearest noun, or all of them */
export function nounOf(word: string | undefined): Noun {
  const noun = word === undefined ? undefined : parseNoun(word)
  if (noun !== undefined) return noun
  if (word === undefined) throw new UsageError(`say of what: ${NOUN_WORDS.join(', ')}`)
  throw new UsageError(`${JSON.stringify(word)} is none of ${NOUN_WORDS.join(', ')}${didYouMean(word)}`)
}

function didYouMean(word: string): string {
  const near = nearest(word, NOUN_WORDS)
  return near === undefined ? '' : `; did you mean ${near}?`
}
