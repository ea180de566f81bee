import { agentOptions } from '../config/options/agent.ts'
import { logOptions } from '../config/options/daemon.ts'
import { answerOptions, datapathOptions, socketKeeperOptions } from '../config/options/datapath.ts'
import { documentOptions } from '../config/options/documents.ts'
import { rateLimitOptions } from '../config/options/rate-limit.ts'
import { stateDirectory, stateOptions } from '../config/options/state.ts'
import { openFlight } from '../daemons/flight.ts'
import type { answersOfInventory } from '../daemons/inventory-answers.ts'
import { answersOfAgent, openMetadataProxy } from '../daemons/metadata-proxy.ts'
import { openOperatorPages } from '../daemons/operator-pages.ts'
import { openStateDirectory } from '../daemons/state-directory.ts'
import { untilSignal } from '../daemons/until-signal.ts'
import { openLog } from '../observe/log.ts'
import { command } from './command.ts'

const { metadata_proxy_socket } = agentOptions
const { dhcp_lease_duration } = datapathOptions

/** For requests in hand when another process has taken over. */
const GRACE_MILLISECONDS = 30_000

export const metadataProxy = command({
  usage: '',
  description:
    'Answers guests on the sockets of a socket keeper, in all namespaces at once and without any privilege. Started by `up` (answers from the inventory) and `dhcp-agent` (asks the metadata agent). A second one takes over from the first, which finishes what it has in hand.',
  options: {
    ...answerOptions,
    metadata_proxy_socket,
    ...socketKeeperOptions,
    ...documentOptions,
    ...rateLimitOptions,
    dhcp_lease_duration,
    ...stateOptions,
    ...logOptions,
  },
  examples: [
    ['firstboot metadata-proxy --answer-from agent', 'take over from the one that runs, say after an upgrade'],
  ],
  run: async ({ values, env, terminal }) => {
    const ended = untilSignal()
    const state = await openStateDirectory(stateDirectory(values, env))
    const log = openLog(values.log_level, 'metadata-proxy')
    const socket = values.metadata_proxy_socket || state.agentSocket
    const answers =
      values.answer_from === 'agent' ? answersOfAgent(socket) : await answersHere(state, socket, values, log)
    const flight = openFlight(state, 'metadata-proxy', log, answers.serverOf)
    const following = await openMetadataProxy(values.socket_keeper || state.socketKeeper, answers, flight, log)
    const pages = await openOperatorPages({
      state,
      daemon: 'metadata-proxy',
      metrics: flight.metrics,
      ready: answers.ready,
      listen: '',
      log,
    })
    terminal.print('firstboot metadata-proxy answers guests')
    const why = await Promise.race([following.ended, ended])
    log.info({ why }, 'no more guests are taken')
    await following.close(why === 'keeper gone' ? 0 : GRACE_MILLISECONDS)
    await answers.close() // while our page is there, by which a successor knows us
    await pages.close()
    await flight.close()
    return 0
  },
})

/** Who only passes requests on does not wait for the database's driver and the documents. */
const answersHere: typeof answersOfInventory = async (...given) =>
  (await import('../daemons/inventory-answers.ts')).answersOfInventory(...given)
