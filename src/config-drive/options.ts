import { quote } from './files.ts'
import { DriveProblem } from './image.ts'

/** What both writers ask of what they are given beside the files. */

/** @throws DriveProblem unless it is printable ASCII of at most so many characters */
export function checkText(what: string, text: string, atMost: number): void {
  if (text.trim() === '') throw new DriveProblem(`the ${what} is empty`)
  if (!/^[ -~]*$/.test(text)) throw new DriveProblem(`the ${what} ${quote(text)} has characters that are not ASCII`)
  if (text.length > atMost) {
    throw new DriveProblem(`the ${what} ${quote(text)} has ${text.length} characters; there is room for ${atMost}`)
  }
}

/** What both formats can say: FAT 1980 to 2107, ISO 9660 1900 to 2155. */
const YEARS = { first: 1980, last: 2107 }

/** @throws DriveProblem unless both formats can say it */
export function checkTimestamp(timestamp: Date): void {
  const year = timestamp.getUTCFullYear()
  if (year >= YEARS.first && year <= YEARS.last) return
  const said = Number.isNaN(year) ? 'no time' : timestamp.toISOString()
  throw new DriveProblem(`the timestamp is ${said}; a drive can say ${YEARS.first} to ${YEARS.last}`)
}
