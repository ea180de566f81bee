import type { Firewall, FirewallTable } from '../../host/namespace.ts'
import { ipVersion } from '../../inventory/records/address.ts'
import { METADATA_IPV4, METADATA_IPV6, METADATA_PORT } from '../metadata-address.ts'
import { EXTERNAL_INGRESS_MARK, type RouterConfig } from './config.ts'
import type { Interface, RouterView, Translation } from './router-view.ts'

/** Names and rules are the L3 agent's (21.0.0), as `iptables-save` prints them, for people and tools that know them. */
const OWN = 'neutron-l3-agent'

/** Of the mark, 16 bits are for what happens to a packet here; the others tell its address scope, of which there is one. */
const MARK_MASK = '0xffff'
const SCOPE_MASK = '0xffff0000'
const SCOPE = `0x4000000/${SCOPE_MASK}`

type Version = 4 | 6
const METADATA = { 4: `${METADATA_IPV4}/32`, 6: `${METADATA_IPV6}/128` } as const

/** The packet filter of one router's namespace. */
export function routerFirewall(view: RouterView, config: RouterConfig): Firewall {
  return { 4: tables(4, view, config), 6: config.hasIpv6 ? tables(6, view, config) : [] }
}

function tables(version: Version, view: RouterView, config: RouterConfig): readonly FirewallTable[] {
  return [
    { name: 'raw', chains: own(['OUTPUT', 'PREROUTING']), rules: jumps(['PREROUTING', 'OUTPUT']) },
    mangle(version, view, config),
    nat(version, view, config),
    filter(version, view, config),
  ]
}

const ALL_HOOKS = ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'] as const

/** Marks what is for the metadata address as it comes in, so that the filter knows it whatever happens to it on the way. */
function mangle(version: Version, view: RouterView, config: RouterConfig): FirewallTable {
  const isIpv4 = version === 4
  const { gateway, floatingIps } = view
  const external = gateway?.device
  const translations = isIpv4 ? floatingIps : []
  return {
    name: 'mangle',
    chains: own([...ALL_HOOKS, 'scope', ...(isIpv4 ? ['float-snat', 'floatingip', 'mark'] : [])]),
    rules: [
      ...jumps(ALL_HOOKS),
      ...(isIpv4 ? [`-A ${OWN}-PREROUTING -j ${OWN}-mark`] : []),
      `-A ${OWN}-PREROUTING -j ${OWN}-scope`,
      `-A ${OWN}-PREROUTING -m connmark ! --mark 0x0/${SCOPE_MASK} -j CONNMARK --restore-mark --nfmask ${SCOPE_MASK} --ctmask ${SCOPE_MASK}`,
      ...(isIpv4 ? [`-A ${OWN}-PREROUTING -j ${OWN}-floatingip`] : []),
      `-A ${OWN}-PREROUTING ${toMetadata(version)} -j MARK --set-xmark ${accessMark(config)}`,
      ...translations.map(({ fixed }) => `-A ${OWN}-FORWARD -s ${fixed}/32 -j ${OWN}-float-snat`),
      ...(isIpv4 && external !== undefined
        ? [
            `-A ${OWN}-POSTROUTING -o ${external} -m connmark --mark 0x0/${SCOPE_MASK} -j CONNMARK --save-mark --nfmask ${SCOPE_MASK} --ctmask ${SCOPE_MASK}`,
            `-A ${OWN}-mark -i ${external} -j MARK --set-xmark ${ingressMark}`,
          ]
        : []),
      ...(isIpv4
        ? [
            `-A ${OWN}-float-snat -m connmark --mark 0x0/${SCOPE_MASK} -j CONNMARK --save-mark --nfmask ${SCOPE_MASK} --ctmask ${SCOPE_MASK}`,
          ]
        : []),
      ...translations.map(({ floating }) => `-A ${OWN}-floatingip -d ${floating}/32 -j MARK --set-xmark ${SCOPE}`),
      ...scoped(version, view).map((device) => `-A ${OWN}-scope -i ${device} -j MARK --set-xmark ${SCOPE}`),
    ],
  }
}

/** What is for the metadata address goes to the proxy; what leaves for outside goes by the gateway's address. */
function nat(version: Version, view: RouterView, config: RouterConfig): FirewallTable {
  const redirect = config.enableMetadataProxy
    ? [`-A ${OWN}-PREROUTING ${toMetadata(version)} -j REDIRECT --to-ports ${config.metadataPort}`]
    : []
  if (version === 6) return { name: 'nat', chains: own(['PREROUTING']), rules: [...jumps(['PREROUTING']), ...redirect] }
  const bottom = 'neutron-postrouting-bottom'
  return {
    name: 'nat',
    chains: [...own(['OUTPUT', 'POSTROUTING', 'PREROUTING', 'float-snat', 'snat']), bottom],
    rules: [
      ...jumps(['PREROUTING', 'OUTPUT', 'POSTROUTING']),
      `-A POSTROUTING -j ${bottom}`,
      ...redirect,
      ...view.floatingIps.flatMap(destinationRules),
      ...view.floatingIps.map(
        ({ floating, fixed }) => `-A ${OWN}-float-snat -s ${fixed}/32 -j SNAT --to-source ${floating} --random-fully`,
      ),
      `-A ${OWN}-snat -j ${OWN}-float-snat`,
      ...gatewayRules(view),
      `-A ${bottom} -m comment --comment "Perform source NAT on outgoing traffic." -j ${OWN}-snat`,
    ],
  }
}

