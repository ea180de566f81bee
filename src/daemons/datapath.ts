import { desiredState } from '../datapath/desired.ts'
import { DHCP_DEFAULTS, type DhcpConfig } from '../datapath/dhcp/config.ts'
import { DHCP_PREFIX, DHCP_SYSCTLS, DHCP_SYSCTLS_IPV6 } from '../datapath/dhcp/namespace.ts'
import { Reconciler } from '../datapath/reconciler.ts'
import { hasIpv6 } from '../host/ipv6.ts'
import { KernelHost } from '../host/kernel-host.ts'
import type { NamespaceSockets } from '../host/listeners.ts'
import type { Inventory } from '../inventory/store.ts'
import type { Log } from '../observe/log.ts'
import type { StateDirectory } from './state-directory.ts'

/** The options of the DHCP path, under dhcp_agent.ini's names. */
export interface DhcpValues {
  readonly enable_isolated_metadata: boolean
  readonly force_metadata: boolean
  readonly dhcp_lease_duration: number
  readonly dns_domain: string
}

/** Keeps this machine's bridges and DHCP namespaces as the inventory wants them. */
export interface RunningDatapath {
  readonly reconciler: Reconciler
  /** Ends looking. Namespaces and their dnsmasq stay for the next run to adopt. */
  close(): Promise<void>
  /** Removes everything of ours, then closes. */
  teardown(): Promise<void>
}

export function openDatapath(
  state: StateDirectory,
  inventory: Inventory,
  values: DhcpValues,
  sockets: NamespaceSockets,
  log: Log,
): RunningDatapath {
  const config = dhcpConfig(state, values)
  const host = new KernelHost({
    netnsPrefixes: [DHCP_PREFIX],
    bridgePrefix: 'brq',
    statePath: state.path,
    sysctls: Object.keys({ ...DHCP_SYSCTLS, ...DHCP_SYSCTLS_IPV6 }),
    sockets,
    warn: (what) => log.warn({ what }, 'datapath'),
  })
  const reconciler = new Reconciler({ inventory, desired: (records) => desiredState(records, config), host, log })
  return {
    reconciler,
    close: async () => {
      await reconciler.stop()
      host.close()
    },
    teardown: async () => {
      await reconciler.teardown()
      await host.settle()
      host.close()
    },
  }
}

function dhcpConfig(state: StateDirectory, values: DhcpValues): DhcpConfig {
  return {
    ...DHCP_DEFAULTS,
    enableIsolatedMetadata: values.enable_isolated_metadata,
    forceMetadata: values.force_metadata,
    dhcpLeaseDuration: values.dhcp_lease_duration,
    dnsDomain: values.dns_domain,
    statePath: state.path,
    hasIpv6: hasIpv6(),
  }
}
