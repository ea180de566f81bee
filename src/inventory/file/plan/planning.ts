import { networkAddress, toNumber } from '../../records/address.ts'
import type { NetworkId } from '../../records/ids.ts'
import type { Port } from '../../records/port.ts'
import { NOUNS, type Noun, type RecordSet, type Records } from '../../records/records.ts'
import type { Subnet } from '../../records/subnet.ts'
import type { Generators } from '../generators.ts'
import type { Path, Report } from '../problem.ts'
import type { Located } from '../shape.ts'
import { Directory } from './directory.ts'

/** The inventory as it is becoming: starts as what exists, ends as what will. */
export type Draft = { readonly [N in Noun]: Map<string, Records[N]> }

/** What the steps of one plan share. Everything in it lives as long as the plan. */
export class Planning {
  readonly existing: RecordSet
  readonly draft: Draft
  readonly directory: Directory
  readonly generate: Generators
  readonly report: Report
  /** Things to tell the user that are neither changes nor problems. */
  readonly notes: string[] = []
  /** Networks of which a subnet could not be made out: what does not fit into the others may fit into that one. */
  readonly unsure = new Set<NetworkId>()
  readonly #ids = new Map<Located, string>()
  readonly #inFile = new Set<string>()
  readonly #broken = new Set<Located>()
  #portsByDevice: ReadonlyMap<string, readonly Port[]> | undefined
  #subnetsByNetwork: Map<NetworkId, Subnet[]> | undefined

  constructor(existing: RecordSet, generate: Generators, report: Report) {
    this.existing = existing
    this.draft = Object.fromEntries(NOUNS.map((noun) => [noun, new Map<string, unknown>(existing[noun])])) as Draft
    this.directory = new Directory(existing)
    this.generate = generate
    this.report = report
  }

  /** Gives an item of the file its id, under which others may refer to it. */
  name(item: Located, id: string): void {
    this.#ids.set(item, id)
    this.#inFile.add(id)
  }

  /** The file has an item for the record of this id. */
  isInFile(id: string): boolean {
    return this.#inFile.has(id)
  }

  /** The id of an item, or undefined when it is not known which record it is. */
  idOf<N extends Noun>(_noun: N, item: Located): Records[N]['id'] | undefined {
    return this.#ids.get(item) as Records[N]['id'] | undefined
  }

  /** The item cannot become a record. It keeps its name, so that only the true cause is reported. */
  giveUp(item: Located): void {
    this.#broken.add(item)
  }

  isSound(item: Located): boolean {
    return !item.broken && !this.#broken.has(item)
  }

  /** The subnets of a network, IPv4 first, lower ranges first: an order that is the same when the file is applied again.
   *  To be asked when all subnets have been planned. */
  subnetsOf(network: NetworkId): readonly Subnet[] {
    this.#subnetsByNetwork ??= Map.groupBy([...this.draft.subnet.values()].sort(byRange), ({ networkId }) => networkId)
    return this.#subnetsByNetwork.get(network) ?? []
  }

  /** The id behind a name or id, or undefined after reporting that there is none. */
  resolve<N extends Noun>(noun: N, reference: string, path: Path, scope?: string): Records[N]['id'] | undefined {
    const found = this.directory.find(noun, reference, scope)
    if ('problem' in found) this.report(path, found.problem)
    return 'id' in found ? (found.id as Records[N]['id']) : undefined
  }

  /** The same without a report: for what has been reported already, or need not exist. */
  resolveQuietly<N extends Noun>(noun: N, reference: string, scope?: string): Records[N]['id'] | undefined {
    const found = this.directory.find(noun, reference, scope)
    return 'id' in found ? (found.id as Records[N]['id']) : undefined
  }

  /** The ports as they were before the plan (pruned ones left out), by what they belong to. */
  portsByDevice(): ReadonlyMap<string, readonly Port[]> {
    this.#portsByDevice ??= Map.groupBy(
      [...this.existing.port.values()].filter(({ id }) => this.draft.port.has(id)),
      ({ deviceId }) => deviceId,
    )
    return this.#portsByDevice
  }
}

/** The items that can become records, with their ids. */
export function* soundItems<N extends Noun, I extends Located>(
  planning: Planning,
  noun: N,
  items: readonly I[],
): Iterable<readonly [item: I, id: Records[N]['id']]> {
  for (const item of items) {
    const id = planning.idOf(noun, item)
    if (id !== undefined && planning.isSound(item)) yield [item, id]
  }
}

function byRange(a: Subnet, b: Subnet): number {
  if (a.ipVersion !== b.ipVersion) return a.ipVersion - b.ipVersion
  const [x, y] = [toNumber(networkAddress(a.cidr)), toNumber(networkAddress(b.cidr))]
  return x === y ? 0 : x < y ? -1 : 1
}
