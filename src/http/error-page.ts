import { STATUS_CODES } from 'node:http'
import { type Json, writeJson } from '../documents/json.ts'
import { MetadataError } from './errors.ts'
import type { HttpReply, HttpRequest } from './messages.ts'

/** What a guest hears of anything we did not foresee. */
export const UNKNOWN_ERROR = 'An unknown error has occurred. Please try your request again.'

/**
 * The answer to a request that failed, in the form its Accept header wants: Nova's pages and those of Neutron's agent,
 * byte for byte (both come from WebOb). A HEAD gets HTML's type and no bytes, whatever it accepts.
 */
export function errorPage(cause: unknown, request: Pick<HttpRequest, 'method' | 'headers'>): HttpReply {
  const error = cause instanceof MetadataError ? cause : { status: 500, message: UNKNOWN_ERROR, headers: [] }
  if (request.method === 'HEAD') {
    const headers = [['Content-Type', forms.html.contentType], ['Content-Length', '0'], ...error.headers] as const
    return { status: error.status, headers, body: new Uint8Array() }
  }
  const form = forms[acceptedForm(request.headers.get('accept'))]
  const body = Buffer.from(form.write(error.message, STATUS_CODES[error.status] ?? '', error.status))
  return { status: error.status, headers: [['Content-Type', form.contentType], ...error.headers], body }
}

interface Form {
  readonly contentType: string
  readonly write: (explanation: string, title: string, status: number) => string
}

type FormName = 'html' | 'json' | 'plain'

const forms: Readonly<Record<FormName, Form>> = {
  html: {
    contentType: 'text/html; charset=UTF-8',
    write: (explanation, title, status) =>
      [
        '<html>',
        ' <head>',
        `  <title>${status} ${title}</title>`,
        ' </head>',
        ' <body>',
        `  <h1>${status} ${title}</h1>`,
        `  ${escapeHtml(explanation)}<br /><br />\n\n\n`,
        ' </body>',
        '</html>',
      ].join('\n'),
  },
  json: {
    contentType: 'application/json',
    write: (explanation, title, status) =>
      writeJson({ message: `${explanation}<br /><br />\n\n\n`, code: `${status} ${title}`, title } satisfies Json),
  },
  plain: {
    contentType: 'text/plain; charset=UTF-8',
    write: (explanation, title, status) => `${status} ${title}\n\n${withoutTags(explanation)}\n\n   `,
  },
}

const HTML_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#x27;'],
])

/** An explanation can carry text from the request. What is not ASCII becomes a character reference. */
function escapeHtml(text: string): string {
  return text.replace(
    /[&<>"']|\P{ASCII}/gu,
    (character) => HTML_ESCAPES.get(character) ?? `&#${character.codePointAt(0)};`,
  )
}

/** Markup that an explanation took over from the request disappears; its line breaks become blanks. */
function withoutTags(text: string): string {
  return text
    .replace(/\r?\n|\r/g, ' ')
    .replace(/<br *\/?>/gi, '\n')
    .replace(/<!--|-->/g, '')
    .replace(/<[^>]*>/g, '')
}

/** HTML wins a tie. Without an Accept header, or with one that fits neither, the page is plain text; one that is
 *  malformed counts as accepting everything. */
function acceptedForm(accept: string | undefined): FormName {
  const ranges = accept === undefined ? [] : accept.length > MAX_ACCEPT ? undefined : readAccept(accept)
  if (ranges === undefined) return 'html'
  const html = quality(ranges, 'text', 'html')
  const json = quality(ranges, 'application', 'json')
  if (html > 0 && html >= json) return 'html'
  return json > 0 ? 'json' : 'plain'
}

/** In characters. A browser's has some hundred; reading a hostile one of many blanks takes time by the square. */
const MAX_ACCEPT = 1_000

interface MediaRange {
  readonly type: string
  readonly subtype: string
  readonly quality: number
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"'
const PARAMETER = `[ \\t]*;[ \\t]*${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?`
const RANGE = `(${TOKEN})/(${TOKEN})((?:${PARAMETER})*)`
/** Empty elements are allowed as RFC 7230 has them: a comma in front stands for one and needs a second. */
const LIST = new RegExp(`^(?:(?:,|${RANGE})(?:[ \\t]*,(?:[ \\t]*${RANGE})?)*)?$`)
const RANGES = new RegExp(RANGE, 'g')
const WEIGHT = /^(.*?)[ \t]*;[ \t]*q=([^; \t]*)/i
const QUALITY = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/

/** @returns undefined when the header is malformed. A range with parameters of its own fits none of our forms. */
function readAccept(accept: string): readonly MediaRange[] | undefined {
  if (!LIST.test(accept)) return undefined
  const ranges: MediaRange[] = []
  for (const [, type = '', subtype = '', parameters = ''] of accept.matchAll(RANGES)) {
    const [, own, quality = '1'] = WEIGHT.exec(parameters) ?? [undefined, parameters]
    if (!QUALITY.test(quality)) return undefined
    if (own === '') ranges.push({ type: type.toLowerCase(), subtype: subtype.toLowerCase(), quality: Number(quality) })
  }
  return ranges
}

/** Of the ranges that fit, the most specific decides. */
function quality(ranges: readonly MediaRange[], type: string, subtype: string): number {
  const exact = ranges.find((range) => range.type === type && range.subtype === subtype)
  const family = ranges.find((range) => range.type === type && range.subtype === '*')
  const any = ranges.find((range) => range.type === '*' && range.subtype === '*')
  return (exact ?? family ?? any)?.quality ?? 0
}
