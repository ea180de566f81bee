import {
  apiOptions,
  documentOptions,
  logOptions,
  secretOptions,
  stateDirectory,
  stateOptions,
} from '../config/options.ts'
import { deferredStore } from '../daemons/deferred-store.ts'
import { openMetadataApi } from '../daemons/metadata-api.ts'
import { openStateDirectory, sharedSecret } from '../daemons/state-directory.ts'
import { unlessSignalled, untilSignal } from '../daemons/until-signal.ts'
import { openSqliteStore } from '../inventory/sql/sqlite.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

export const metadataApi = command({
  usage: '',
  description:
    'Serves the EC2 and OpenStack metadata trees over HTTP, as nova-api-metadata does, to a metadata agent that names the instance and signs. Takes requests at once; they wait (at most 8 s) until the inventory is read.',
  options: { ...apiOptions, ...secretOptions, ...documentOptions, ...stateOptions, ...logOptions },
  examples: [
    ['firstboot metadata-api', 'on 127.0.0.1:8775, with the inventory of this host'],
    [
      'FIRSTBOOT_METADATA_PROXY_SHARED_SECRET=... firstboot metadata-api --metadata-listen 0.0.0.0',
      'for agents of other hosts',
    ],
  ],
  run: async ({ values, env, terminal }) => {
    const state = await openStateDirectory(stateDirectory(values, env))
    const secret = await sharedSecret(state, values.metadata_proxy_shared_secret)
    const ended = untilSignal()
    const opening = openSqliteStore(state.database, Number.POSITIVE_INFINITY)
    const log = openLog(values.log_level, 'metadata-api')
    const listening = openMetadataApi(deferredStore(opening), secret, values, log).then((serving) => {
      terminal.say(`firstboot metadata-api listens on ${values.metadata_listen} port ${serving.port}`)
      return serving
    })
    const started = await unlessSignalled(Promise.all([listening, opening]), ended)
    await ended
    await started?.[0].close()
    return 0
  },
})
