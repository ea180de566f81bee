import { answered, type OvnWard } from './ovn-ward.ts'

/** One way to break something of OVN, and back. */
export interface OvnInjection {
  /** What `explain` must call it. */
  readonly fault: string
  /** What it must name besides: several things are broken at once. */
  readonly also?: readonly string[]
  readonly how: string
  readonly patient: string
  /** Who stays healthy; absent: everybody here is ill by it. */
  readonly neighbour?: string
  readonly inject: (ward: OvnWard) => unknown
  readonly heal: (ward: OvnWard) => unknown
}

/** Bound, and answered. */
export async function healthy(ward: OvnWard, name: string): Promise<void> {
  await ward.cloud.sb('wait-until', 'Port_Binding', name, 'up=true')
  await answered(ward, name)
}
