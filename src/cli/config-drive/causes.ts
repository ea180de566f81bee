import type { Verdict } from './compare-http.ts'

/** What of a server makes which document stale. The first row that fits says it. */
const CAUSES: readonly { readonly path: RegExp; readonly member?: RegExp; readonly says: string }[] = [
  { path: /\/meta_data\.json$/, member: /^meta\b/, says: 'its properties (metadata) changed' },
  { path: /\/meta_data\.json$/, member: /^(public_keys|keys)\b/, says: 'its key pair changed' },
  { path: /\/meta_data\.json$/, member: /^hostname$/, says: 'its host name changed, or dhcp_domain' },
  { path: /\/meta_data\.json$/, member: /^admin_pass$/, says: 'its admin password changed' },
  { path: /\/meta_data\.json$/, member: /^files\b/, says: 'its injected files changed' },
  { path: /\/meta_data\.json$/, member: /^network_config\b/, says: 'its network template came or went' },
  { path: /\/meta_data\.json$/, member: /^devices\b/, says: 'its devices changed' },
  { path: /\/network_data\.json$/, says: 'its ports, their subnets or networks changed' },
  { path: /\/user[-_]data$/, says: 'its user data changed' },
  { path: /\/vendor_data2?\.json$/, says: 'the vendor data changed' },
  { path: /\/content\/\d+$/, says: 'its injected files or its network template changed' },
  { path: /\/meta-data\.json$/, member: /^(local|public)-ipv4$/, says: 'its fixed or floating IPs changed' },
  { path: /\/meta-data\.json$/, member: /^public-keys\b/, says: 'its key changed' },
  { path: /\/meta-data\.json$/, member: /hostname$/, says: 'its host name changed, or dhcp_domain' },
  { path: /\/meta-data\.json$/, member: /^security-groups/, says: 'the security groups of its ports changed' },
  { path: /\/meta-data\.json$/, member: /^instance-type$/, says: 'its flavor changed' },
]

const OPTIONS = 'the drive was built with other options (release, config_drive_skip_versions, vendordata_providers)'

/** Why documents are not what they were, each reason once, with the members it is about. */
export function causesOf(...verdicts: readonly Verdict[]): string[] {
  const byReason = Map.groupBy(verdicts.flatMap(reasonsOf), ({ reason }) => reason)
  return [...byReason].map(([reason, found]) => {
    const members = [...new Set(found.flatMap(({ member }) => member ?? []))]
    return members.length === 0 ? reason : `${reason} (${shortened(members)})`
  })
}

function reasonsOf({ path, state, differences }: Verdict): readonly { reason: string; member: string | null }[] {
  if (state === 'same') return []
  const whole = CAUSES.find((cause) => cause.path.test(path) && cause.member === undefined)
  if (differences.length === 0)
    return [{ reason: whole !== undefined && !/vendor_data/.test(path) ? whole.says : OPTIONS, member: null }]
  return differences.map(({ member }) => ({ reason: reasonFor(path, member ?? ''), member }))
}

function reasonFor(path: string, member: string): string {
  const cause = CAUSES.find((each) => each.path.test(path) && (each.member?.test(member) ?? true))
  return cause?.says ?? 'its record changed'
}

const MEMBERS_SHOWN = 4

function shortened(members: readonly string[]): string {
  const rest = members.length - MEMBERS_SHOWN
  return `${members.slice(0, MEMBERS_SHOWN).join(', ')}${rest > 0 ? `, ${rest} more` : ''}`
}
