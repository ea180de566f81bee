import { type Check, error, ifKnown, unless, warning, well } from '../check.ts'

/** sun_path of unix(7), without the zero byte. */
const LONGEST_SOCKET = 107
/** The longest name of a socket in a state directory. */
const LONGEST_NAME = '/run/metadata_proxy'

/** Below the first the inventory cannot grow; below the second a busy day's records and leases do not fit. */
const NO_BYTES = 16 * 1024 ** 2
const FEW_BYTES = 256 * 1024 ** 2
const FEW_FILES = 1_000

const mebibytes = (bytes: number) => `${Math.floor(bytes / 1024 ** 2)} MiB`

export const stateChecks: readonly Check[] = [
  {
    name: 'state/directory',
    expected: 'the state directory can be written',
    judge: ({ state: { path, exists, isWritable } }) => {
      if (isWritable) return [well(exists ? path : `${path} is not there yet, and can be made`)]
      if (exists) return [error(`${path} cannot be written by you`, 'run as its owner, or name another --state-dir')]
      return [warning(`${path} is not there, and you may not make it`, 'run as root, or name another --state-dir')]
    },
  },
  {
    name: 'state/space',
    expected: 'there is space for the inventory, leases and records',
    judge: ({ state: { path, disk } }) =>
      ifKnown(disk, ({ freeBytes, freeFiles }) => {
        const mend = `free some space where ${path} is, or name another --state-dir`
        if (freeFiles < FEW_FILES) return [error(`there is room for ${freeFiles} files`, mend)]
        if (freeBytes < NO_BYTES) return [error(`${mebibytes(freeBytes)} are free`, mend)]
        if (freeBytes < FEW_BYTES) return [warning(`${mebibytes(freeBytes)} are free`, mend)]
        return [well(`${mebibytes(freeBytes)} are free`)]
      }),
  },
  {
    name: 'state/socket-path',
    expected: `paths of unix sockets in the state directory have at most ${LONGEST_SOCKET} bytes`,
    judge: ({ state: { path } }) => {
      const bytes = Buffer.byteLength(path + LONGEST_NAME)
      if (bytes <= LONGEST_SOCKET) return [well(`${bytes}`)]
      const room = LONGEST_SOCKET - LONGEST_NAME.length
      return [error(`${path}${LONGEST_NAME} has ${bytes}`, `name a --state-dir of at most ${room} bytes`)]
    },
  },
  {
    name: 'state/secret-mode',
    expected: 'only its owner can read the shared secret: whoever knows it can ask in any guest’s name',
    judge: ({ state: { secretModes } }) =>
      unless(
        [...secretModes]
          .filter(([, mode]) => (mode & 0o077) !== 0)
          .map(([path, mode]) => error(`${path} has mode ${mode.toString(8).padStart(4, '0')}`, `chmod 600 ${path}`)),
        secretModes.size === 0 ? 'there is none yet' : 'so it is',
      ),
  },
  {
    name: 'state/sockets',
    expected: 'on each socket in the state directory somebody listens',
    judge: ({ state: { staleSockets, holder } }) =>
      ifKnown(staleSockets, (paths) =>
        unless(
          paths.map((path) =>
            holder === undefined
              ? warning(`nobody listens on ${path}; who made it was killed`, `start firstboot again, or rm ${path}`)
              : error(
                  `nobody listens on ${path}, although process ${holder} serves networks`,
                  `start whose it is again: firstboot metadata-agent for metadata_proxy, else process ${holder}`,
                ),
          ),
          'so it is',
        ),
      ),
  },
]
