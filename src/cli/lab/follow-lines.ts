import { closeSync, existsSync, fstatSync, openSync, readSync, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** A watcher can miss a change that came before it was set up. */
const LOOK_MILLISECONDS = 500

/** Calls back with each whole line of a growing file, from its first. @returns a function that ends it */
export function followLines(path: string, onLine: (line: string) => void): () => void {
  let offset = 0
  let rest = ''
  const read = () => {
    if (!existsSync(path)) return
    const fd = openSync(path, 'r')
    if (fstatSync(fd).size < offset) offset = 0 // a new file of a guest that was started again
    const chunk = Buffer.alloc(64 * 1024)
    for (let length = readSync(fd, chunk, 0, chunk.length, offset); length > 0; ) {
      offset += length
      const lines = (rest + chunk.toString('utf8', 0, length)).split('\n')
      rest = lines.pop() ?? ''
      lines.forEach(onLine)
      length = readSync(fd, chunk, 0, chunk.length, offset)
    }
    closeSync(fd)
  }
  // There may be no directory yet, and none that stays; the timer sees what no watcher does.
  const folder = dirname(path)
  const watcher = existsSync(folder) ? watch(folder, (_, name) => void (name === basename(path) && read())) : undefined
  const timer = setInterval(read, LOOK_MILLISECONDS)
  read()
  return () => {
    watcher?.close()
    clearInterval(timer)
    read()
  }
}
