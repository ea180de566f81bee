import { watch } from 'node:fs'

/**
 * Tells the names that come and go in a directory. Where the kernel gives no watch (`fs.inotify.max_user_watches` is used
 * up), nothing is told: whoever needs to know must look for himself too.
 * @param onProblem  called with why nothing is told, at once or later
 * @returns a function that ends it
 */
export function watchNames(
  directory: string,
  onName: (name: string) => void,
  onProblem: (why: string) => void,
): () => void {
  try {
    const watcher = watch(directory, { persistent: false }, (_, name) => name !== null && onName(name))
    watcher.on('error', (error) => {
      watcher.close()
      onProblem(`${directory} is not watched any more: ${String(error)}`)
    })
    return () => watcher.close()
  } catch (error) {
    onProblem(`${directory} cannot be watched: ${String(error)}`)
    return () => undefined
  }
}
