import type { RunningDatapath } from './datapath.ts'
import type { DatapathValues } from './datapath-config.ts'

/**
 * At each SIGHUP puts in force what flags, environment and files say by then.
 *
 * @param reread  throws when they make no sense; then the options before stay in force
 * @param others  hands them on to whoever else has to know
 * @param say  told what changed, or what is wrong
 */
export function configureOnHangup<V extends DatapathValues>(
  datapath: RunningDatapath,
  reread: () => { readonly values: V },
  say: (line: string) => void,
  others: (values: V) => Promise<void> = () => Promise.resolve(),
): void {
  const configure = async () => {
    const { values } = reread()
    const changed = await datapath.configure(values)
    await others(values)
    say(`SIGHUP: ${changed.length === 0 ? 'every option is as before' : changed.join(', ')}`)
  }
  process.on('SIGHUP', () => {
    configure().catch((error: unknown) => say(`SIGHUP: ${error instanceof Error ? error.message : error}`))
  })
}
