import { type AdjustableLog, type LogLevel, toggleDebug } from '../observe/log.ts'

/**
 * SIGUSR2 makes a daemon log everything, the next one as much as configured again. (SIGUSR1 opens Node's debugger.) Each
 * process of a daemon with workers listens: `systemctl kill --signal USR2 UNIT` reaches all.
 *
 * @param configured  the level to go back to, which reading the configuration again may have changed
 */
export function changeLevelOnSignal(log: AdjustableLog, configured: () => LogLevel): void {
  process.on('SIGUSR2', () => toggleDebug(log, configured))
}
