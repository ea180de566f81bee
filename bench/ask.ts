import { spawnSync } from 'node:child_process'
import { inNetns } from './placing.ts'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
}

/**
 * Asks once, by curl, from inside a namespace.
 * @param from  the address to ask from, where the namespace has several
 * @returns undefined when nobody answers
 */
export function ask(netns: string, url: string, from?: string): Answer | undefined {
  const curl = ['curl', '--silent', '--include', '--max-time', '10', ...(from ? ['--interface', from] : []), url]
  const [program, ...args] = inNetns(netns, curl)
  const { stdout, status } = spawnSync(program, args)
  if (status !== 0) return undefined
  const end = stdout.indexOf('\r\n\r\n')
  const head = stdout.subarray(0, end).toString('latin1')
  return {
    status: Number(head.split(' ', 2)[1]),
    contentType: /^content-type: *(.*)$/im.exec(head)?.[1] ?? '',
    body: stdout.subarray(end + 4),
  }
}
