import { mkdirSync, renameSync, statSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type NewRecord, recordLine, rememberedAskers } from './record.ts'

/** Keeps the last requests on disk, so that they are there after a restart or a crash, for whoever may read the file. */
export interface FlightRecorder {
  record(record: NewRecord): void
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
const WAITING_BYTES = 1024 * 1024
const FIRST_BYTES = 16 * 1024
const KEPT_BYTES = 128 * 1024
/** A character takes at most so many bytes in UTF-8. */
const BYTES_PER_CHARACTER = 3

export function openFlightRecorder({ path, maxBytes = MAX_BYTES, onProblem }: RecorderOptions): FlightRecorder {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  let size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  let waiting = openBatch()
  /** Used in turns: while one is written the other is filled. */
  let spare = openBatch()
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  let isTold = false
  const askerOf = rememberedAskers()

  const write = async () => {
    const batch = waiting
    if (batch.records === 0) return
    waiting = spare
    try {
      if (size > maxBytes) {
        // Another process of the same daemon may have turned it over already.
        if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(path, `${path}.1`)
        size = 0
      }
      // A file that somebody removed is made anew.
      await appendFile(path, batch.buffer.subarray(0, batch.filled), { mode: 0o600 })
      size += batch.filled
      isTold = false
    } catch (error) {
      dropped += batch.records
      if (!isTold) onProblem(error)
      isTold = true
    }
    // One that grew in a rush is given back when that is over.
    spare = batch.buffer.length > KEPT_BYTES && batch.filled < KEPT_BYTES ? openBatch() : batch
    batch.filled = 0
    batch.records = 0
  }
  const flush = () => {
    timer = undefined
    writing = writing.then(write)
  }

  return {
    record: (record) => {
      if (!add(waiting, recordLine(record, askerOf(record)))) {
        dropped += 1
        return
      }
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

/** Lines on their way to the disk, as bytes: thousands of strings that live until they are written would be copied by the
 *  garbage collector again and again, which cost more than all else here. */
interface Batch {
  buffer: Buffer
  filled: number
  records: number
}

function openBatch(): Batch {
  return { buffer: Buffer.allocUnsafe(FIRST_BYTES), filled: 0, records: 0 }
}

/** @returns false when too much waits already */
function add(batch: Batch, line: string): boolean {
  const needed = batch.filled + line.length * BYTES_PER_CHARACTER
  if (needed > WAITING_BYTES) return false
  if (needed > batch.buffer.length) {
    const larger = Buffer.allocUnsafe(Math.min(Math.max(2 * batch.buffer.length, needed), WAITING_BYTES))
    batch.buffer.copy(larger, 0, 0, batch.filled)
    batch.buffer = larger
  }
  batch.filled += batch.buffer.write(line, batch.filled)
  batch.records += 1
  return true
}
