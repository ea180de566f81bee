import { setTimeout as delay } from 'node:timers/promises'
import type { GuestRequest } from '../../daemons/local-answers.ts'
import type { Server } from '../../inventory/records/server.ts'
import type { Colour, Terminal } from '../terminal.ts'

/** Prints what happens to each guest, one line an event, as it happens. */
export interface Journal {
  /** A line the guest printed. */
  console(name: string, line: string): void
  /** A request we answered. */
  request(request: GuestRequest): void
  /** Resolves at the next event, or after `milliseconds`. */
  next(milliseconds: number): Promise<void>
}

const COLOURS: readonly Colour[] = ['blue', 'green', 'magenta', 'cyan', 'yellow']

export function openJournal(guests: readonly Pick<Server, 'name'>[], terminal: Terminal): Journal {
  const started = performance.now()
  const width = Math.max(0, ...guests.map(({ name }) => name.length))
  const colours = new Map(guests.map(({ name }, i) => [name, COLOURS[i % COLOURS.length] ?? 'blue']))
  let happened = Promise.withResolvers<void>()

  function print(name: string, event: string): void {
    const seconds = `${((performance.now() - started) / 1000).toFixed(2)}s`.padStart(7)
    terminal.print(
      `${terminal.paint('dim', seconds)}  ${terminal.paint(colours.get(name) ?? 'blue', name.padEnd(width))}  ${visible(event)}`,
    )
    happened.resolve()
    happened = Promise.withResolvers()
  }

  return {
    // The guest's own view of its requests is left to its console: ours has the time they took.
    console: (name, line) => {
      if (!line.startsWith('GET ')) print(name, line)
    },
    request: ({ name, request, reply, milliseconds }) => {
      const size = `${reply.body.length} bytes`.padStart(10)
      const { method, target } = request
      print(name, `${method} ${target}  ${reply.status} ${size}  ${milliseconds.toFixed(1)} ms`)
    },
    next: (milliseconds) => Promise.race([happened.promise, delay(milliseconds)]),
  }
}

/** A guest decides what it prints and asks for: nothing of it may steer the terminal. */
export function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}]/gu, (character) => (character === '\t' ? character : '\u{fffd}'))
}
