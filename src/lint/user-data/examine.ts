import { examineCloudConfig } from '../cloud-config/examine.ts'
import type { CloudConfigRules } from '../cloud-config/rules.ts'
import { type Finding, runChecks } from '../finding.ts'
import { examineArchive } from './archive.ts'
import { examineGzip, isGzip } from './gzip.ts'
import { ignitionChecks } from './ignition.ts'
import { type KindName, kindOf, messageSign } from './kinds.ts'
import { layoutChecks, shebangChecks } from './layout.ts'
import { examineMessage } from './message.ts'
import type { Piece } from './piece.ts'
import { includeChecks, jinjaChecks, patchChecks, upstartChecks } from './simple-kinds.ts'
import { strangerChecks } from './strangers.ts'

/** What an examination needs to know beside the bytes. */
export interface Means {
  /** What cloud-config is held against. */
  readonly rules: CloudConfigRules
  /** The server has a key pair, which the default user is to get. */
  readonly hasKeyPair: boolean
}

export type Examine = (piece: Piece, means: Means) => readonly Finding[]

/** More wrappings than anybody makes by hand. */
const DEEPEST = 8

/** Finds out what a piece is by how it begins, and examines it as that. Nothing is wrong with no bytes at all. */
export function examinePiece(piece: Piece, means: Means): readonly Finding[] {
  if (piece.bytes.length === 0 || piece.depth > DEEPEST) return []
  if (isGzip(piece.bytes)) return examineGzip(piece, means, examinePiece)
  const kind = piece.text === undefined ? undefined : kindOf(piece.text)
  if (piece.isWhole && messageSign(piece.text ?? '') !== undefined && kind === undefined)
    return examineMessage(piece, means, { examinePiece, examineKind })
  if (kind === undefined) return runChecks(strangerChecks, piece, piece.place).slice(0, 1)
  return [...runChecks(layoutChecks(kind), piece, piece.place), ...examineKind(kind, piece, means)]
}

/** Examines a piece as what somebody said it is, in a part's `Content-Type` or an archive's `type`. */
export function examineKind(kind: KindName, piece: Piece, means: Means): readonly Finding[] {
  return piece.depth > DEEPEST ? [] : examinations[kind](piece, means)
}

const examinations: Readonly<Record<KindName, Examine>> = {
  script: (piece) => runChecks(shebangChecks, piece, piece.place),
  'cloud-config': (piece, means) => examineCloudConfig(piece, means),
  'cloud-config-archive': (piece, means) => examineArchive(piece, means, { examinePiece, examineKind }),
  'cloud-config-jsonp': (piece) => runChecks(patchChecks, piece, piece.place),
  include: (piece) => runChecks(includeChecks, piece, piece.place),
  boothook: () => [],
  'part-handler': () => [],
  jinja: (piece) => runChecks(jinjaChecks, piece, piece.place),
  'upstart-job': (piece) => runChecks(upstartChecks, piece, piece.place),
  'windows-script': () => [],
  ignition: (piece) => runChecks(ignitionChecks, piece, piece.place),
  talos: () => [],
  nixos: () => [],
}
