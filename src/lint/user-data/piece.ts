import { type Place, placeIn } from '../finding.ts'

/** Some user data on its own: the whole, a part of a message, what came out of a gzip file. */
export interface Piece {
  readonly bytes: Uint8Array
  /** undefined: not UTF-8. A byte order mark stays in it. */
  readonly text: string | undefined
  readonly place: Place
  /** Not a part of a message or an archive: only here cloud-init looks for the sign of a message. */
  readonly isWhole: boolean
  /** How many wrappings it lay in, to stop at one that contains itself for ever. */
  readonly depth: number
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function wholePiece(bytes: Uint8Array): Piece {
  return { bytes, text: decoded(bytes), place: placeIn('user data'), isWhole: true, depth: 0 }
}

/** A part of a message or an archive. Its lines are counted anew. */
export function partOf(outer: Piece, name: string, bytes: Uint8Array): Piece {
  return { ...unpackedFrom(outer, name, bytes), isWhole: false }
}

/** The same in another form. */
export function unpackedFrom(outer: Piece, name: string, bytes: Uint8Array): Piece {
  const place = placeIn(outer.place.document, [...outer.place.pieces, name])
  return { bytes, text: decoded(bytes), place, isWhole: outer.isWhole, depth: outer.depth + 1 }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length
}

export function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0] ?? ''
}

/** For a message on one line. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text)
}

const SHOWN = 60
