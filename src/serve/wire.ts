import type { ServerResponse } from 'node:http'
import type { HttpReply } from '../http/messages.ts'
import { writeReply } from '../http/write-reply.ts'
import { type Breakage, keptBytes } from './fault.ts'
import type { TestReply } from './handler.ts'

type Write = typeof writeReply

/** How an answer left us. `isSent`: all of it was handed to the kernel before the client or the fault ended it. */
export type OnEnded = (reply: TestReply, isSent: boolean) => void

/** Writes answers as they are, or broken as their fault has it, and tells how each ended. */
export function faultyWriter(onEnded: OnEnded): Write {
  return (reply, incoming, outgoing) => {
    if (!isTestReply(reply)) {
      writeReply(reply, incoming, outgoing)
      return
    }
    if (outgoing.destroyed) {
      onEnded(reply, false)
      return
    }
    outgoing.once('close', () => onEnded(reply, outgoing.writableFinished))
    const breakage = reply.fault?.breakage
    if (breakage === undefined) writeReply(reply, incoming, outgoing)
    else writeBroken(breakage, reply, incoming, outgoing)
  }
}

function writeBroken(breakage: Breakage, reply: HttpReply, incoming: Parameters<Write>[1], outgoing: ServerResponse) {
  switch (breakage.kind) {
    case 'reset':
      outgoing.socket?.resetAndDestroy()
      return
    case 'truncate':
      outgoing.writeHead(reply.status, fields(reply, reply.body.length))
      outgoing.write(reply.body.subarray(0, keptBytes(breakage, reply.body)))
      outgoing.socket?.destroySoon()
      return
    case 'length': {
      const length = Math.max(0, reply.body.length + breakage.difference)
      writeReply({ ...reply, headers: withLength(reply, length) }, incoming, outgoing)
      return
    }
  }
}

function withLength({ headers }: HttpReply, length: number): HttpReply['headers'] {
  const others = headers.filter(([name]) => name.toLowerCase() !== 'content-length')
  return [['Content-Length', String(length)], ...others]
}

function fields(reply: HttpReply, length: number): string[] {
  return withLength(reply, length).flat()
}

function isTestReply(reply: HttpReply): reply is TestReply {
  return 'isReplaced' in reply
}
