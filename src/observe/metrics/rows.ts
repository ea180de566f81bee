import type { LabelName } from './labels.ts'

/** One metric. The registry, docs/metrics.md and the test of the dashboard are drawn from these rows. */
export interface MetricRow {
  /** By Prometheus' conventions: the unit in the name, `_total` for counters. */
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly LabelName[]
  /** Upper bounds of a histogram, rising. */
  readonly buckets?: readonly number[]
}

/** A request takes tens of microseconds in one process and some milliseconds over three; a hold up to 8 s. */
const REQUEST_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10]
const HOLD_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2, 4, 8]
/** A quiet pass takes milliseconds, the first one of a thousand networks many seconds. */
const PASS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60]
const VENDOR_DATA_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export const METRICS = {
  requests: {
    name: 'firstboot_requests_total',
    kind: 'counter',
    help: 'Requests answered, by kind of document, method and status.',
    labels: ['path', 'method', 'status'],
  },
  requestSeconds: {
    name: 'firstboot_request_duration_seconds',
    kind: 'histogram',
    help: 'From a request’s arrival to its answer, by kind of document.',
    labels: ['path'],
    buckets: REQUEST_SECONDS,
  },
  stageSeconds: {
    name: 'firstboot_request_stage_duration_seconds',
    kind: 'histogram',
    help: 'Where requests spend their time: one stage of the way each.',
    labels: ['stage'],
    buckets: REQUEST_SECONDS,
  },
  problems: {
    name: 'firstboot_request_problems_total',
    kind: 'counter',
    help: 'Requests that did not get a document, by our name for what was wrong; not-ready is a 503 while the state is unknown.',
    labels: ['problem'],
  },
  resolutions: {
    name: 'firstboot_resolutions_total',
    kind: 'counter',
    help: 'How finding the instance behind a request ended.',
    labels: ['outcome'],
  },
  portLookups: {
    name: 'firstboot_port_directory_lookups_total',
    kind: 'counter',
    help: 'Questions to the port directory, by whether its cache knew.',
    labels: ['cache'],
  },
  holds: {
    name: 'firstboot_holds_total',
    kind: 'counter',
    help: 'Requests held while the state was not known, by whether they could be answered in the end.',
    labels: ['held'],
  },
  holdSeconds: {
    name: 'firstboot_hold_duration_seconds',
    kind: 'histogram',
    help: 'How long requests were held while the state was not known.',
    labels: [],
    buckets: HOLD_SECONDS,
  },
  limits: {
    name: 'firstboot_limited_requests_total',
    kind: 'counter',
    help: 'Requests the limiter delayed or refused with 429.',
    labels: ['limit'],
  },
  limitSeconds: {
    name: 'firstboot_limiter_delay_seconds_total',
    kind: 'counter',
    help: 'Time for which the limiter made requests wait.',
    labels: [],
  },
  vendorDataCalls: {
    name: 'firstboot_vendor_data_calls_total',
    kind: 'counter',
    help: 'Questions to the targets of dynamic vendor data; busy ones were not put since too many others were waiting.',
    labels: ['target', 'answer'],
  },
  vendorDataSeconds: {
    name: 'firstboot_vendor_data_call_duration_seconds',
    kind: 'histogram',
    help: 'How long a target of dynamic vendor data took, failures included.',
    labels: ['target'],
    buckets: VENDOR_DATA_SECONDS,
  },
  passes: {
    name: 'firstboot_reconcile_passes_total',
    kind: 'counter',
    help: 'Comparisons of this machine with the inventory, or with what OVN’s databases say: nothing to do, changed something, or failed somewhere.',
    labels: ['result'],
  },
  passSeconds: {
    name: 'firstboot_reconcile_pass_duration_seconds',
    kind: 'histogram',
    help: 'How long a pass took, with all it did.',
    labels: [],
    buckets: PASS_SECONDS,
  },
  lastPass: {
    name: 'firstboot_reconcile_last_success_timestamp_seconds',
    kind: 'gauge',
    help: 'When a pass last ended without a failure, in seconds since 1970; 0 when none has.',
    labels: [],
  },
  commands: {
    name: 'firstboot_reconcile_commands_total',
    kind: 'counter',
    help: 'What reconciling did to this machine, by command and whether it succeeded.',
    labels: ['command', 'done'],
  },
  drift: {
    name: 'firstboot_drift_total',
    kind: 'counter',
    help: 'Changes of what is ours behind our back that announced themselves.',
    labels: ['drift'],
  },
  restarts: {
    name: 'firstboot_program_restarts_total',
    kind: 'counter',
    help: 'Programs that ended by themselves and were started again.',
    labels: ['program'],
  },
  networks: {
    name: 'firstboot_networks',
    kind: 'gauge',
    help: 'Networks served from this host.',
    labels: [],
  },
  namespaces: {
    name: 'firstboot_namespaces',
    kind: 'gauge',
    help: 'Network namespaces this host should have of ours.',
    labels: [],
  },
  ports: {
    name: 'firstboot_ports',
    kind: 'gauge',
    help: 'Ports of instances on the networks served.',
    labels: [],
  },
  unserved: {
    name: 'firstboot_networks_unserved',
    kind: 'gauge',
    help: 'Networks with guests on this chassis of OVN that cannot be served; `firstboot datapath status` says why.',
    labels: [],
  },
  databaseSynchronized: {
    name: 'firstboot_ovsdb_synchronized',
    kind: 'gauge',
    help: 'Whether what is known of this database is what its server says: 1, or 0 while it cannot be reached or is being read.',
    labels: ['database'],
  },
  databaseSynchronizations: {
    name: 'firstboot_ovsdb_synchronizations_total',
    kind: 'counter',
    help: 'Connections to a server of this database that came to be synchronized, by how it is followed.',
    labels: ['database', 'monitor'],
  },
  databaseRows: {
    name: 'firstboot_ovsdb_rows',
    kind: 'gauge',
    help: 'Rows of this table that are followed, and kept in memory.',
    labels: ['database', 'table'],
  },
  recorderDropped: {
    name: 'firstboot_flight_records_dropped_total',
    kind: 'counter',
    help: 'Requests the flight recorder gave up: the disk was full or too slow.',
    labels: [],
  },
  loop: {
    name: 'firstboot_event_loop_utilization_ratio',
    kind: 'gauge',
    help: 'Part of the time since the last reading in which the event loop was busy; near 1 guests wait.',
    labels: [],
  },
  build: {
    name: 'firstboot_build_info',
    kind: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: ['version', 'node_version'],
  },
  cpuSeconds: {
    name: 'process_cpu_seconds_total',
    kind: 'counter',
    help: 'CPU time of this process, user and system.',
    labels: [],
  },
  residentBytes: {
    name: 'process_resident_memory_bytes',
    kind: 'gauge',
    help: 'Memory of this process that is in RAM.',
    labels: [],
  },
  openDescriptors: {
    name: 'process_open_fds',
    kind: 'gauge',
    help: 'Open file descriptors.',
    labels: [],
  },
  maxDescriptors: {
    name: 'process_max_fds',
    kind: 'gauge',
    help: 'How many file descriptors may be open.',
    labels: [],
  },
  started: {
    name: 'process_start_time_seconds',
    kind: 'gauge',
    help: 'When this process started, in seconds since 1970.',
    labels: [],
  },
} as const satisfies Readonly<Record<string, MetricRow>>

export type MetricName = keyof typeof METRICS
