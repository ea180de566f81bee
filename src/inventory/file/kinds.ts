import {
  type Cidr,
  type IpAddress,
  lastAddress,
  type MacAddress,
  networkAddress,
  parseCidr,
  parseIpAddress,
  parseMacAddress,
} from '../records/address.ts'
import type { Properties } from '../records/properties.ts'
import { describe, type Kind } from './shape.ts'

/** Text of a length. A number or boolean is not taken for text: YAML has lost how it was written (`1.0`, `0x1f`, `010`). */
export function text({ min = 0, max = 255 }: { readonly min?: number; readonly max?: number } = {}): Kind<string> {
  return {
    name: max === Number.POSITIVE_INFINITY ? 'text' : `text (${min} to ${max} characters)`,
    read(value, path, { report }) {
      const found = typeof value === 'string' ? value : undefined
      const problem =
        found === undefined
          ? `is ${describe(value)}, and should be text${typeof value === 'object' ? '' : `; write it in quotes: "${value}"`}`
          : lengthProblem(found, min, max)
      if (problem !== undefined) report(path, problem)
      return problem === undefined ? found : undefined
    },
  }
}

function lengthProblem(value: string, min: number, max: number): string | undefined {
  const length = [...value].length
  if (length < min) return `is empty, and should have at least ${min} character${min === 1 ? '' : 's'}`
  if (length > max) return `has ${length} characters; at most ${max} are allowed`
  return undefined
}

/** Text that `parse` understands. @param hint  what would be right, with an example */
export function parsed<T>(name: string, hint: string, parse: (value: string) => T | undefined): Kind<T> {
  return {
    name,
    read(value, path, { report }) {
      const found = typeof value === 'string' ? parse(value) : undefined
      if (found === undefined) report(path, `is ${describe(value)}, and should be ${hint}`)
      return found
    },
  }
}

export const ipAddress: Kind<IpAddress> = parsed(
  'IP address',
  'an IPv4 or IPv6 address such as 10.0.0.5',
  parseIpAddress,
)

export const cidr: Kind<Cidr> = parsed(
  'address range',
  'an address range such as 10.0.0.0/24 or 2001:db8::/64',
  parseCidr,
)

/** An address, or all of a range. A range of one address is that address. */
export const addressOrRange: Kind<IpAddress | Cidr> = parsed(
  'IP address or range',
  'an address or a range such as 10.0.0.5 or 10.1.0.0/16',
  (value) => {
    const range = value.includes('/') ? parseCidr(value) : undefined
    if (range === undefined) return parseIpAddress(value)
    return networkAddress(range) === lastAddress(range) ? networkAddress(range) : range
  },
)

export const macAddress: Kind<MacAddress> = parsed(
  'MAC address',
  'six octets such as fa:16:3e:00:00:01, not a group address',
  (value) => {
    const mac = parseMacAddress(value)
    // The lowest bit of the first octet marks a group: no interface can have such an address.
    return mac !== undefined && Number.parseInt(mac.slice(0, 2), 16) % 2 === 0 ? mac : undefined
  },
)

export const uuid: Kind<string> = parsed('UUID', 'a UUID such as 6f1e2d3c-4b5a-4968-8776-655443322110', (value) => {
  const id = value.toLowerCase()
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : undefined
})

/** Keystone's form: 32 hexadecimal digits. A UUID with hyphens is the same id. */
export const projectId: Kind<string> = parsed('project id', 'the 32 hexadecimal digits of a project id', (value) => {
  const id = value.toLowerCase().replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined
})

export const reservationId: Kind<string> = parsed(
  'reservation id',
  '"r-" and 8 of the characters 0-9 and a-z',
  (value) => (/^r-[0-9a-z]{8}$/.test(value) ? value : undefined),
)

/** The number behind an EC2 style id, given as that or as the text with one of these prefixes. */
export function ec2Number(...prefixes: readonly string[]): Kind<number> {
  const pattern = new RegExp(`^(?:${prefixes.join('|')})-([0-9a-f]{8,12})$`)
  const example = `${prefixes[0]}-0000000f`
  return {
    name: `EC2 id (\`${example}\`) or its number`,
    read(value, path, { report }) {
      const digits = typeof value === 'string' ? pattern.exec(value)?.[1] : undefined
      const number = digits === undefined ? value : Number.parseInt(digits, 16)
      if (typeof number === 'number' && Number.isInteger(number) && number >= 1 && number < 2 ** 31) return number
      report(
        path,
        `is ${describe(value)}, and should be an id such as ${example}, or its number from 1 to ${2 ** 31 - 1}`,
      )
      return undefined
    },
  }
}

export function integer(min: number, max: number = 2 ** 31 - 1): Kind<number> {
  return {
    name: `whole number (${min} to ${max})`,
    read(value, path, { report }) {
      if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
      report(path, `is ${describe(value)}, and should be a whole number from ${min} to ${max}`)
      return undefined
    },
  }
}

export const flag: Kind<boolean> = {
  name: 'true or false',
  read(value, path, { report }) {
    if (typeof value === 'boolean') return value
    report(path, `is ${describe(value)}, and should be true or false`)
    return undefined
  },
}

export function choice<const T extends string>(...values: readonly T[]): Kind<T> {
  return parsed(values.map((value) => `\`${value}\``).join(', '), `one of ${values.join(', ')}`, (value) =>
    values.find((known) => known === value),
  )
}

/** The name or the id of a record. Whether there is one is found out later, when all names are known. */
export function reference(noun: string): Kind<string> {
  return { ...text({ min: 1 }), isReference: true, name: `name or id of ${noun === 'image' ? 'an' : 'a'} ${noun}` }
}

/** Names and values in the order of the file, which is the order guests see. */
export function properties({ max }: { readonly max: number }): Kind<Properties> {
  const name = text({ min: 1, max: 255 })
  const content = text({ max: 255 })
  return {
    name: 'mapping of text to text (255 characters each)',
    read(value, path, reading) {
      if (!(value instanceof Map)) {
        reading.report(path, `is ${describe(value)}, and should be a mapping of names to texts`)
        return undefined
      }
      if (value.size > max) reading.report(path, `has ${value.size} entries; at most ${max} are allowed`)
      return [...value].flatMap(([key, item]) => {
        const at = [...path, String(key)]
        const pair = [name.read(key, at, reading), content.read(item, at, reading)] as const
        return pair[0] === undefined || pair[1] === undefined ? [] : [[pair[0], pair[1]] as const]
      })
    },
  }
}
