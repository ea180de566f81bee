/** One row of `vendordata_dynamic_targets`. */
export interface Target {
  /** The member of vendor_data2.json its answer becomes. */
  readonly name: string
  readonly url: string
}

export interface Targets {
  readonly targets: readonly Target[]
  /** Rows that are no target, and why: for the operator. */
  readonly skipped: readonly { readonly row: string; readonly reason: string }[]
}

/** Reads rows of `name@url` as Nova does: the first `@` divides (a URL may have more), and a repeated name is skipped. */
export function parseTargets(rows: readonly string[]): Targets {
  const targets: Target[] = []
  const skipped: { row: string; reason: string }[] = []
  for (const row of rows) {
    const [, name, url] = /^([^@]*)@(.*)$/s.exec(row) ?? []
    if (name === undefined || url === undefined) skipped.push({ row, reason: 'it has no name; write name@url' })
    else if (targets.some((target) => target.name === name)) {
      skipped.push({ row: `${name}@${shownUrl(url)}`, reason: 'an earlier target has its name' })
    } else targets.push({ name, url })
  }
  return { targets, skipped }
}

/** A URL without what can be a secret in it: user, password and query. */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? url : `${parsed.protocol}//${parsed.host}${parsed.pathname}${parsed.search && '?...'}`
}
