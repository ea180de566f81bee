import type { Json } from '../../documents/json.ts'
import { readJson } from '../../documents/json-reader.ts'
import type { Posted } from '../../http/post.ts'

/** What a target's answer means: the value the guest reads, or why there is none. */
export type Meaning = { readonly value: Json } | { readonly error: string }

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

/** Any JSON value is taken, and no body at all is an empty object, as in Nova. */
export function readAnswer({ status, body }: Posted): Meaning {
  if (status >= 400) return { error: `it answered ${status}` }
  if (body.length === 0) return { value: {} }
  try {
    return { value: readJson(utf8.decode(body)) }
  } catch (cause) {
    // A SyntaxError says where; what else a body can do is exhaust the stack.
    const where = cause instanceof SyntaxError ? cause.message : 'nested too deep'
    return { error: `it answered what is no JSON: ${where}` }
  }
}
