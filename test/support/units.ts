import { eventually } from './eventually.ts'
import type { PackagedRoot } from './packaged-root.ts'

/** What the journal says where a unit forbids a daemon what it wants. */
export const FORBIDDEN =
  /EPERM|EACCES|EROFS|not permitted|permission denied|Read-only file|status=31\/SYS|status=2\d\d\//i

/** Units of firstboot under a real systemd, by the middle of their names: `metadata-api` for `firstboot-metadata-api.service`. */
export interface Units {
  systemctl(...words: readonly string[]): string
  /** What `systemctl show` says: `ActiveState`, `MainPID`, ... */
  show(unit: string, property: string): string
  isActive(unit: string): boolean
  /** Sends a signal to the daemon itself, as `systemctl kill` does. */
  signal(unit: string, signal: NodeJS.Signals): void
  /** Does something that ends a daemon. Resolves when systemd has started another and that says it is ready. */
  startedAnewBy(act: () => void, ...units: readonly string[]): Promise<void>
  /** Settings of a test’s own, for each unit that is started from now on. */
  override(unit: string, ...settings: readonly string[]): void
  /** What the unit's processes, and systemd about it, have said. */
  journal(unit: string): string
}

export function unitsOf(root: PackagedRoot): Units {
  const systemctl = (...words: readonly string[]) => root.run('systemctl', ...words)
  const show = (unit: string, property: string) =>
    systemctl('show', '--value', `--property=${property}`, `firstboot-${unit}.service`).trim()
  return {
    systemctl,
    show,
    isActive: (unit) => show(unit, 'ActiveState') === 'active',
    signal: (unit, signal) =>
      void systemctl('kill', '--kill-whom=main', `--signal=${signal}`, `firstboot-${unit}.service`),
    startedAnewBy: async (act, ...units) => {
      const former = units.map((unit) => show(unit, 'MainPID'))
      act()
      for (const [i, unit] of units.entries()) {
        const isAnew = () => ![former[i], '0'].includes(show(unit, 'MainPID')) && show(unit, 'ActiveState') === 'active'
        await eventually(`${unit} is started anew`, isAnew, 60_000)
      }
    },
    override: (unit, ...settings) => {
      root.write(`/run/systemd/system/firstboot-${unit}.service.d/test.conf`, ['[Service]', ...settings, ''].join('\n'))
      systemctl('daemon-reload')
    },
    journal: (unit) => {
      root.run('journalctl', '--sync')
      return root.run('journalctl', '--no-pager', '--output=cat', `--unit=firstboot-${unit}.service`)
    },
  }
}
