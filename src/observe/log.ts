import { type Logger, pino } from 'pino'

/** Structured log lines. Bodies, secrets and signatures never go in. */
export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** One whose level can be changed while it is used. */
export type AdjustableLog = Log & Pick<Logger, 'level'>

/** What nobody should hand to a log and somebody will: names whose values are blotted out, two levels deep. */
const SECRETS = [
  'password',
  'secret',
  'signature',
  'token',
  'authorization',
  'user_data',
  'userData',
  'metadata_proxy_shared_secret',
  'x-auth-token',
  'x-subject-token',
  'x-instance-id-signature',
  'x-aws-ec2-metadata-token',
]

/** JSON lines on standard error, so that standard output stays for what was asked for. */
export function openLog(level: LogLevel, daemon: string): AdjustableLog {
  return pino(
    {
      level,
      base: { daemon },
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRETS.flatMap((name) => ['', '*.', '*.*.'].map((above) => pathTo(above, name))),
        censor: '***',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  )
}

/** In pino's spelling: `*.secret`, `*["x-auth-token"]`. */
function pathTo(above: string, name: string): string {
  return name.includes('-') ? `${above.slice(0, -1)}["${name}"]` : `${above}${name}`
}

/** How far each SIGUSR2 goes: to everything, and back to what was configured. */
export function toggleDebug(log: AdjustableLog, configured: () => LogLevel): void {
  log.level = log.level === 'debug' ? configured() : 'debug'
  log.warn(`the log level is ${log.level} now`)
}

export const silentLog: Log = pino({ level: 'silent' })
