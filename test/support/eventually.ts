import { setTimeout as pause } from 'node:timers/promises'

/** Waits until the condition holds: for what the kernel does in its own time and tells nobody about.
 *  @throws with what was waited for after `milliseconds` */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  milliseconds = 20_000,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`After ${milliseconds} ms still not: ${what}`)
    await pause(20)
  }
}
