import type { ProjectId } from './ids.ts'

/** Whether guests may (`optional`) or must (`required`) ask with an EC2-style session token. `off`: there are none, as
 *  in Nova. */
export type MetadataTokens = 'off' | 'optional' | 'required'

/** Who owns things. Its id is 32 hexadecimal digits, as Keystone writes it; the wire header calls it the tenant. */
export interface Project {
  readonly id: ProjectId
  readonly name: string
  readonly metadataTokens: MetadataTokens
}
