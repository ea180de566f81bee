/** A fact, or why nobody could tell: a person who is not root may not look everywhere. */
export type Known<T> = { readonly value: T } | { readonly unknown: string }

/** What `read` gives, or why it could not. @param what  is read: `the limits of this process` */
export function known<T>(what: string, read: () => T): Known<T> {
  try {
    return { value: read() }
  } catch (cause) {
    return { unknown: `${what} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` }
  }
}
