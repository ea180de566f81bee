import { Readable } from 'node:stream'
import { type Answer, isForwarded } from './messages.ts'

/** All of an answer's body, for answers that are known to be small. */
export async function wholeBody(answer: Answer): Promise<Uint8Array> {
  if (!isForwarded(answer)) return answer.body
  return answer.forwarded instanceof Readable ? Buffer.concat(await answer.forwarded.toArray()) : answer.forwarded
}
