import type { HeaderField, Headers, HttpRequest } from './messages.ts'

/**
 * Set by the hop that sees the guest's own request, when that carries X-Forwarded-For: a proxy inside the guest asks for
 * somebody else. The hop then puts its own X-Forwarded-For in the place of the guest's, so nobody behind it could tell.
 * A guest that sends the mark itself only shuts itself out.
 */
export const FORWARDED_BY_GUEST = 'x-forwarded-by-guest'

/** The mark, where these headers of a guest's request call for it. */
export function forwardedMark(headers: Headers): readonly HeaderField[] {
  return headers.get('x-forwarded-for') === undefined ? [] : [[FORWARDED_BY_GUEST, 'yes']]
}

/** A guest's own request with its mark, for who takes such requests himself. */
export function withForwardedMark(request: HttpRequest): HttpRequest {
  const mark = forwardedMark(request.headers)
  return mark.length === 0 ? request : { ...request, headers: request.headers.with(...mark) }
}
