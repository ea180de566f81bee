/** An OVSDB client: RFC 7047 with Open vSwitch's extensions. See README.md. */
export { type OvsdbClient, type OvsdbOptions, openOvsdb, type Status } from './client.ts'
export type { Clock } from './clock.ts'
export {
  boolean,
  type Column,
  type Columns,
  ifPresent,
  integer,
  map,
  optional,
  type Row,
  real,
  reference,
  set,
  text,
  type Uuid,
} from './column.ts'
export type { Clause, Comparison } from './condition.ts'
export {
  Disconnected,
  NotConnected,
  ProtocolError,
  RequestRefused,
  SchemaMismatch,
  TransactionFailed,
  UnknownOutcome,
} from './errors.ts'
export type { JsonLimits } from './json-stream.ts'
export type { Lock, LockOptions } from './locks.ts'
export type { MonitorMethod } from './monitor.ts'
export {
  assertLock,
  comment,
  insert,
  type Mutation,
  type Mutator,
  mutate,
  type Operation,
  remove,
  select,
  update,
  type WrittenRow,
  wait,
} from './operation.ts'
export { formatRemote, parseRemotes, type Remote } from './remote.ts'
export type { Change, Changes, Rows } from './replica.ts'
export { type AnyTable, type IndexKey, type RowOf, type Table, table } from './table.ts'
export type { TlsMaterial, TlsSource } from './transport.ts'
export { type NamedUuid, named, type Written } from './wire.ts'
