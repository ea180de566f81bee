import type { NetworkId, ProjectId, SecurityGroupId } from '../../records/ids.ts'
import { isInstancePort } from '../../records/port.ts'
import type { Noun } from '../../records/records.ts'
import { formatPath } from '../problem.ts'
import type { SecurityGroupItem } from '../schema.ts'
import type { Located } from '../shape.ts'
import type { Contents, PlacedSubnet } from './contents.ts'
import { words } from './directory.ts'
import type { Planning } from './planning.ts'
import { pruneUnnamed, pruneUnnamedPorts } from './prune.ts'

/** Floating IPs are known by their port, too, so they are identified when ports are (`floating-ips.ts`). */
const IDENTIFIED = [
  'project',
  'keypair',
  'flavor',
  'image',
  'network',
  'subnet',
  'router',
  'port',
  'server',
  'security_group',
] as const satisfies readonly Noun[]
type Identified = (typeof IDENTIFIED)[number]

interface Named extends Located {
  readonly id?: string
  readonly name?: string
}

/**
 * Finds out which record each item of the file is: the one with its id, else the one with its name in the same project,
 * else a new one. Afterwards every item can be referred to; when pruning, nothing else.
 * @returns the contents with the security groups that are made because a port needs one
 */
export function identifyAll(contents: Contents, prune: boolean, planning: Planning): Contents {
  for (const noun of IDENTIFIED) {
    identify(noun, contents[noun], contents, planning)
    if (prune && noun !== 'port' && noun !== 'security_group') pruneUnnamed(noun, planning)
  }
  const groups = defaultGroups(contents, planning)
  identify('security_group', groups, contents, planning)
  if (prune) {
    pruneUnnamed('security_group', planning)
    pruneUnnamedPorts(planning)
  }
  return { ...contents, security_group: [...contents.security_group, ...groups] }
}

function identify(noun: Identified, items: readonly Named[], contents: Contents, planning: Planning): void {
  const given = new Set(items.map(({ id }) => id))
  const seenIds = new Map<string, Located>()
  const seenNames = new Map<string, Named>()
  for (const item of items) {
    const scope = scopeOf(noun, item, contents, planning)
    if (scope === undefined) planning.giveUp(item)
    const name = item.name ?? (noun === 'subnet' ? (item as PlacedSubnet).cidr : undefined) ?? ''
    if (name === '' && item.id === undefined && !item.broken) {
      planning.report(
        item.at,
        `needs a name or an id, so that the same ${words(noun)} is found when the file is applied again`,
      )
      planning.giveUp(item)
    }
    if (isRepeated(noun, item, name, scope, { seenIds, seenNames }, planning)) continue
    const id = item.id ?? knownId(noun, item, name, scope ?? '', given, planning)
    if (id === undefined) continue
    planning.name(item, id)
    planning.directory.put(noun, id, name, scope ?? '')
  }
}

/** Two items are one too many when they have the same id, or the same name with nothing to tell them apart. */
function isRepeated(
  noun: Noun,
  item: Named,
  name: string,
  scope: string | undefined,
  { seenIds, seenNames }: { readonly seenIds: Map<string, Located>; readonly seenNames: Map<string, Named> },
  planning: Planning,
): boolean {
  const sameId = item.id === undefined ? undefined : seenIds.get(item.id)
  if (item.id !== undefined && sameId === undefined) seenIds.set(item.id, item)
  if (sameId !== undefined) {
    planning.report([...item.at, 'id'], `${item.id} is the id of ${formatPath(sameId.at)} already; each needs its own`)
    return true
  }
  const place = `${scope} ${name}`
  const sameName = name === '' || scope === undefined ? undefined : seenNames.get(place)
  if (name !== '' && sameName === undefined) seenNames.set(place, item)
  if (sameName === undefined || (hasFreeNames(noun) && item.id !== undefined && sameName.id !== undefined)) return false
  const field = item.name === undefined ? 'cidr' : 'name'
  planning.report(
    [...item.at, field],
    `${JSON.stringify(name)} is the name of ${formatPath(sameName.at)} already; choose another`,
  )
  return true
}

/** Of these nouns several records of one project may have the same name, as in OpenStack; ids tell them apart. */
function hasFreeNames(noun: Noun): boolean {
  return noun !== 'project' && noun !== 'keypair' && noun !== 'flavor'
}

