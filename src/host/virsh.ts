import { runProgram } from './programs.ts'

/** libvirt by its own client. All throw HostError when virsh is missing, or libvirt refuses. */
export interface Virsh {
  /** Ids of the domains that run, also of those that are about to end. */
  running(): Promise<ReadonlySet<string>>
  /** @param path  of the domain's XML */
  define(path: string): Promise<void>
  start(id: string): Promise<void>
  /** Presses the power button. */
  shutdown(id: string): Promise<void>
  /** Pulls the plug; nothing to do for one that does not run. */
  destroy(id: string): Promise<void>
  /** Nothing to do for one that libvirt does not know. */
  undefine(id: string): Promise<void>
  /** Puts a file into a domain's cdrom. @param target  `hda` */
  changeMedia(id: string, target: string, path: string): Promise<void>
}

/** @param uri  whose libvirt: `qemu:///system`, `qemu:///session` */
export function openVirsh(uri: string): Virsh {
  const run = async (...words: readonly string[]) =>
    (await runProgram('virsh', ['--quiet', '--connect', uri, ...words])).stdout
  const ids = async (...which: readonly string[]) =>
    new Set((await run('list', '--uuid', ...which)).split(/\s+/).filter((id) => id !== ''))
  return {
    running: () => ids(),
    define: async (path) => void (await run('define', path)),
    start: async (id) => void (await run('start', id)),
    shutdown: async (id) => void (await run('shutdown', id)),
    destroy: async (id) => {
      if ((await ids()).has(id)) await run('destroy', id)
    },
    undefine: async (id) => {
      if ((await ids('--all')).has(id)) await run('undefine', id)
    },
    changeMedia: async (id, target, path) => void (await run('change-media', id, target, path, '--update', '--live')),
  }
}
