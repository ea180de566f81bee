import { type Check, error, warning, well } from '../check.ts'

/** No firstboot is older. */
const EARLIEST = Date.UTC(2026, 0, 1)
const DAY = 24 * 3_600_000
/** A clock further ahead than this is not one of a firstboot that is still used. */
const LATEST = EARLIEST + 20 * 365 * DAY

const day = (milliseconds: number) => new Date(milliseconds).toISOString().slice(0, 10)
const MEND = 'set it (timedatectl set-ntp true); leases, certificates and session tokens go by it'

export const clockChecks: readonly Check[] = [
  {
    name: 'clock/date',
    expected: 'the clock tells the date',
    judge: ({ now, state: { newest } }) => {
      if (now < EARLIEST || now > LATEST) return [error(`it is ${day(now)}`, MEND)]
      if (newest !== undefined && newest > now + DAY)
        return [warning(`it is ${day(now)}, and a file in the state directory is of ${day(newest)}`, MEND)]
      return [well(day(now))]
    },
  },
]
