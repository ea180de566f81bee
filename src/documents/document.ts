/** What a path answers with. */
export interface Document {
  readonly contentType: ContentType
  readonly body: Uint8Array
}

export const TEXT = 'text/plain; charset=UTF-8'
export const HTML = 'text/html; charset=UTF-8'
export const JSON_TYPE = 'application/json'

export type ContentType = typeof TEXT | typeof HTML | typeof JSON_TYPE
