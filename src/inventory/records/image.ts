import type { ImageId } from './ids.ts'
import type { Properties } from './properties.ts'

/** What a server boots from. Kernels and ramdisks are images too and share the EC2 numbering. */
export interface Image {
  readonly id: ImageId
  readonly name: string
  /** Row number behind `ami-%08x`, `aki-%08x` and `ari-%08x`: assigned once in order of first use, never derived. */
  readonly ec2Number: number
  readonly kernelId: ImageId | null
  readonly ramdiskId: ImageId | null
  readonly properties: Properties
}
