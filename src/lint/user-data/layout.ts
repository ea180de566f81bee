import type { Check } from '../finding.ts'
import { type KindName, messageSign } from './kinds.ts'
import { firstLine, lineAt, type Piece, quoted } from './piece.ts'

/** What can be wrong with how user data of a kind begins; what a blank before the first line does depends on who reads
 *  that kind. */
export function layoutChecks(kind: KindName): readonly Check<Piece>[] {
  if (kind === 'ignition') return [straySign]
  return [straySign, kind === 'script' ? blankBeforeScript : blankBeforeRest]
}

const startsBlank = ({ text }: Piece) =>
  text !== undefined && /^[ \t\r\n\f\v]/.test(text)
    ? { problem: 'begins with a blank or an empty line', line: 1 }
    : undefined

const blankBeforeScript: Check<Piece> = {
  name: 'user-data/leading-blank',
  severity: 'error',
  breaks: ['cloud-init', 'CirrOS'],
  how: 'the script is stored with the blank, so the kernel finds no "#!" in its first two bytes and does not run it; CirrOS does not take it for a script at all',
  mend: 'let "#!" be the very first two bytes',
  look: startsBlank,
}

const blankBeforeRest: Check<Piece> = {
  name: 'user-data/leading-blank',
  severity: 'warning',
  breaks: ['cloudbase-init'],
  how: 'clients other than cloud-init compare the first bytes and do not recognise it',
  mend: 'remove what stands before the first line',
  look: startsBlank,
}

/** A script or cloud-config that merely writes a mail somewhere is taken apart as if it were one. */
const straySign: Check<Piece> = {
  name: 'user-data/mime-sign',
  severity: 'error',
  breaks: ['cloud-init'],
  how: 'cloud-init looks for these words in the first 4096 bytes, takes the whole for a MIME message and finds nothing it knows in it',
  mend: 'move that text behind the first 4096 bytes, or send the piece as a part of a real MIME message',
  look: ({ text = '', isWhole }) => {
    const sign = isWhole ? messageSign(text) : undefined
    return sign === undefined ? undefined : { problem: '"MIME-Version:" is written in it', line: lineAt(text, sign) }
  },
}

export const shebangChecks: readonly Check<Piece>[] = [
  {
    name: 'user-data/crlf',
    severity: 'warning',
    breaks: ['CirrOS', 'NixOS'],
    how: 'the kernel looks for an interpreter whose name ends in a carriage return ("No such file or directory"); cloud-init removes them',
    mend: 'save it with Unix line ends',
    look: ({ text = '' }) =>
      /^\s*#![^\n]*\r\n/.test(text)
        ? { problem: 'the first line ends with a carriage return (Windows line ends)', line: 1 }
        : undefined,
  },
  {
    name: 'user-data/mixed-line-ends',
    severity: 'error',
    breaks: ['cloud-init', 'CirrOS', 'NixOS'],
    how: 'cloud-init judges by the first line end and removes none; the shell takes the carriage return for a part of the last word',
    mend: 'save it with Unix line ends throughout',
    look: ({ text = '' }) => {
      const crlf = text.indexOf('\r\n')
      return crlf > text.indexOf('\n')
        ? { problem: 'some lines end with a carriage return, but not the first', line: lineAt(text, crlf) }
        : undefined
    },
  },
  {
    name: 'user-data/interpreter',
    severity: 'error',
    breaks: ['cloud-init', 'CirrOS'],
    how: 'the kernel needs the path of a program after "#!" and cannot run the script',
    mend: 'name the interpreter by its whole path: #!/bin/sh',
    look: ({ text = '' }) => {
      const line = firstLine(text.trimStart())
      return /^#!\s*\//.test(line) ? undefined : { problem: `${quoted(line)} names no interpreter`, line: 1 }
    },
  },
]
