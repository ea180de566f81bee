import { quote } from './files.ts'
import { type Drive, type DriveEntry, DriveProblem, type ImageSource } from './image.ts'
import { type Extent, readExtents } from './image-source.ts'

/** An entry that was found on an image, and where its bytes are. */
export interface FoundEntry extends DriveEntry {
  /** Empty unless it is a file. Whole clusters on FAT, of which the last is not all of the file. */
  readonly extents: readonly Extent[]
}

/** What a reader has found, as a drive. @throws DriveProblem when readers could take one path for different things, or
 *  when the image ends before the volume does: only padding may be lost, but then who copied it does not know that */
export function driveOf(
  source: ImageSource,
  about: Pick<Drive, 'format' | 'label' | 'size'>,
  found: readonly FoundEntry[],
): Drive {
  const byPath = new Map<string, FoundEntry>()
  for (const entry of found) {
    if (byPath.has(entry.path)) throw new DriveProblem(`${quote(entry.path)} is there twice`)
    byPath.set(entry.path, entry)
  }
  if (about.size > source.size)
    throw new DriveProblem(`the volume has ${about.size} bytes, but the image ends at ${source.size}: it is truncated`)
  return {
    ...about,
    entries: found.map(({ path, kind, size }) => ({ path, kind, size })),
    read(path) {
      const file = byPath.get(path)
      if (file?.kind !== 'file') return undefined
      return readExtents(source, file.extents, quote(path)).subarray(0, file.size)
    },
  }
}
