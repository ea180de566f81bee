import { createHash } from 'node:crypto'

/** Neutron's namespace for chassis whose name is no UUID: `OVN_METADATA_AGENT` of neutron/agent/ovn/metadata. */
const CHASSIS_NAMESPACE = 'd34bf9f6-da32-4871-9af8-15a4626b41ab'
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Keys of Chassis_Private.external_ids by which Neutron's server sees the agent. */
export const AGENT_ID_KEY = 'neutron:ovn-metadata-id'
export const BRIDGE_KEY = 'neutron:ovn-bridge'
export const SB_CFG_KEY = 'neutron:ovn-metadata-sb-cfg'

/** The id under which Neutron lists the metadata agent of a chassis.
 *  @param systemId  Open_vSwitch.external_ids `system-id`, the chassis's name */
export function metadataAgentId(systemId: string): string {
  const chassis = UUID.test(systemId) ? systemId : uuid5(CHASSIS_NAMESPACE, systemId)
  return uuid5(chassis, 'metadata_agent')
}

/**
 * What has to be written to our chassis's row. Pure. An id that is there stays, as neutron's agent leaves it; the rest is
 * written where it differs.
 * @param nbCfg  SB_Global.nb_cfg: that we name it says that we are alive. undefined: before the first change of it
 */
export function missingRegistration(
  present: ReadonlyMap<string, string>,
  {
    systemId,
    bridge,
    nbCfg,
  }: { readonly systemId: string; readonly bridge: string; readonly nbCfg: number | undefined },
): ReadonlyMap<string, string> {
  const wanted: [string, string][] = [
    [AGENT_ID_KEY, present.get(AGENT_ID_KEY) ?? metadataAgentId(systemId)],
    [BRIDGE_KEY, bridge],
    ...(nbCfg === undefined ? [] : [[SB_CFG_KEY, String(nbCfg)] as [string, string]]),
  ]
  return new Map(wanted.filter(([key, value]) => present.get(key) !== value))
}

/** Upper bound of the random pause before a changed nb_cfg is told on, so that a cloud's chassis do not write at once.
 *  @param agentDownSeconds  Neutron's `agent_down_time` */
export function longestHeartbeatDelaySeconds(agentDownSeconds: number): number {
  return Math.min(Math.max(Math.floor(agentDownSeconds / 3), 3), 10)
}

/** RFC 9562, section 5.5. */
function uuid5(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
