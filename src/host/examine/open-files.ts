import { readdirSync, readFileSync } from 'node:fs'

/** How many files a process has open, and how many it may. @returns undefined when it is gone, or somebody else's */
export function openFilesOf(pid: number): { readonly open: number; readonly limit: number } | undefined {
  try {
    const [, soft = ''] = /^Max open files\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'ascii')) ?? []
    const limit = soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
    return { open: readdirSync(`/proc/${pid}/fd`).length, limit }
  } catch {
    return undefined
  }
}
