import type { Instance } from '../../inventory/records/instance.ts'
import type { Context } from '../context.ts'
import { networkTemplate } from './network-template.ts'

/** One file below `openstack/content`; meta_data.json tells where it belongs. */
export interface Content {
  /** `0000`, `0001`, ...: the network template first, then the injected files as given. */
  readonly number: string
  /** The path in the guest, or null for the network template. */
  readonly injectedAs: string | null
  readonly body: Uint8Array
}

/** Injected files are told to a config drive only: Nova stores them nowhere, so its service does not know them. */
export function contents(instance: Instance, context: Context): readonly Content[] {
  const template = networkTemplate(instance, context.release)
  const files = context.carrier === 'config-drive' ? instance.files : []
  return [
    ...(template === undefined ? [] : [{ injectedAs: null, body: Buffer.from(template) }]),
    ...files.map((file) => ({ injectedAs: file.path, body: Buffer.from(file.contents, 'base64') })),
  ].map((content, index) => ({ ...content, number: String(index).padStart(4, '0') }))
}

/** As meta_data.json names it: below `openstack`, not below the version. */
export function contentPath({ number }: Content): string {
  return `/content/${number}`
}
