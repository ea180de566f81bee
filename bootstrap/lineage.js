import { readFileSync } from 'node:fs'

/**
 * Our own pid, our parent's and so on up to the first ancestor of that name: npm puts a shell between itself and us.
 * Only ourselves when there is none; whoever started us then may go first, as a login shell does.
 * @param {string} name
 */
export function lineageUpTo(name) {
  const pids = [process.pid]
  for (let pid = parentOf(process.pid); pid !== undefined; pid = parentOf(pid)) {
    pids.push(pid)
    if (nameOf(pid).startsWith(name)) return pids
  }
  return [process.pid]
}

/** Whether each is still the child of the next. @param {readonly number[]} pids */
export function isIntact(pids) {
  return pids.slice(1).every((parent, i) => parentOf(pids[i]) === parent)
}

/** @param {number | undefined} pid */
function parentOf(pid) {
  const parent = Number(/^PPid:\t(\d+)$/m.exec(readProc(`${pid}/status`))?.[1] ?? 0)
  return parent > 1 ? parent : undefined
}

/** @param {number} pid */
function nameOf(pid) {
  return readProc(`${pid}/comm`)
}

/** Empty when the process is gone. @param {string} path */
function readProc(path) {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
