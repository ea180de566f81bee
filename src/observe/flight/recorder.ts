import { mkdirSync, renameSync, statSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type FlightRecord, recordLine } from './record.ts'

/** Keeps the last requests on disk, so that they are there after a restart or a crash, for whoever may read the file. */
export interface FlightRecorder {
  record(record: FlightRecord): void
  /** Resolves when all is written. */
  close(): Promise<void>
  /** Records given up because the disk was full or slower than the guests. */
  readonly dropped: number
}

export interface RecorderOptions {
  /** One writer a file. */
  readonly path: string
  /** When the file is this long it becomes `<path>.1`, and the one before that goes. */
  readonly maxBytes?: number
  readonly onProblem: (error: unknown) => void
}

const MAX_BYTES = 4 * 1024 * 1024
/** A crash loses at most this much. */
const BATCH_MILLISECONDS = 200
/** What may wait to be written. */
const WAITING_CHARACTERS = 1024 * 1024

export function openFlightRecorder({ path, maxBytes = MAX_BYTES, onProblem }: RecorderOptions): FlightRecorder {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  let waiting: string[] = []
  let characters = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  let isTold = false

  const write = async () => {
    const batch = waiting.join('')
    waiting = []
    characters = 0
    if (batch === '') return
    try {
      if (size > maxBytes) {
        // Another process of the same daemon may have turned it over already.
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(path, `${path}.1`)
        size = 0
      }
      // A file that somebody removed is made anew.
      await appendFile(path, batch, { mode: 0o600 })
      size += Buffer.byteLength(batch)
      isTold = false
    } catch (error) {
      dropped += batch.split('\n').length - 1
      if (!isTold) onProblem(error)
      isTold = true
    }
  }
  const flush = () => {
    timer = undefined
    writing = writing.then(write)
  }

  return {
    record: (record) => {
      if (characters > WAITING_CHARACTERS) {
        dropped += 1
        return
      }
      const line = recordLine(record)
      waiting.push(line)
      characters += line.length
      timer ??= setTimeout(flush, BATCH_MILLISECONDS)
    },
    close: async () => {
      clearTimeout(timer)
      flush()
      await writing
    },
    get dropped() {
      return dropped
    },
  }
}
