import type { RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'

/**
 * At each SIGHUP puts in force what flags, environment and files say by then.
 *
 * @param reread  throws when they make no sense; then the options before stay in force
 * @param say  told what changed, or what is wrong
 */
export function configureOnHangup(
  datapath: RunningDatapath,
  reread: () => DatapathValues,
  say: (line: string) => void,
): void {
  const configure = async () => {
    const changed = await datapath.configure(reread())
    say(`SIGHUP: ${changed.length === 0 ? 'every option is as before' : changed.join(', ')}`)
  }
  process.on('SIGHUP', () => {
    configure().catch((error: unknown) => say(`SIGHUP: ${error instanceof Error ? error.message : error}`))
  })
}
