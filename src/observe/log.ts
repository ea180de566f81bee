import { type Logger, pino } from 'pino'

/** Structured log lines. Bodies, secrets and signatures never go in. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** JSON lines on standard error, so that standard output stays for what was asked for. */
export function openLog(level: LogLevel, daemon: string): Log {
  return pino(
    { level, base: { daemon }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
}

export const silentLog: Log = pino({ level: 'silent' })
