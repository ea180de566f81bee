import { DriveProblem, type Image, type ImageSource } from './image.ts'

/** An image that lies in memory. */
export function bytesSource(bytes: Uint8Array): ImageSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}

/**
 * Bytes of an image, all of them.
 * @param what  for the message: `the boot sector`
 * @throws DriveProblem when they are not all there
 */
export function readAt(source: ImageSource, offset: number, length: number, what: string): Buffer {
  if (offset + length > source.size) {
    const end = `the image ends at ${source.size}`
    throw new DriveProblem(`${what} should take ${length} bytes, but ${end}: it is truncated or damaged`, offset)
  }
  const bytes = source.read(offset, length)
  if (bytes.length !== length)
    throw new DriveProblem(`${what}: ${bytes.length} of ${length} bytes could be read`, offset)
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** Bytes in a row. */
export interface Extent {
  readonly offset: number
  readonly size: number
}

/** What may be asked for at once: a sparse file can claim any size, and memory is not sparse. */
const AT_ONCE = 2 ** 30

/** What lies in several places, one piece after the other. @throws DriveProblem as `readAt`, or when it is over a GiB */
export function readExtents(source: ImageSource, extents: readonly Extent[], what: string): Buffer {
  const length = extents.reduce((sum, { size }) => sum + size, 0)
  if (length > AT_ONCE) throw new DriveProblem(`${what} has ${length} bytes: more than can be read at once`)
  return Buffer.concat(extents.map(({ offset, size }) => readAt(source, offset, size, what)))
}

/** A whole image in memory, for small ones. */
export function imageBytes(image: Image): Buffer {
  const bytes = Buffer.alloc(image.size)
  let at = 0
  for (const chunk of image.chunks) {
    if ('hole' in chunk) at += chunk.hole
    else {
      bytes.set(chunk, at)
      at += chunk.length
    }
  }
  return bytes
}
