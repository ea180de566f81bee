import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '../namespace.ts'
import { hasStaleLeases, writeDnsmasqFiles } from './dnsmasq-files.ts'
import { writeFiles } from './files.ts'
import { listeningSockets } from './listening-sockets.ts'
import { canBecomeAnotherUser, isSystemUser } from './user.ts'

/** What there is to know of one kind of program. */
export interface Kind<P extends Program = Program> {
  readonly executable: string
  /** Below the state directory, with a directory for each. */
  readonly folder: string
  /** Some of its arguments, side by side, which nobody else has: not even an editor that somebody opened a file of its with. */
  readonly signature: (directory: string) => readonly string[]
  /** Stands behind the arguments of its own, before others that concern only how the process is run. */
  readonly foreground: string
  readonly runArguments: (directory: string) => readonly string[]
  /** Argument list that lets it read a file and say what is wrong with it; undefined: it has no such thing that helps. */
  readonly check: { readonly file: string; readonly arguments: (path: string) => readonly string[] } | undefined
  /** @param isStopped  it is about to read them for the first time */
  readonly write: (program: P, isStopped: boolean) => void
  /** How its files come to a running one: it reads them again on SIGHUP, it is ended and another started, or another is
   *  started and it is ended, both listening for a moment, so that no guest is refused. */
  readonly onChange: (program: P) => 'reread' | 'replace' | 'relieve'
  /** From then on it serves, and has not failed to. */
  readonly isReady: (program: P, pid: number) => boolean
  /** Another attempt is promising only when one of these is another. */
  readonly setting: (program: P) => readonly string[]
  /** Lines of its log that explain no failure. */
  readonly chatter: RegExp
  /** Whether what lies in its directory is of use to the next one. */
  readonly keepsFiles: boolean
}

/** Lets a haproxy finish what it has begun, and listen no more. */
export const RELIEF_SIGNAL = 'SIGUSR1'

/** It has bound its sockets then. */
const hasPidFile = ({ directory }: Program) => existsSync(join(directory, 'pid'))
const allThatItReads = ({ arguments: args, files }: Program) => [...args, ...Object.values(files)]

export const KINDS: { readonly [K in Program['kind']]: Kind<Extract<Program, { kind: K }>> } = {
  dnsmasq: {
    executable: 'dnsmasq',
    folder: 'dhcp',
    signature: (directory) => [`--pid-file=${directory}/pid`],
    foreground: '--keep-in-foreground',
    runArguments: (directory) => [
      '--log-facility=-',
      // `--group=` spares it setgroups(2), which is forbidden in a user namespace without other users.
      ...(canBecomeAnotherUser(directory) ? [] : ['--user=root', '--group=']),
    ],
    check: undefined,
    write: (dnsmasq, isStopped) => writeDnsmasqFiles(dnsmasq, Math.floor(Date.now() / 1000), isStopped),
    // Leases it reads at its start only.
    onChange: (dnsmasq) => (hasStaleLeases(dnsmasq) ? 'replace' : 'reread'),
    isReady: hasPidFile,
    setting: ({ arguments: args }) => args,
    chatter: /^$/,
    keepsFiles: true,
  },
  radvd: {
    executable: 'radvd',
    folder: 'ra',
    signature: (directory) => ['-C', `${directory}/radvd.conf`, '-p', `${directory}/pid`],
    foreground: '-n',
    runArguments: (directory) => [
      '-m',
      'stderr',
      // What parses guests' solicitations is then nobody, and a process of root's sets what it may not.
      ...(canBecomeAnotherUser(directory) && isSystemUser('radvd') ? ['-u', 'radvd'] : []),
    ],
    // It ends on SIGHUP when it cannot read its file.
    check: { file: 'radvd.conf', arguments: (path) => ['-c', '-C', path] },
    write: writeFiles,
    onChange: () => 'reread',
    isReady: hasPidFile,
    setting: allThatItReads,
    chatter: /: version \S+ started$|: exiting, failed to read|IPv6 forwarding|privsep_read_loop/,
    keepsFiles: false,
  },
  haproxy: {
    executable: 'haproxy',
    folder: 'ns-metadata-proxy',
    signature: (directory) => ['-f', `${directory}/haproxy.conf`, '-db'],
    // And one process, whatever its file says.
    foreground: '-db',
    runArguments: () => [],
    check: { file: 'haproxy.conf', arguments: (path) => ['-c', '-f', path] },
    write: writeFiles,
    onChange: () => 'relieve',
    // Without a daemon or a master it writes no pid file. It ends when one of its sockets cannot be bound, after the others.
    isReady: ({ files }, pid) => listeningSockets(pid) >= boundAddresses(files['haproxy.conf']),
    setting: allThatItReads,
    chatter: /^\[NOTICE\]|Error\(s\) found in configuration file|Fatal errors found in configuration/,
    keepsFiles: false,
  },
}

export function kindOf<P extends Program>(program: P): Kind<P> {
  return KINDS[program.kind] as unknown as Kind<P>
}

/** Addresses in the `bind` lines of a haproxy's file, several of which may share a line. Pure. */
export function boundAddresses(config: string): number {
  const binds = config.split('\n').flatMap((line) => /^\s*bind\s+(\S+)/.exec(line)?.[1] ?? [])
  return binds.flatMap((addresses) => addresses.split(',')).length
}
