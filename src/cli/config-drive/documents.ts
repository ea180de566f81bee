import type { Drive, DriveFile } from '../../config-drive/image.ts'
import { NOCLOUD_LABEL } from '../../config-drive/no-cloud.ts'
import { type DriveKind, type Drives, withDrive } from '../../daemons/drives.ts'
import type { Instance } from '../../inventory/records/instance.ts'
import type { Difference } from '../diff/compare.ts'
import type { Documents } from '../diff/read-documents.ts'

/** Everything on a drive, and what sort of drive it is. */
export interface ReadDrive {
  readonly kind: DriveKind
  readonly documents: Documents
}

/** @throws DriveProblem, or an error of the system */
export function readDrive(path: string): ReadDrive {
  return withDrive(path, (drive) => ({
    kind: kindOf(drive),
    documents: new Map(
      drive.entries
        .filter(({ kind }) => kind === 'file')
        .map(({ path: file }) => [file, drive.read(file) ?? new Uint8Array()]),
    ),
  }))
}

export function kindOf({ label, format }: Drive): DriveKind {
  return label.toLowerCase() === NOCLOUD_LABEL ? 'nocloud' : format
}

/** What a drive of this kind would hold now. */
export async function freshDocuments(drives: Drives, instance: Instance, kind: DriveKind): Promise<Documents> {
  const files: readonly DriveFile[] = await drives.files(instance, { kind })
  return new Map(files.map(({ path, content }) => [path, content]))
}

/** For a terminal: passwords and what is injected are covered. */
export function covered(differences: readonly Difference[]): readonly Difference[] {
  const cover = (text: string | null) => (text === null ? null : '"***"')
  return differences.map((each) =>
    each.member === 'admin_pass' || /\/content\/\d+$/.test(each.path)
      ? { ...each, before: cover(each.before), after: cover(each.after) }
      : each,
  )
}
