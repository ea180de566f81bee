import { describeCommand } from '../host/describe.ts'
import type { ObservedNamespace } from '../host/host.ts'
import type { Decision } from './decision.ts'
import type { Action, History, Trouble } from './history.ts'
import type { Job } from './reconcile.ts'
import type { State } from './reconciler.ts'

/** The datapath of this machine as `firstboot datapath status --json` prints it. Times are ISO 8601. */
export interface DatapathStatus {
  /** When it was last looked at. */
  readonly at: string
  readonly namespaces: readonly NamespaceStatus[]
  /** Of bridges, networks, and namespaces that nobody wants. */
  readonly others: readonly PlaceStatus[]
}

export interface PlaceStatus {
  readonly where: string
  readonly actions: readonly { readonly at: string; readonly what: string; readonly why: string }[]
  /** null: all is as it should be. */
  readonly trouble: TroubleStatus | null
}

export interface TroubleStatus {
  readonly what: string
  readonly message: string
  readonly since: string
  readonly times: number
}

export interface NamespaceStatus extends PlaceStatus {
  readonly path: Decision['path']
  /** Of the network or router. */
  readonly id: string
  readonly name: string
  /** At the last look. */
  readonly exists: boolean
  readonly answers: boolean
  readonly sends_guests: boolean
  readonly because: string
  /** Where our sockets listen. */
  readonly listening: readonly string[]
  readonly programs: readonly { readonly kind: string; readonly pid: number }[]
}

/** One step of a dry run, in order. */
export interface PlannedStep {
  readonly where: string
  readonly what: string
  readonly why: string
}

export function datapathStatus({ desired, observed, history, at }: State): DatapathStatus {
  const known = new Set(desired.decisions.map(({ netns }) => netns))
  return {
    at: time(at),
    namespaces: desired.decisions.map((decision) => ({
      ...namespaceStatus(decision, observed.namespaces.get(decision.netns)),
      ...placeStatus(decision.netns, history),
    })),
    others: [...history.troubles.keys()]
      .filter((where) => !known.has(where))
      .map((where) => placeStatus(where, history)),
  }
}

export function plannedSteps(phases: readonly (readonly Job[])[]): readonly PlannedStep[] {
  return phases
    .flat()
    .flatMap(({ where, steps }) =>
      steps.map(({ command, reason }) => ({ where, what: describeCommand(command), why: reason })),
    )
}

function namespaceStatus(
  { path, id, name, answers, sendsGuests, because }: Decision,
  seen: ObservedNamespace | undefined,
): Omit<NamespaceStatus, keyof PlaceStatus> {
  return {
    path,
    id,
    name,
    exists: seen !== undefined,
    answers,
    sends_guests: sendsGuests,
    because,
    listening: [...(seen?.listening ?? [])].map((key) => key.slice(0, key.indexOf(' '))),
    programs: (seen?.programs ?? []).map(({ kind, pid }) => ({ kind, pid })),
  }
}

function placeStatus(where: string, history: History): PlaceStatus {
  const trouble = history.troubles.get(where)
  return {
    where,
    actions: history.actionsOf(where).map(actionStatus),
    trouble: trouble === undefined ? null : troubleStatus(trouble),
  }
}

function actionStatus({ at, command, reason }: Action): PlaceStatus['actions'][number] {
  return { at: time(at), what: describeCommand(command), why: reason }
}

function troubleStatus({ command, cause, since, times }: Trouble): TroubleStatus {
  const what = command === undefined ? 'looking into it' : describeCommand(command)
  return { what, message: cause.message, since: time(since), times }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