function destinationRules({ floating, fixed }: Translation): readonly string[] {
  return ['PREROUTING', 'OUTPUT'].map((hook) => `-A ${OWN}-${hook} -d ${floating}/32 -j DNAT --to-destination ${fixed}`)
}

/** With `enable_snat` off, only what reaches a floating IP from within goes by the gateway's address, since the answer
 *  would not come back through here otherwise. */
function gatewayRules({ gateway, router }: RouterView): readonly string[] {
  const address = gateway?.addresses.find((each) => ipVersion(each.address) === 4)?.address
  if (gateway === undefined || address === undefined) return []
  const toSource = `-j SNAT --to-source ${address} --random-fully`
  return [
    `-A ${OWN}-POSTROUTING ! -o ${gateway.device} -m conntrack ! --ctstate DNAT -j ACCEPT`,
    ...(router?.externalGateway?.enableSnat ? [`-A ${OWN}-snat -o ${gateway.device} ${toSource}`] : []),
    `-A ${OWN}-snat -m mark ! --mark ${ingressMark} -m conntrack --ctstate DNAT ${toSource}`,
  ]
}

/**
 * Only what was marked reaches the proxy's port, so nobody reaches it directly.
 *
 * What was marked never leaves the router, even where nothing redirects it (enable_metadata_proxy off). The L3 agent has
 * this rule at the router's creation and loses it at its first processing; here it stays.
 */
function filter(version: Version, view: RouterView, config: RouterConfig): FirewallTable {
  const { gateway, router, interfaces } = view
  const isTranslated = version === 4 && router?.externalGateway?.enableSnat === true
  const closed = scoped(version, view).filter((device) => !(isTranslated && device === gateway?.device))
  return {
    name: 'filter',
    chains: ['neutron-filter-top', ...own(['FORWARD', 'INPUT', 'OUTPUT', 'local', 'scope'])],
    rules: [
      `-A INPUT -j ${OWN}-INPUT`,
      ...['FORWARD', 'OUTPUT'].flatMap((hook) => [`-A ${hook} -j neutron-filter-top`, `-A ${hook} -j ${OWN}-${hook}`]),
      `-A neutron-filter-top -j ${OWN}-local`,
      ...interfaces
        .filter(({ isFormer }) => isFormer)
        .flatMap(({ device }) => [`-A ${OWN}-FORWARD -i ${device} -j DROP`, `-A ${OWN}-FORWARD -o ${device} -j DROP`]),
      `-A ${OWN}-FORWARD -j ${OWN}-scope`,
      ...(config.enableMetadataProxy
        ? [
            `-A ${OWN}-INPUT -m mark --mark ${accessMark(config)} -j ACCEPT`,
            `-A ${OWN}-INPUT -p tcp -m tcp --dport ${config.metadataPort} -j DROP`,
          ]
        : []),
      `-A ${OWN}-scope -m mark --mark ${accessMark(config)} -j DROP`,
      ...closed.map((device) => `-A ${OWN}-scope -o ${device} -m mark ! --mark ${SCOPE} -j DROP`),
    ],
  }
}

/** Devices with an address of the family, but for those that forward nothing any more. */
function scoped(version: Version, { interfaces, gateway }: RouterView): readonly string[] {
  const all: readonly Interface[] = gateway === undefined ? interfaces : [...interfaces, gateway]
  return all
    .filter(({ isFormer, addresses }) => !isFormer && addresses.some(({ address }) => ipVersion(address) === version))
    .map(({ device }) => device)
}

function toMetadata(version: Version): string {
  return `-d ${METADATA[version]} -i qr-+ -p tcp -m tcp --dport ${METADATA_PORT}`
}

function accessMark({ metadataAccessMark }: RouterConfig): string {
  return markText(metadataAccessMark)
}

const ingressMark = markText(EXTERNAL_INGRESS_MARK)

function markText(mark: number): string {
  return `0x${mark.toString(16)}/${MARK_MASK}`
}

function own(chains: readonly string[]): readonly string[] {
  return chains.map((chain) => `${OWN}-${chain}`)
}

function jumps(hooks: readonly string[]): readonly string[] {
  return hooks.map((hook) => `-A ${hook} -j ${OWN}-${hook}`)
}
