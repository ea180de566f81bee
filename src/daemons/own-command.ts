import { fileURLToPath } from 'node:url'

/** This very program, as a command line to be followed by arguments. */
export function ownCommand(...args: readonly string[]): [string, ...string[]] {
  return [process.execPath, fileURLToPath(new URL('../../bin/firstboot.js', import.meta.url)), ...args]
}
