import type { Answer } from '../../http/messages.ts'
import type { InstanceId } from '../../inventory/records/ids.ts'
import type { MetadataUpstream } from '../../metadata-agent/handler.ts'
import { probeSecret } from '../../metadata-agent/probe.ts'
import type { Log } from '../../observe/log.ts'
import { type NovaValues, novaUpstream } from '../metadata-agent.ts'
import type { DocumentValues } from '../metadata-service.ts'
import type { StateDirectory } from '../state-directory.ts'

export type OvnUpstreamValues = DocumentValues & NovaValues & { readonly answer_from: 'nova' | 'inventory' }

export interface OvnUpstream {
  readonly upstream: MetadataUpstream<Answer>
  /** The server's name by its id, where it is known here. */
  readonly serverOf: (instance: InstanceId) => string | undefined
  close(): Promise<void>
}

/** Who knows what an instance may read: the metadata API elsewhere, or the inventory of this state directory.
 *  @throws Error when the values cannot be used */
export async function openOvnUpstream(
  state: StateDirectory,
  secret: string,
  values: OvnUpstreamValues,
  log: Log,
): Promise<OvnUpstream> {
  if (values.answer_from === 'inventory') {
    // In a cloud that has a metadata API, the start is not to wait for the database's driver and the documents.
    const { openInventoryUpstream } = await import('./inventory-upstream.ts')
    return openInventoryUpstream(state, values, log)
  }
  const { upstream, signed, close } = novaUpstream(secret, values, log)
  void probeSecret(signed, log)
  return { upstream, serverOf: () => undefined, close }
}
