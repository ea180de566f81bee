/** What the writers and the readers of both formats have in common. All of it is pure: bytes come in and go out. */

export type DriveFormat = 'iso9660' | 'vfat'

/** A file to be put on a drive. Its folders come into being with it. */
export interface DriveFile {
  /** From the root, names between slashes: `openstack/latest/meta_data.json`. */
  readonly path: string
  readonly content: Uint8Array
}

/** Zeros that a sparse file need not store: seek over them, and give the file its full size at the end. */
export interface Hole {
  /** In bytes. */
  readonly hole: number
}

/** What follows next in an image. Bytes may be those of a `DriveFile`, or be given out twice: read, never changed. */
export type Chunk = Uint8Array | Hole

/** An image that is worked out but not written: whatever would be refused has been. */
export interface Image {
  /** In bytes: what the chunks come to, holes included. */
  readonly size: number
  /** From the first byte to the last. May be walked more than once, and gives the same each time. */
  readonly chunks: Iterable<Chunk>
}

/** An image to be read: a file, or bytes in memory. */
export interface ImageSource {
  /** In bytes. */
  readonly size: number
  /** Asked only for what lies within `size`. */
  read(offset: number, length: number): Uint8Array
}

/** What is on a drive. */
export interface DriveEntry {
  /** From the root, without a slash before or behind. */
  readonly path: string
  /** `other`: symbolic links, devices and the like, which nothing of ours writes. */
  readonly kind: 'file' | 'directory' | 'other'
  /** In bytes; 0 unless it is a file. */
  readonly size: number
}

/** A drive that was read. */
export interface Drive {
  readonly format: DriveFormat
  /** As it is stored, less the padding: case counts. */
  readonly label: string
  /** In bytes: what its own header says, which may be less than the file that holds it. */
  readonly size: number
  /** Directories before what is in them; otherwise in the order of the image. */
  readonly entries: readonly DriveEntry[]
  /** @returns undefined when there is no file of this path @throws DriveProblem */
  read(path: string): Uint8Array | undefined
}

/** A drive that cannot be made as asked, or an image that cannot be read. The message stands by itself. */
export class DriveProblem extends Error {
  /** Where in the image, in bytes; null when it is not about a place. */
  readonly offset: number | null

  constructor(message: string, offset: number | null = null) {
    super(offset === null ? message : `${message} (at byte ${offset})`)
    this.name = 'DriveProblem'
    this.offset = offset
  }
}
