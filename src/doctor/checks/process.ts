import { CAPABILITIES } from '../../host/examine/own-process.ts'
import { type Check, error, ifKnown, warning, well } from '../check.ts'
import { isOlder } from './programs.ts'

/** What `firstboot up` cannot do without. */
const NEEDED = ['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_NET_BIND_SERVICE', 'CAP_NET_RAW'] as const

/** A keeper has a socket or two for each network, an answering process a connection for each guest that asks. */
const FEW_FILES = 4_096
/** A watch each for the names of namespaces and for the inventory, in each daemon. */
const FEW_WATCHES = 64
const FEW_INSTANCES = 16

export const processChecks: readonly Check[] = [
  {
    name: 'process/node',
    expected: 'Node is of a version that runs firstboot',
    judge: ({ node: { running, oldest } }) => [
      isOlder(running, oldest)
        ? error(`Node ${running}; firstboot needs ${oldest}`, `install Node ${oldest} or later, or start with npx`)
        : well(running),
    ],
  },
  {
    name: 'process/capabilities',
    expected: 'whoever runs firstboot up may make and enter network namespaces',
    judge: ({ own: { capabilities } }) =>
      ifKnown(capabilities, (mask) => {
        const missing = NEEDED.filter((name) => ((mask >> CAPABILITIES[name]) & 1n) === 0n)
        if (missing.length === 0) return [well('it may')]
        return [
          warning(
            `you lack ${missing.join(', ')}`,
            'run daemons as root; without, firstboot sandbox, serve, render and lint work, and doctor sees less',
          ),
        ]
      }),
  },
  {
    name: 'process/open-files',
    expected: `at least ${FEW_FILES} files may be open at once: each network and each asking guest takes some`,
    judge: ({ own: { openFiles } }) =>
      ifKnown(openFiles, ({ soft, hard }) => {
        // Node raises its own soft limit to the hard one.
        const limit = Math.max(soft, hard)
        if (limit >= FEW_FILES) return [well(String(limit))]
        return [warning(`${limit} may be open`, 'ulimit -Hn 65536, or LimitNOFILE=65536 in the service')]
      }),
  },
  {
    name: 'process/inotify',
    expected: 'directories can be watched: it is how a deleted namespace or a changed inventory is noticed at once',
    judge: ({ own: { inotifyWatches, inotifyInstances } }) => [
      ...ifKnown(inotifyWatches, (watches) => [
        watches >= FEW_WATCHES
          ? well(`${watches} watches a user`)
          : warning(`only ${watches} watches a user`, 'sysctl -w fs.inotify.max_user_watches=65536'),
      ]),
      ...ifKnown(inotifyInstances, (instances) =>
        instances >= FEW_INSTANCES
          ? []
          : [warning(`only ${instances} watchers a user`, 'sysctl -w fs.inotify.max_user_instances=128')],
      ),
    ],
  },
]
