import { held, MetadataError } from '../http/errors.ts'
import type { Instance } from '../inventory/records/instance.ts'
import type { Inventory } from '../inventory/store.ts'
import { NotFound } from './errors.ts'

/** Who asks, as somebody we trust has found out. */
export interface Caller {
  /** Any case. */
  readonly instanceId: string
  readonly projectId: string
  /** As received (X-Forwarded-For, the peer's address); null when nobody said. */
  readonly requesterAddress: string | null
}

/** The caller's instance, as the inventory has it now. */
export interface Identity {
  readonly instance: Instance
  readonly requesterAddress: string | null
}

/**
 * Looks for the caller, and once more before it is nobody: whoever sent the request here (another process on the same
 * inventory) may have heard of the instance before us.
 * @throws what `find` throws; NotReady when it cannot be known in time
 */
export async function lookedUpTwice(inventory: Inventory, find: () => Identity | Promise<Identity>): Promise<Identity> {
  await held(inventory.ready)
  try {
    return await find()
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error
  }
  await held(inventory.caughtUp())
  return find()
}

/** @throws NotFound for an unknown instance and for one of another project: a guest cannot tell them apart */
export function ownInstance(inventory: Inventory, caller: Caller): Identity {
  const instance = inventory.instance(caller.instanceId)
  if (instance === undefined) throw new NotFound('instance-unknown')
  if (instance.projectId !== caller.projectId) throw new NotFound('project-mismatch')
  return { instance, requesterAddress: caller.requesterAddress }
}
