import type { Schema } from '@cfworker/json-schema'

/**
 * The form of network_data.json, as a JSON schema: what Nova, ironic and other producers write, and nothing looser.
 *
 * Nova publishes a schema of its own that rejects three things Nova sends (measured on 26.2.2). Here they fit:
 *  1. a host route to one address: netmask 255.255.255.255;
 *  2. the network types `ipv6_dhcpv6-stateful` and `ipv6_dhcpv6-stateless`;
 *  3. `{}`, the document of an instance without interfaces.
 *
 * What a schema cannot say: `link`, `bond_links` and `vlan_link` name the `id` of a link in the same document.
 */
export const networkDataSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'network_data.json',
  type: 'object',
  anyOf: [{ maxProperties: 0 }, { required: ['links', 'networks', 'services'] }],
  properties: {
    links: { type: 'array', items: { $ref: '#/$defs/link' } },
    networks: { type: 'array', items: { $ref: '#/$defs/network' } },
    services: { $ref: '#/$defs/services' },
  },
  additionalProperties: false,

  $defs: {
    id: { type: 'string', minLength: 1 },
    mac: { type: 'string', pattern: '^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$' },
    /** Bytes; null leaves it to DHCP. */
    mtu: { type: ['integer', 'null'], minimum: 68, maximum: 65_535 },
    ipv4: { type: 'string', format: 'ipv4' },
    ipv6: { type: 'string', format: 'ipv6' },
    /** One bits, then zero bits: all 33 of them, the lone host and the default route included. */
    ipv4Mask: {
      type: 'string',
      pattern:
        '^((0|128|192|224|240|248|252|254)\\.0\\.0\\.0|255\\.(0|128|192|224|240|248|252|254)\\.0\\.0' +
        '|255\\.255\\.(0|128|192|224|240|248|252|254)\\.0|255\\.255\\.255\\.(0|128|192|224|240|248|252|254|255))$',
    },

    link: { oneOf: [{ $ref: '#/$defs/nic' }, { $ref: '#/$defs/bond' }, { $ref: '#/$defs/vlan' }] },
    /** One interface. Every binding without a name of its own is `phy`; ironic's members of a bond are, without `vif_id`. */
    nic: {
      type: 'object',
      required: ['id', 'type', 'ethernet_mac_address'],
      properties: {
        id: { $ref: '#/$defs/id' },
        vif_id: { $ref: '#/$defs/id' },
        type: { enum: ['bridge', 'dvs', 'hw_veb', 'hyperv', 'ovs', 'phy', 'tap', 'vhostuser', 'vif'] },
        mtu: { $ref: '#/$defs/mtu' },
        ethernet_mac_address: { $ref: '#/$defs/mac' },
      },
      additionalProperties: false,
    },
    /** A port group of ironic. Its further settings (`bond_miimon`, `bond_xmit_hash_policy`, ...) are the kernel's. */
    bond: {
      type: 'object',
      required: ['id', 'type', 'bond_links'],
      properties: {
        id: { $ref: '#/$defs/id' },
        vif_id: { $ref: '#/$defs/id' },
        type: { const: 'bond' },
        mtu: { $ref: '#/$defs/mtu' },
        ethernet_mac_address: { $ref: '#/$defs/mac' },
        bond_links: { type: 'array', items: { $ref: '#/$defs/id' }, minItems: 1, uniqueItems: true },
        bond_mode: {
          enum: ['802.3ad', 'active-backup', 'balance-alb', 'balance-rr', 'balance-tlb', 'balance-xor', 'broadcast'],
        },
      },
      patternProperties: { '^bond_': true },
      additionalProperties: false,
    },
    /** A tagged link upon another one. Nova never writes it; cloud-init and others read it. */
    vlan: {
      type: 'object',
      required: ['id', 'type', 'vlan_link', 'vlan_id', 'vlan_mac_address'],
      properties: {
        id: { $ref: '#/$defs/id' },
        vif_id: { $ref: '#/$defs/id' },
        type: { const: 'vlan' },
        mtu: { $ref: '#/$defs/mtu' },
        ethernet_mac_address: { $ref: '#/$defs/mac' },
        vlan_link: { $ref: '#/$defs/id' },
        vlan_id: { type: 'integer', minimum: 1, maximum: 4094 },
        vlan_mac_address: { $ref: '#/$defs/mac' },
      },
      additionalProperties: false,
    },

    network: {
      oneOf: [
        { $ref: '#/$defs/dhcpNetwork' },
        fullNetwork(['ipv4'], 'ipv4', 'ipv4Mask'),
        fullNetwork(['ipv6', 'ipv6_slaac', 'ipv6_dhcpv6-stateful', 'ipv6_dhcpv6-stateless'], 'ipv6', 'ipv6'),
      ],
    },
    /** Everything else is for the DHCP server to say. */
    dhcpNetwork: {
      type: 'object',
      required: ['id', 'type', 'link', 'network_id'],
      properties: {
        id: { $ref: '#/$defs/id' },
        type: { enum: ['ipv4_dhcp', 'ipv6_dhcp'] },
        link: { $ref: '#/$defs/id' },
        network_id: { $ref: '#/$defs/id' },
      },
      additionalProperties: false,
    },

    services: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'address'],
        properties: {
          type: { const: 'dns' },
          address: { anyOf: [{ $ref: '#/$defs/ipv4' }, { $ref: '#/$defs/ipv6' }] },
        },
        additionalProperties: false,
      },
    },
  },
}

/** A network that carries its address, also where the guest computes it (SLAAC) or asks for it (DHCPv6). IPv6 masks have
 *  the form of an address, never of a number. */
function fullNetwork(types: readonly string[], address: string, mask: string): Schema {
  const of = { $ref: `#/$defs/${address}` }
  const ofMask = { $ref: `#/$defs/${mask}` }
  return {
    type: 'object',
    required: ['id', 'type', 'link', 'ip_address', 'netmask', 'routes', 'network_id', 'services'],
    properties: {
      id: { $ref: '#/$defs/id' },
      type: { enum: [...types] },
      link: { $ref: '#/$defs/id' },
      ip_address: of,
      netmask: ofMask,
      routes: {
        type: 'array',
        items: {
          type: 'object',
          required: ['network', 'netmask', 'gateway'],
          properties: { network: of, netmask: ofMask, gateway: of },
          additionalProperties: false,
        },
      },
      network_id: { $ref: '#/$defs/id' },
      services: { $ref: '#/$defs/services' },
    },
    additionalProperties: false,
  }
}
