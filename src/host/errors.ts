/** The kernel or a program did not do what was attempted: `creating ns-… in qdhcp-…: \`ip …\` exited with 2: …`. */
export class HostError extends Error {
  override readonly name = 'HostError'
}

/** Says of whatever `act` throws what was being attempted. */
export async function attempting<T>(attempt: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (cause) {
    throw new HostError(`${attempt}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** The `code` of a system error (`ENOENT`), or undefined. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
