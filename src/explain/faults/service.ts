import type { AgentFacts, Facts } from '../facts.ts'
import { type Fault, knownOf, type Spot } from '../fault.ts'

/** Below this nothing can be written any more: neither leases nor records. */
const NO_BYTES = 4 * 1024 ** 2
const FEW_BYTES = 64 * 1024 ** 2
/** Of its descriptors a process needs some for the next guest. */
const FEW_DESCRIPTORS = 4
/** More than clocks of one site differ. */
const SKEW_MILLISECONDS = 5_000

/** Daemons that keep namespaces. */
const KEEPERS: readonly string[] = ['up', 'lab', 'dhcp-agent', 'ovn-metadata-agent']

/** The processes, and what they live on. */
export const serviceFaults: readonly Fault[] = [
  {
    id: 'not-running',
    step: 'service',
    severity: 'broken',
    symptom: 'no lease, and nobody answers',
    cause: 'no daemon of ours serves this state directory',
    recognised: 'nobody has its lock, and no command line of a process names it',
    expected: 'firstboot up runs, or firstboot dhcp-agent or ovn-metadata-agent',
    mend: 'start firstboot up (or dhcp-agent, ovn-metadata-agent) on this state directory',
    judge: ({ host: { holder, daemons }, inside, agent, path }) => {
      // An agent or an API of ours may serve a datapath of others.
      if (daemons.some(({ command }) => ['metadata-agent', 'metadata-api'].includes(command))) return undefined
      if (holder !== undefined || daemons.some(({ command }) => KEEPERS.includes(command))) return undefined
      // On OVN the agent is part of what has ended.
      const isLeft = knownOf(inside) !== undefined && !(path.kind === 'ovn' && knownOf(agent)?.isHop !== false)
      return isLeft
        ? {
            observed: 'nobody keeps the namespaces: those that are left serve until something changes',
            severity: 'risk',
          }
        : 'nobody serves this state directory'
    },
  },
  {
    id: 'daemon-stuck',
    step: 'service',
    severity: 'risk',
    symptom: 'changes have no effect, and nothing is repaired',
    cause: 'the daemon that keeps the datapath is stopped or hangs',
    recognised: 'it has the lock and does not answer on its management socket',
    expected: 'the daemon answers its operator',
    mend: 'kill -CONT the process if it was stopped; otherwise end and start it again: guests are answered meanwhile',
    judge: ({ host: { answersOperator, holder, daemons }, agent }) => {
      if (answersOperator !== false) return undefined
      const observed = `process ${holder ?? '?'} does not answer`
      const isAgent = daemons.some(({ command }) => command === 'ovn-metadata-agent')
      const { state, reply } = knownOf(agent) ?? {}
      // It answers guests itself.
      return isAgent && state === 'connects' && reply?.status === undefined
        ? { observed, severity: 'broken' }
        : observed
    },
  },
  {
    id: 'disk-full',
    step: 'service',
    severity: 'broken',
    symptom: 'new ports get no lease, changes are refused',
    cause: 'there is no space left where the state directory is: leases and records cannot be written',
    recognised: `less than ${NO_BYTES / 1024 ** 2} MiB are free there`,
    expected: 'there is space for leases and records',
    mend: 'free some space there',
    judge: ({ host: { freeBytes } }) => {
      const free = knownOf(freeBytes) ?? Number.POSITIVE_INFINITY
      if (free >= FEW_BYTES) return undefined
      const observed = `${(free / 1024 ** 2).toFixed(1)} MiB are free`
      return free < NO_BYTES ? observed : { observed, severity: 'risk' }
    },
  },
  {
    id: 'descriptor-limit',
    step: 'service',
    severity: 'broken',
    symptom: 'requests are answered late or not at all, while others work',
    cause: 'a process that serves guests may open no more files',
    recognised: `it has as many open as its limit allows, less ${FEW_DESCRIPTORS}`,
    expected: 'each daemon may open more files than it has',
    mend: 'raise the limit: prlimit --pid PID --nofile=65536, and LimitNOFILE= or ulimit -n for the next start',
    judge: ({ host: { descriptors } }) =>
      descriptors
        .filter(({ open, limit }) => open + FEW_DESCRIPTORS > limit)
        .map(({ pid, command, open, limit }) => `${command} (process ${pid}) has ${open} of ${limit} files open`),
  },
  {
    id: 'clock-skew',
    step: 'service',
    severity: 'risk',
    symptom: 'leases end early or never, session tokens are refused',
    cause: 'the clock of this host was set back, or differs from that of the metadata API',
    recognised: 'files of the state directory are from the future, or the API’s Date differs by more than 5 s',
    expected: 'clocks agree',
    mend: 'set the clock (chronyc makestep, timedatectl set-ntp true)',
    judge: ({ now, host: { newest }, api }) => {
      const skew = knownOf(api)?.skew ?? 0
      const ahead = (newest ?? now) - now
      return [
        ...(ahead > SKEW_MILLISECONDS
          ? [`the state directory is from ${Math.round(ahead / 1_000)} s in the future`]
          : []),
        ...(Math.abs(skew) > SKEW_MILLISECONDS
          ? [`the clock of the metadata API is ${Math.round(skew / 1_000)} s from ours`]
          : []),
      ]
    },
  },
  {
    id: 'database-locked',
    step: 'database',
    severity: 'broken',
    symptom: 'changes and posted passwords are refused; a daemon that starts holds its guests',
    cause: 'somebody keeps the inventory locked, or it cannot be written',
    recognised: 'a transaction cannot be begun within half a second',
    expected: 'the inventory can be written',
    mend: 'end whoever has it open (fuser -v FILE): a sqlite3 shell, a backup',
    judge: ({ database }) => {
      const { path, problem } = knownOf(database) ?? {}
      return problem === undefined ? undefined : `${path}: ${problem}`
    },
  },
  {
    id: 'agent-socket-missing',
    step: 'agent',
    severity: 'broken',
    symptom: 'every path is 503',
    cause: 'the unix socket of the metadata agent is gone: the agent does not run, or somebody removed it',
    recognised: 'there is no file where proxies look for the socket',
    expected: 'the socket of the metadata agent is there',
    mend: 'start firstboot metadata-agent again (of firstboot up: SIGHUP), or set metadata_proxy_socket alike on both sides',
    judge: ({ agent }) => socketSpot(agent, 'missing', (socket) => `there is no ${socket}`),
  },
  {
    id: 'agent-socket-dead',
    step: 'agent',
    severity: 'broken',
    symptom: 'every path is 503',
    cause: 'the metadata agent was killed, and its socket is left',
    recognised: 'connecting to the socket is refused',
    expected: 'somebody listens on the socket of the metadata agent',
    mend: 'start firstboot metadata-agent again',
    judge: ({ agent }) => socketSpot(agent, 'dead', (socket) => `nobody listens on ${socket}`),
  },
  {
    id: 'agent-socket-unreadable',
    step: 'agent',
    severity: 'broken',
    symptom: 'every path is 503',
    cause: 'the proxy may not connect to the socket of the metadata agent',
    recognised: 'the mode of the socket lacks write permission for its owner',
    expected: 'proxies may connect to the socket',
    mend: 'chmod it (metadata_proxy_socket_mode), or run proxy and agent as users that fit',
    judge: ({ agent }) => socketSpot(agent, 'forbidden', (socket) => `${socket} may not be connected to`),
  },
  {
    id: 'signature-mismatch',
    step: 'api',
    severity: 'broken',
    symptom: 'every path is 403',
    cause: 'the metadata agent and the metadata API have different shared secrets',
    recognised: 'the agent, asked in the guest’s name, answers 403',
    expected: 'the API accepts the agent’s signature',
    mend: 'set metadata_proxy_shared_secret alike on both, and start them again',
    judge: ({ agent }) =>
      knownOf(agent)?.reply?.status === 403 ? 'the metadata API refuses the signature' : undefined,
  },
  {
    id: 'api-down',
    step: 'api',
    severity: 'broken',
    symptom: 'every path is 503',
    cause: 'the metadata API does not run, or listens elsewhere',
    recognised: 'nobody takes a connection at the address that the agent has',
    expected: 'the metadata API answers',
    mend: 'start firstboot metadata-api, or correct nova_metadata_host and nova_metadata_port of the agent',
    judge: ({ api }) => {
      const { where, reply } = knownOf(api) ?? {}
      return where !== undefined && reply === undefined ? `nobody answers at ${where}` : undefined
    },
  },
  {
    id: 'api-slow',
    step: 'api',
    severity: 'broken',
    symptom: 'the guest boots late, or gives up',
    cause: 'the metadata API takes too long: an overloaded host, a hanging database',
    recognised: 'it accepts a connection, and takes longer than a second to answer',
    expected: 'the metadata API answers within a second',
    mend: 'look at its log and at the load of its host',
    judge: ({ api, slowdown }) => {
      const { where, reply } = knownOf(api) ?? {}
      if (reply === undefined || (reply.status !== undefined && reply.milliseconds < SLOW_MILLISECONDS * slowdown))
        return undefined
      return `${where} ${reply.status === undefined ? 'did not answer within' : 'took'} ${(reply.milliseconds / 1_000).toFixed(1)} s`
    },
  },
  {
    id: 'agent-fails',
    step: 'agent',
    severity: 'broken',
    isSymptom: true,
    symptom: 'every path is an error',
    cause: 'the metadata agent does not give the guest its document',
    recognised: 'asked in the guest’s name it answers with an error, with nothing, or with another instance’s document',
    expected: 'the agent answers in this guest’s name',
    mend: 'look at the log of the metadata agent, by the request id of the answer',
    judge: ({ agent, records: { server } }) => {
      const { reply, state } = knownOf(agent) ?? {}
      if (state !== 'connects' || reply === undefined) return undefined
      if (reply.status === undefined) return `nothing was answered within ${Math.round(reply.milliseconds)} ms`
      if (reply.status !== 200) return `the answer is ${reply.status}`
      return reply.uuid === server?.id ? undefined : `the document is of ${reply.uuid ?? 'nobody'}`
    },
  },
]

/** Where guests' requests do not pass the socket, only those suffer who do ask there. */
function socketSpot(
  agent: Facts['agent'],
  wanted: AgentFacts['state'],
  say: (socket: string) => string,
): Spot | undefined {
  const { state, socket, isHop } = knownOf(agent) ?? {}
  if (state !== wanted || socket === undefined) return undefined
  return { observed: say(socket), severity: isHop ? 'broken' : 'risk' }
}

const SLOW_MILLISECONDS = 1_000
