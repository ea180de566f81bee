import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Bit of CAP_SYS_ADMIN in the capability masks of /proc/self/status. */
const CAP_SYS_ADMIN = 21n

/** How `unshare` makes a sandbox's namespaces. Without CAP_SYS_ADMIN (a plain user, root of a tight container) they need
 *  a user namespace that owns them, in which we are root. */
export function unshareArguments(): string[] {
  const user = mayUnshare() ? [] : ['--user', '--map-root-user']
  return [...user, '--net', '--mount', '--uts', '--pid', '--fork', '--kill-child', '--mount-proc']
}

/** Says why this machine gives us no sandbox and what to do about it. Tries one, so it costs about 10 ms. */
export function sandboxProblem(): string | undefined {
  if (process.platform !== 'linux') return 'The sandbox is made of Linux namespaces; this system has none.'
  const missing = PROGRAMS.find(({ program }) => spawnSync(program, ['--version'], { env: SEARCH }).error)
  if (missing) return `The program ${missing.program} is missing; the package is ${missing.package}.`
  const trial = spawnSync('unshare', [...unshareArguments(), 'true'], { encoding: 'utf8' })
  if (trial.status === 0) return undefined
  const why = CAUSES.find(({ holds }) => holds())
  const said = trial.stderr.trim().replace(/^unshare: /, '')
  return why ? `No sandbox can be made: ${why.says} (${said}). ${why.mend}` : `No sandbox can be made: ${said}.`
}

const SEARCH = { PATH: `${process.env['PATH'] ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` }
const PROGRAMS = [
  { program: 'unshare', package: 'util-linux' },
  { program: 'nsenter', package: 'util-linux' },
  { program: 'mount', package: 'mount' },
  { program: 'ip', package: 'iproute2' },
]

interface Cause {
  readonly says: string
  readonly mend: string
  holds(): boolean
}

const asRoot = (fix: string) => `As root: ${fix}; or run firstboot as root.`

/** Known reasons, the surest first. Each is looked at only after a trial has failed. */
const CAUSES: readonly Cause[] = [
  {
    says: 'the kernel forbids user namespaces to plain users',
    mend: asRoot('sysctl -w kernel.unprivileged_userns_clone=1'),
    holds: () => sysctl('kernel/unprivileged_userns_clone') === '0',
  },
  {
    says: 'the number of user namespaces is limited to none',
    mend: asRoot('sysctl -w user.max_user_namespaces=10000'),
    holds: () => sysctl('user/max_user_namespaces') === '0',
  },
  {
    says: 'AppArmor forbids user namespaces to plain users',
    mend: asRoot('sysctl -w kernel.apparmor_restrict_unprivileged_userns=0'),
    holds: () => sysctl('kernel/apparmor_restrict_unprivileged_userns') === '1',
  },
  {
    says: 'this is a container whose seccomp filter or masked /proc is in the way',
    mend: 'Start the container with --privileged, or with --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt seccomp=unconfined --security-opt systempaths=unconfined.',
    holds: () => isContainer() || statusField('Seccomp') === '2',
  },
]

function sysctl(path: string): string | undefined {
  return existsSync(`/proc/sys/${path}`) ? readFileSync(`/proc/sys/${path}`, 'ascii').trim() : undefined
}

function isContainer(): boolean {
  return existsSync('/.dockerenv') || existsSync('/run/.containerenv')
}

function mayUnshare(): boolean {
  return ((BigInt(`0x${statusField('CapEff') ?? '0'}`) >> CAP_SYS_ADMIN) & 1n) === 1n
}

function statusField(name: string): string | undefined {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'ascii') : ''
  return new RegExp(`^${name}:\\s*(\\S+)$`, 'm').exec(status)?.[1]
}