/** The id of the record of that name, or a new one. */
function knownId(
  noun: Noun,
  item: Named,
  name: string,
  scope: string,
  given: ReadonlySet<string | undefined>,
  planning: Planning,
): string | undefined {
  const named = planning.directory.idsIn(noun, name, scope)
  const known =
    named.length > 0 || noun !== 'subnet' ? named : subnetsOfRange((item as PlacedSubnet).cidr, scope, planning)
  const candidates = known.filter((id) => !given.has(id) && isMatchable(noun, id, planning))
  if (candidates.length > 1) {
    const ids = candidates.join(' or ')
    planning.report(
      item.at,
      `the inventory has ${candidates.length} ${words(noun)}s named ${JSON.stringify(name)}; say which by its id: ${ids}`,
    )
    return undefined
  }
  return candidates[0] ?? newId(noun, planning)
}

/** A subnet that was given a name, or lost it, is still the same range of the same network. */
function subnetsOfRange(range: string, network: string, planning: Planning): readonly string[] {
  const subnets = [...planning.existing.subnet.values()]
  return subnets.filter(({ cidr, networkId }) => cidr === range && networkId === network).map(({ id }) => id)
}

/** A nameless item matches nothing; a port that was made for a server belongs to that. */
function isMatchable(noun: Noun, id: string, planning: Planning): boolean {
  if (noun !== 'port') return true
  const port = planning.existing.port.get(id)
  return port !== undefined && !(port.name === '' && isInstancePort(port))
}

function newId(noun: Noun, planning: Planning): string {
  const id = planning.generate.uuid()
  return noun === 'project' ? id.replaceAll('-', '') : id
}

/** In what the item's name is looked for: its project, its network, or nothing. undefined after reporting a problem. */
function scopeOf(noun: Identified, item: Located, contents: Contents, planning: Planning): string | undefined {
  if (noun === 'project' || noun === 'flavor' || noun === 'image') return ''
  if (noun === 'subnet') return networkOfSubnet(item as PlacedSubnet, planning)
  return projectOf(item, contents, planning)
}

function networkOfSubnet(item: PlacedSubnet, planning: Planning): NetworkId | undefined {
  const { network } = item
  if (network === undefined) return undefined
  if (typeof network !== 'string') return planning.idOf('network', network)
  return planning.resolve('network', network, [...item.at, 'network'])
}

/** The project of an item that has one: the given one, that of a port's network, or the only one there is. */
function projectOf(
  item: Located & { readonly project?: string; readonly network?: string },
  contents: Contents,
  planning: Planning,
): ProjectId | undefined {
  if (item.project !== undefined) return planning.resolve('project', item.project, [...item.at, 'project'])
  if (item.network !== undefined) {
    const network = planning.resolve('network', item.network, [...item.at, 'network'])
    return network === undefined ? undefined : (planning.directory.scopeOf('network', network) as ProjectId | undefined)
  }
  const [only, ...others] = contents.project
  if (only !== undefined && others.length === 0) return planning.idOf('project', only)
  const names = contents.project.map(({ name }) => name).join(', ')
  planning.report(item.at, `belongs to no project, and the file has several; add "project:" and one of ${names}`)
  return undefined
}

/** A group `default` for each project with a port that names no groups, as Neutron makes it on first use. */
function defaultGroups(contents: Contents, planning: Planning): readonly SecurityGroupItem[] {
  const projects = new Set([
    ...projectsOfGroupless('port', contents, planning),
    ...projectsOfGroupless('server', contents, planning),
  ])
  const named = new Set(contents.security_group.map((item) => planning.idOf('security_group', item)))
  return [...projects]
    .filter((project) => {
      const defaults = planning.directory.idsIn('security_group', 'default', project)
      return !defaults.some((id) => named.has(id as SecurityGroupId))
    })
    .map((project) => ({ name: 'default', project, at: [], broken: false }))
}

function projectsOfGroupless(noun: 'port' | 'server', contents: Contents, planning: Planning): readonly string[] {
  return contents[noun].flatMap((item) => {
    const id = item.security_groups === undefined && planning.isSound(item) ? planning.idOf(noun, item) : undefined
    return (id === undefined ? undefined : planning.directory.scopeOf(noun, id)) ?? []
  })
}
