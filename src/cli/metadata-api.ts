import { fileOptions } from '../config/config-files.ts'
import { apiOptions } from '../config/options/api.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { documentOptions } from '../config/options/documents.ts'
import { apiSecretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { logChanges } from '../daemons/log-changes.ts'
import { changeLevelOnSignal } from '../daemons/log-level.ts'
import { openApiSocket, openMetadataApi } from '../daemons/metadata-api.ts'
import { openOperatorPages } from '../daemons/operator-pages.ts'
import { runService } from '../daemons/run-service.ts'
import { remarkOnSecret } from '../daemons/secret-remarks.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { boundPort } from '../host/sockets.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

export const metadataApi = command({
  usage: '',
  description:
    'Serves the EC2 and OpenStack metadata trees over HTTP, as nova-api-metadata does, to a metadata agent that names the instance and signs. Takes requests at once; they wait (at most 8 s) until the inventory is read.',
  options: {
    ...fileOptions,
    ...apiOptions,
    ...apiSecretOptions,
    ...documentOptions,
    ...stateOptions,
    ...observeOptions,
    ...logOptions,
  },
  examples: [
    ['firstboot metadata-api', 'on 127.0.0.1:8775, with the inventory of this host'],
    [
      'FIRSTBOOT_METADATA_PROXY_SHARED_SECRET=... firstboot metadata-api --metadata-listen 0.0.0.0',
      'for agents of other hosts',
    ],
    [
      'firstboot metadata-api --config-file /etc/nova/nova.conf',
      'in the place of nova-api-metadata, behind the agents that are there',
    ],
  ],
  run: async ({ values, env, terminal, reread }) => {
    const state = await openStateDirectory(stateDirectory(values, env))
    const settings = async (now: typeof values) => ({
      values: now,
      secret: await sharedSecret(state, now.metadata_proxy_shared_secret),
    })
    const first = await settings(values)
    const log = openLog(values.log_level, 'metadata-api')
    let { log_level } = values
    changeLevelOnSignal(log, () => log_level)
    remarkOnSecret(values, state, log)
    return runService({
      workers: values.metadata_workers,
      env,
      log,
      check: () => {
        const { changed, warnings } = reread()
        logChanges(log, changed, warnings)
      },
      listen: () => openApiSocket(values),
      onListening: ([socket = 0]) =>
        terminal.say(`firstboot metadata-api listens on ${values.metadata_listen} port ${boundPort(socket)}`),
      serve: async (sockets) => {
        const opened = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
        const api = openMetadataApi(state, sockets, deferredStore(opened), first, log)
        const pages = await openOperatorPages({
          state,
          daemon: 'metadata-api',
          metrics: api.flight.metrics,
          ready: api.ready,
          listen: values.metrics_listen,
          isShared: values.metadata_workers > 1,
          log,
        })
        return {
          opened,
          reload: async () => {
            const { values: now, changed, warnings } = reread()
            api.reload(await settings(now))
            logChanges(log, changed, warnings)
            log_level = now.log_level
            log.level = log_level
          },
          close: async (grace) => {
            await pages.close()
            await api.close(grace)
          },
        }
      },
    })
  },
})
