import { existsSync } from 'node:fs'
import { DriveProblem } from '../../config-drive/image.ts'
import { reasonText } from '../../config-drive/need.ts'
import { type DriveValues, keptDrivePath, needOf } from '../../daemons/drives.ts'
import { causesOf } from './causes.ts'
import type { Subject } from './subject.ts'
import { verdictsOf } from './verify.ts'

/** A server's config drive as `firstboot show` tells of it. */
export interface DriveState {
  /** Why it gets one when it is started; empty when it gets none. */
  readonly reasons: readonly string[]
  /** null: none has been built. */
  readonly path: string | null
  /** What is no longer what the server is told, and why; null when that cannot be said. */
  readonly stale: readonly string[] | null
}

/** A drive that cannot be read is stale as a whole. */
export async function driveState(subject: Subject, values: DriveValues): Promise<DriveState> {
  const { state, server, inventory } = subject
  if (state === undefined) return { reasons: [], path: null, stale: null }
  const reasons = needOf(server, inventory.records, state.machines, values.force_config_drive).reasons.map(reasonText)
  const path = keptDrivePath(state.machines, server.id)
  if (!existsSync(path)) return { reasons, path: null, stale: null }
  try {
    const verdicts = await verdictsOf(subject, path, values)
    return { reasons, path, stale: causesOf(...verdicts) }
  } catch (error) {
    if (!(error instanceof DriveProblem)) throw error
    return { reasons, path, stale: [error.message] }
  }
}

/** Lines for the table of `firstboot show`. */
export function driveRows({ reasons, path, stale }: DriveState): string[][] {
  const need = reasons.length === 0 ? 'none is needed' : `needed: ${reasons.join('; ')}`
  if (path === null) return [['drive', reasons.length === 0 ? need : `${need}; not built yet`]]
  const isFresh = stale?.length === 0
  return [
    ['drive', `${path} (${need})`],
    ['', isFresh ? 'fresh: says what HTTP says' : `STALE: ${stale?.join('; ')}`],
  ]
}
