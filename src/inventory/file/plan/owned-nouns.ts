import type { ProjectId } from '../../records/ids.ts'
import type { Records } from '../../records/records.ts'
import { type Contents, isStandIn } from './contents.ts'
import { type Planning, soundItems } from './planning.ts'

/** The nouns that take no addresses: each item becomes a record as it stands, with defaults for what is left out. */
export function planOwnedNouns(contents: Contents, planning: Planning): void {
  const { draft } = planning
  for (const [item, id] of soundItems(planning, 'project', contents.project)) {
    if (isStandIn(item) && draft.project.has(id)) continue
    draft.project.set(id, { id, name: item.name, metadataTokens: item.metadata_tokens ?? 'off' })
  }
  for (const [item, id] of soundItems(planning, 'keypair', contents.keypair)) {
    const { name, type = 'ssh', public_key: publicKey } = item
    draft.keypair.set(id, { id, projectId: ownerOf('keypair', id, planning), name, type, publicKey })
  }
  for (const [item, id] of soundItems(planning, 'flavor', contents.flavor)) {
    if (isStandIn(item) && draft.flavor.has(id)) continue
    const { name, vcpus = 1, ram: ramMib = 2048, disk: diskGib = 20, ephemeral: ephemeralGib = 0 } = item
    draft.flavor.set(id, { id, name, vcpus, ramMib, diskGib, ephemeralGib, swapMib: item.swap ?? 0 })
  }
  for (const [item, id] of soundItems(planning, 'security_group', contents.security_group)) {
    if (isStandIn(item) && draft.security_group.has(id)) continue
    const { name, description = '' } = item
    draft.security_group.set(id, { id, projectId: ownerOf('security_group', id, planning), name, description })
  }
  planImages(contents, planning)
}

/** The project an item was identified in. */
export function ownerOf(
  noun: 'keypair' | 'security_group' | 'network' | 'router' | 'port' | 'server',
  id: string,
  planning: Planning,
): ProjectId {
  return (planning.directory.scopeOf(noun, id) ?? '') as ProjectId
}

function planImages(contents: Contents, planning: Planning): void {
  const { draft, existing } = planning
  const numbers = ec2Numbers('image', contents.image, planning)
  for (const [item, id] of soundItems(planning, 'image', contents.image)) {
    if (isStandIn(item) && draft.image.has(id)) continue
    const part = (field: 'kernel_id' | 'ramdisk_id') => {
      const reference = item[field] ?? null
      return reference === null ? null : (planning.resolve('image', reference, [...item.at, field]) ?? null)
    }
    draft.image.set(id, {
      id,
      name: item.name,
      ec2Number: item.ec2_image_id ?? existing.image.get(id)?.ec2Number ?? numbers.next(),
      kernelId: part('kernel_id'),
      ramdiskId: part('ramdisk_id'),
      properties: item.properties ?? [],
    })
  }
  refuseCycles(contents, planning)
}

/** A kernel that needs itself, over however many steps, could never be booted. */
function refuseCycles(contents: Contents, planning: Planning): void {
  const { image: images } = planning.draft
  for (const [item, id] of soundItems(planning, 'image', contents.image)) {
    for (const [field, property] of [
      ['kernel_id', 'kernelId'],
      ['ramdisk_id', 'ramdiskId'],
    ] as const) {
      const reached = new Set<string>()
      const waiting = [images.get(id)?.[property] ?? null]
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        if (next === null || reached.has(next)) continue
        reached.add(next)
        waiting.push(images.get(next)?.kernelId ?? null, images.get(next)?.ramdiskId ?? null)
      }
      if (reached.has(id)) {
        planning.report(
          [...item.at, field],
          `leads back to ${JSON.stringify(item.name)} itself; an image cannot be its own ${property === 'kernelId' ? 'kernel' : 'ramdisk'}`,
        )
      }
    }
  }
}

interface Numbered {
  readonly at: readonly (string | number)[]
  readonly broken: boolean
  readonly ec2_image_id?: number
  readonly ec2_instance_id?: number
}

/** The EC2 numbers of one noun: reports those that are given twice, and gives out the next one. */
export function ec2Numbers(
  noun: 'image' | 'server',
  items: readonly Numbered[],
  planning: Planning,
): { next(): number } {
  const field = noun === 'image' ? 'ec2_image_id' : 'ec2_instance_id'
  const holders = new Map<number, string>()
  for (const { id, ec2Number } of planning.draft[noun].values() as Iterable<Records['image' | 'server']>) {
    holders.set(ec2Number, id)
  }
  for (const [item, id] of soundItems(planning, noun, items)) {
    const number = item[field]
    if (number === undefined) continue
    const holder = holders.get(number)
    if (holder !== undefined && holder !== id) {
      planning.report([...item.at, field], `${number} is the number of another ${noun} (${holder}); choose another`)
    }
    holders.set(number, id)
  }
  let last = Math.max(0, ...holders.keys())
  return {
    next() {
      last += 1
      return last
    },
  }
}
