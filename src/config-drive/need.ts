/** What decides whether a server gets a config drive. */
export interface DriveFacts {
  /** `config_drive` of the server. */
  readonly configDrive: boolean
  /** The option `force_config_drive`. */
  readonly isForced: boolean
  /** It has been started before: an option that is turned on later does not touch it. */
  readonly wasLaunched: boolean
  /** A drive was built for it at an earlier start, and stays (Nova then sets `config_drive` in the record). */
  readonly hasDrive: boolean
  /** The image's property `img_config_drive`. */
  readonly imageProperty: string | undefined
  /** Some subnet of its ports gives it an address: DHCP, or router advertisements. */
  readonly hasAutomaticAddress: boolean
}

export type DriveReason = (typeof ROWS)[number]['reason']

export interface DriveNeed {
  /** Why it gets one, most telling first; empty when it gets none. */
  readonly reasons: readonly DriveReason[]
}

const ROWS = [
  { reason: 'config_drive', says: 'the server asks for one', holds: ({ configDrive }) => configDrive },
  {
    reason: 'img_config_drive',
    says: 'its image says img_config_drive=mandatory',
    holds: ({ imageProperty }) => imageProperty === 'mandatory',
  },
  {
    reason: 'force_config_drive',
    says: 'force_config_drive is set, and it has never been started',
    holds: ({ isForced, wasLaunched }) => isForced && !wasLaunched,
  },
  { reason: 'built-before', says: 'one was built at an earlier start', holds: ({ hasDrive }) => hasDrive },
  {
    // Nova leaves such a server without any way to learn its address.
    reason: 'no-dhcp',
    says: 'no subnet of its ports gives out addresses, so it cannot ask over HTTP what its address is',
    holds: ({ hasAutomaticAddress }) => !hasAutomaticAddress,
  },
] as const satisfies readonly {
  readonly reason: string
  readonly says: string
  readonly holds: (facts: DriveFacts) => boolean
}[]

/** Whether a server gets a drive when it is started, and why. */
export function driveNeed(facts: DriveFacts): DriveNeed {
  return { reasons: ROWS.filter(({ holds }) => holds(facts)).map(({ reason }) => reason) }
}

/** The reason in words, for a sentence that begins "gets a config drive:". */
export function reasonText(reason: DriveReason): string {
  return ROWS.find((row) => row.reason === reason)?.says ?? reason
}
