import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { type FlightRecord, parseRecord } from './record.ts'

/** What all daemons of a state directory have recorded, oldest first. Several records may be of one request. */
export function readRecords(directory: string, isWanted: (record: FlightRecord) => boolean): readonly FlightRecord[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => /\.jsonl(\.1)?$/.test(name))
    .flatMap((name) => parsed(read(join(directory, name))))
    .filter(isWanted)
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
}

/** Follows what the daemons record from now on, looking several times a second: files come, grow, and are turned over.
 *  @returns what ends it */
export function followRecords(directory: string, onRecord: (record: FlightRecord) => void): () => void {
  const tails = new Map<string, Tail>()
  const look = (isFirst: boolean) => {
    if (!existsSync(directory)) return
    for (const name of readdirSync(directory).filter((each) => each.endsWith('.jsonl'))) {
      const tail = tails.get(name) ?? new Tail(join(directory, name), isFirst)
      tails.set(name, tail)
      for (const record of parsed(tail.read())) onRecord(record)
    }
  }
  look(true)
  const timer = setInterval(() => look(false), LOOK_MILLISECONDS)
  return () => clearInterval(timer)
}

const LOOK_MILLISECONDS = 200

/** What is appended to a file that may be replaced. */
class Tail {
  readonly #path: string
  #inode = 0
  #offset = 0
  #rest = ''

  constructor(path: string, isFromEnd: boolean) {
    this.#path = path
    if (isFromEnd) this.#with((_, { ino, size }) => this.#at(ino, size))
  }

  /** @returns whole lines only */
  read(): string {
    let fresh = ''
    this.#with((fd, { ino, size }) => {
      if (ino !== this.#inode || size < this.#offset) this.#at(ino, 0)
      const bytes = Buffer.alloc(size - this.#offset)
      this.#offset += readSync(fd, bytes, 0, bytes.length, this.#offset)
      fresh = bytes.toString('utf8')
    })
    const text = this.#rest + fresh
    const end = text.lastIndexOf('\n') + 1
    this.#rest = text.slice(end)
    return text.slice(0, end)
  }

  #at(inode: number, offset: number): void {
    this.#inode = inode
    this.#offset = offset
    this.#rest = ''
  }

  #with(act: (fd: number, stat: Stats) => void): void {
    let fd: number
    try {
      fd = openSync(this.#path, 'r')
    } catch {
      return // it has just been turned over
    }
    try {
      act(fd, fstatSync(fd))
    } finally {
      closeSync(fd)
    }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // it has just been turned over
  }
}

function parsed(text: string): readonly FlightRecord[] {
  return text.split('\n').flatMap((line) => parseRecord(line) ?? [])
}
