import { suggestion } from '../../../text/nearest.ts'
import { NOUNS, type Noun, type RecordSet, type Records } from '../../records/records.ts'

interface Entry {
  readonly name: string
  readonly scope: string
}

/** In what a name is meant to be unique: a project, a network (subnets, floating IPs), or nothing (empty text). */
const scopes: { readonly [N in Noun]: (record: Records[N]) => string } = {
  project: () => '',
  keypair: ({ projectId }) => projectId,
  flavor: () => '',
  image: () => '',
  security_group: ({ projectId }) => projectId,
  network: ({ projectId }) => projectId,
  subnet: ({ networkId }) => networkId,
  router: ({ projectId }) => projectId,
  port: ({ projectId }) => projectId,
  floating_ip: ({ networkId }) => networkId,
  server: ({ projectId }) => projectId,
  former_interface: ({ networkId }) => networkId,
}

/** What a record is called. A nameless subnet goes by its range. */
const names: { readonly [N in Noun]: (record: Records[N]) => string } = {
  project: ({ name }) => name,
  keypair: ({ name }) => name,
  flavor: ({ name }) => name,
  image: ({ name }) => name,
  security_group: ({ name }) => name,
  network: ({ name }) => name,
  subnet: ({ name, cidr }) => name || cidr,
  router: ({ name }) => name,
  port: ({ name }) => name,
  floating_ip: ({ address }) => address,
  server: ({ name }) => name,
  former_interface: () => '',
}

export function nameOf<N extends Noun>(noun: N, record: Records[N]): string {
  return names[noun](record)
}

/** A noun in words: `security group`. */
export function words(noun: Noun): string {
  return wordsOf[noun] ?? noun
}

const wordsOf: { readonly [N in Noun]?: string } = {
  keypair: 'key pair',
  security_group: 'security group',
  floating_ip: 'floating IP',
  former_interface: 'former interface',
}

/** Who is called what. Names need not be unique: a reference by name looks into its own project first. */
export class Directory {
  readonly #entries: Record<Noun, Map<string, Entry>>
  readonly #byName: Record<Noun, Map<string, Set<string>>>

  readonly #pruned = perNoun(() => new Set<string>())

  constructor(existing: RecordSet) {
    this.#entries = perNoun(() => new Map())
    this.#byName = perNoun(() => new Map())
    for (const noun of NOUNS) this.#addAll(noun, existing[noun])
  }

  /** Adds an entry, or moves it when the file gives it another name. */
  put(noun: Noun, id: string, name: string, scope: string): void {
    this.remove(noun, id)
    this.#entries[noun].set(id, { name, scope })
    if (name === '') return
    const known = this.#byName[noun].get(name)
    if (known === undefined) this.#byName[noun].set(name, new Set([id]))
    else known.add(id)
  }

  remove(noun: Noun, id: string): void {
    const name = this.#entries[noun].get(id)?.name ?? ''
    this.#entries[noun].delete(id)
    this.#byName[noun].get(name)?.delete(id)
  }

  /** Removes the entry of a record that goes because the file does not name it. Whoever refers to it is told so. */
  prune(noun: Noun, id: string): void {
    this.#pruned[noun].add(id).add(this.#entries[noun].get(id)?.name ?? '')
    this.remove(noun, id)
  }

  /** The project of a network, the network of a subnet, ... */
  scopeOf(noun: Noun, id: string): string | undefined {
    return this.#entries[noun].get(id)?.scope
  }

  /** The ids under a name in one scope. */
  idsIn(noun: Noun, name: string, scope: string): readonly string[] {
    return [...(this.#byName[noun].get(name) ?? [])].filter((id) => this.#entries[noun].get(id)?.scope === scope)
  }

  /** Looks up an id or a name: in the scope first, if one is given, then everywhere. */
  find(noun: Noun, reference: string, scope?: string): { readonly id: string } | { readonly problem: string } {
    const known = [reference, reference.toLowerCase()].find((id) => this.#entries[noun].has(id))
    if (known !== undefined) return { id: known }
    const own = scope === undefined ? [] : this.idsIn(noun, reference, scope)
    const candidates = own.length > 0 ? own : [...(this.#byName[noun].get(reference) ?? [])]
    if (candidates[0] !== undefined && candidates.length === 1) return { id: candidates[0] }
    const quoted = JSON.stringify(reference)
    if (candidates.length > 1) {
      return {
        problem: `${candidates.length} ${words(noun)}s are named ${quoted}; give the id of the one that is meant`,
      }
    }
    if (this.#pruned[noun].has(reference)) {
      return { problem: `${words(noun)} ${quoted} is not in the file, so --prune removes it; list it in the file too` }
    }
    const others = [...this.#byName[noun]].filter(([, ids]) => ids.size > 0).map(([name]) => name)
    return { problem: `there is no ${words(noun)} ${quoted}${suggestion(reference, others)}` }
  }

  #addAll<N extends Noun>(noun: N, records: ReadonlyMap<string, Records[N]>): void {
    for (const [id, record] of records) this.put(noun, id, names[noun](record), scopes[noun](record))
  }
}

function perNoun<T>(make: () => T): Record<Noun, T> {
  return Object.fromEntries(NOUNS.map((noun) => [noun, make()])) as Record<Noun, T>
}
