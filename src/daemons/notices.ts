import { keepWatchdog, openNotify } from '../host/systemd.ts'

/** What a daemon of one process tells systemd. Nothing where that has not started it. */
export interface Notices {
  ready(): void
  stopping(): void
  /** While the configuration is read again. */
  reloading<T>(work: () => Promise<T>): Promise<T>
}

/** To be called before any child is started, which must not speak in our name. That we live is told from now on.
 *  @param env  cleared of what was meant for us alone */
export function openNotices(env: NodeJS.ProcessEnv): Notices {
  const notify = openNotify(env)
  const endWatchdog = keepWatchdog(env, notify)
  return {
    ready: () => notify('READY=1'),
    stopping: () => {
      notify('STOPPING=1')
      endWatchdog()
    },
    reloading: async (work) => {
      notify('RELOADING=1')
      try {
        return await work()
      } finally {
        notify('READY=1')
      }
    },
  }
}
