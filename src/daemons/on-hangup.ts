import type { Notices } from './notices.ts'

/**
 * At each SIGHUP puts in force what flags, environment and files say by then. One after the other, when several come.
 *
 * @param configure  reads them; throws when they make no sense, and leaves the options before in force. @returns what changed, one
 *   a line
 * @param say  told what changed, or what is wrong
 */
export function configureOnHangup(
  configure: () => Promise<readonly string[]>,
  notices: Pick<Notices, 'reloading'>,
  say: (line: string) => void,
): void {
  let last = Promise.resolve()
  const again = async () => {
    const changed = await configure()
    say(`SIGHUP: ${changed.length === 0 ? 'every option is as before' : changed.join(', ')}`)
  }
  process.on('SIGHUP', () => {
    last = last
      .then(() => notices.reloading(again))
      .catch((error: unknown) => say(`SIGHUP: ${error instanceof Error ? error.message : error}`))
  })
}
