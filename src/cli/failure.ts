const NO_SPACE =
  'there is no space left on the device. Free some, then run the command again; nothing was half written.'
const READ_ONLY = 'the file system is read-only. Choose a writable place with --state-dir.'

/** System errors a person can act on, by code. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOSPC: NO_SPACE,
  EROFS: READ_ONLY,
  EACCES: 'permission denied. Run as the user who owns it, or choose another place with --state-dir.',
  EPERM: 'this needs privileges. Run as root, or try `firstboot lab`, which makes a sandbox of its own.',
  EADDRINUSE: 'in use already. Stop who listens there (ss -ltnp), or choose another place.',
  EADDRNOTAVAIL: 'this machine does not have that address.',
  EEXIST: 'something else is there already. Choose another place with --state-dir.',
  ENOTDIR: 'a part of the path is a file, not a directory.',
  EMFILE: 'too many files are open. Raise the limit (ulimit -n).',
}

/** What went wrong, in lines a person reads: the message, each cause once, no stack trace unless asked for. */
export function explainFailure(error: unknown, env: NodeJS.ProcessEnv): string[] {
  if (env['FIRSTBOOT_DEBUG'] && error instanceof Error) return (error.stack ?? error.message).split('\n')
  const lines = [...causes(error)].map(explained)
  return lines.filter((line, i) => !lines.slice(0, i).some((earlier) => earlier.includes(line)))
}

function placeOf(error: Error): string {
  if ('path' in error) return `${error.path}: `
  if (!('address' in error)) return ''
  return 'port' in error ? `${error.address} port ${error.port}: ` : `${error.address}: `
}

function* causes(error: unknown): Generator<unknown> {
  for (let each = error; each !== undefined; each = each instanceof Error ? each.cause : undefined) yield each
}

function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error ? String(error.code) : ''
  const meaning = MEANINGS[code]
  if (meaning === undefined) return error.message
  const isPrivileged = code === 'EACCES' && 'syscall' in error && error.syscall === 'listen'
  return `${placeOf(error)}${isPrivileged ? 'ports below 1024 are for root; choose another port.' : meaning}`
}
