/** A command line, environment or configuration file that cannot be obeyed; its message is for the person who wrote it. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
