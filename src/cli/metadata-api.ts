import { fileOptions } from '../config/config-files.ts'
import { apiOptions } from '../config/options/api.ts'
import { logOptions, observeOptions } from '../config/options/daemon.ts'
import { documentOptions } from '../config/options/documents.ts'
import { apiSecretOptions } from '../config/options/shared-secret.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { openApiSocket, openMetadataApi } from '../daemons/metadata-api.ts'
import { runSharedService } from '../daemons/shared-service.ts'
import { boundPort } from '../host/sockets.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
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
  run: ({ values, env, terminal, reread }) =>
    runSharedService({
      daemon: 'metadata-api',
      path: stateDirectory(values, env),
      values,
      env,
      reread,
      listen: () => openApiSocket(values),
      onListening: (_, [socket = 0]) =>
        terminal.say(`firstboot metadata-api listens on ${values.metadata_listen} port ${boundPort(socket)}`),
      serve: (state, sockets, settings, log) => {
        const opened = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
        return { opened, ...openMetadataApi(state, sockets, deferredStore(opened), settings, log) }
      },
    }),
})
