/** `error`: whatever the guest is, something its record says will not come true. `warning`: some guests stumble, or what
 *  was meant is most likely something else. */
export type Severity = 'error' | 'warning'

export type Client =
  | 'afterburn'
  | 'CirrOS'
  | 'cloud-init'
  | 'cloudbase-init'
  | 'Ignition'
  | 'NixOS'
  | 'Talos'
  | 'every guest'

/** Where in what a guest reads. */
export interface Place {
  readonly document: 'user data' | 'meta_data.json' | 'network_data.json' | 'config drive' | 'public-keys'
  /** The way to a piece of the user data: `part 2 "init.cfg"`, `unpacked`. Empty for the whole. */
  readonly pieces: readonly string[]
  /** Counted from 1, in the piece. */
  readonly line: number | null
  /** A member of the document: `users[0].name`. */
  readonly member: string | null
}

export interface Finding {
  /** Stable, for programs: `user-data/first-line`. */
  readonly check: string
  readonly severity: Severity
  readonly place: Place
  readonly problem: string
  readonly breaks: readonly Client[]
  /** What goes wrong in those clients. */
  readonly how: string
  /** What to do about it. */
  readonly mend: string
}

/** One thing that is looked at. The words are the row's; what is found fills in the problem. */
export interface Check<Of> {
  readonly name: string
  readonly severity: Severity
  readonly breaks: readonly Client[]
  readonly how: string
  readonly mend: string
  /** @returns nothing when all is well */
  readonly look: (of: Of) => readonly Spot[] | Spot | undefined
}

/** One occurrence, with words that are better than the row's where it knows them. */
export interface Spot extends Partial<Pick<Finding, 'severity' | 'breaks' | 'how' | 'mend'>> {
  readonly problem: string
  readonly line?: number
  readonly member?: string
}

export function runChecks<Of>(checks: readonly Check<Of>[], of: Of, place: Place): readonly Finding[] {
  return checks.flatMap((check) => spots(check.look(of)).map((spot) => finding(check, spot, place)))
}

function spots(found: readonly Spot[] | Spot | undefined): readonly Spot[] {
  if (found === undefined) return []
  return isList(found) ? found : [found]
}

function isList(found: readonly Spot[] | Spot): found is readonly Spot[] {
  return Array.isArray(found)
}

function finding<Of>(check: Check<Of>, { line, member, ...spot }: Spot, place: Place): Finding {
  const { name, severity, breaks, how, mend } = check
  const where = { ...place, line: line ?? place.line, member: member ?? place.member }
  return { check: name, severity, breaks, how, mend, ...spot, place: where }
}

export function placeIn(document: Place['document'], pieces: readonly string[] = []): Place {
  return { document, pieces, line: null, member: null }
}

/** `user data, part 2 "init.cfg", line 3 (runcmd)` */
export function placeText({ document, pieces, line, member }: Place): string {
  const lines = line === null ? [] : [`line ${line}`]
  return `${[document, ...pieces, ...lines].join(', ')}${member === null ? '' : ` (${member})`}`
}

/** The same order for everybody: errors first, else as found. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return (['error', 'warning'] as const).flatMap((severity) => findings.filter((each) => each.severity === severity))
}
