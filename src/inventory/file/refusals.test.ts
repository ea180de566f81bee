import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inventoryUnderTest } from '../../../test/contract/plan-inventory.ts'

/** A sound file to put one mistake into. */
const sound = {
  top: '',
  network: '',
  subnet: '',
  subnets: '',
  nic: '',
  server: '',
  servers: '',
}

function lab(mistake: Partial<typeof sound>): string {
  const { top, network, subnet, subnets, nic, server, servers } = { ...sound, ...mistake }
  return `projects: [{name: blue}]
${top}
networks:
  - name: blue
    mtu: 1450
    ${network}
    subnets:
      - name: blue-subnet
        cidr: 10.0.0.0/24
        ${subnet}
${subnets}
servers:
  - name: web-1
    ${server}
    networks:
      - network: blue
        ${nic}
${servers}
`
}

const port = (fields: string) => `  - {name: other, networks: [{network: blue, ${fields}}]}`

const cases: readonly { name: string; text: string; want: readonly RegExp[] }[] = [
  {
    name: 'an empty file',
    text: '# nothing here\n',
    want: [/^lab\.yaml:1:1: is empty; an inventory file is written as a mapping of projects/],
  },
  { name: 'no YAML at all', text: 'servers: [\n', want: [/^lab\.yaml:\d+:\d+: not valid YAML/] },
  {
    name: 'a name given twice in one mapping',
    text: 'projects: []\nservers: []\nprojects: []\n',
    want: [/^lab\.yaml:3:1: "projects" is given twice in one place/],
  },
  {
    name: 'aliases that multiply beyond reason',
    text: `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi'].map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefghi'[i]}`).join(',')}]`).join('\n')}`,
    want: [/^lab\.yaml:1:1: uses YAML aliases without end/],
  },
  {
    name: 'an unknown field, with the one that was meant',
    text: lab({ server: 'falvor: m1.small' }),
    want: [/^lab\.yaml:14:5: servers\[0\]\.falvor: a server has no such field; did you mean "flavor"\?$/],
  },
  {
    name: 'a value of the wrong type',
    text: lab({ server: 'launch_index: first' }),
    want: [/servers\[0\]\.launch_index: is the text "first", and should be a whole number/],
  },
  {
    name: 'a number where text belongs',
    text: lab({ server: 'metadata: {count: 3}' }),
    want: [/servers\[0\]\.metadata\.count: is the number 3, and should be text; write it in quotes: "3"/],
  },
  {
    name: 'a bad range',
    text: 'networks: [{name: n, subnets: [{cidr: 10.0.0.0/33}]}]',
    want: [/networks\[0\]\.subnets\[0\]\.cidr: is the text "10\.0\.0\.0\/33", and should be an address range/],
  },
  {
    name: 'an address outside the subnet',
    text: lab({ nic: 'fixed_ip: 10.0.1.5' }),
    want: [
      /^lab\.yaml:17:9: servers\[0\]\.networks\[0\]\.fixed_ip: 10\.0\.1\.5 is outside blue-subnet \(10\.0\.0\.0\/24\); choose an address from 10\.0\.0\.2 to 10\.0\.0\.254$/,
    ],
  },
  {
    name: 'the gateway',
    text: lab({ nic: 'fixed_ip: 10.0.0.1' }),
    want: [/10\.0\.0\.1 is the gateway of blue-subnet/],
  },
  { name: 'the network address', text: lab({ nic: 'fixed_ip: 10.0.0.0' }), want: [/is the network address of/] },
  { name: 'the broadcast address', text: lab({ nic: 'fixed_ip: 10.0.0.255' }), want: [/is the broadcast address of/] },
  {
    name: 'an address twice',
    text: lab({ nic: 'fixed_ip: 10.0.0.9', servers: port('fixed_ip: 10.0.0.9') }),
    want: [/servers\[1\]\.networks\[0\]\.fixed_ip: 10\.0\.0\.9 is taken by server web-1; 10\.0\.0\.2 is free/],
  },
  {
    name: 'a bad MAC address',
    text: lab({ nic: 'mac_address: fa:16:3e:0:0:1' }),
    want: [/mac_address: is the text "fa:16:3e:0:0:1", and should be six octets/],
  },
  {
    name: 'a MAC address twice on one network',
    text: lab({ nic: 'mac_address: FA-16-3E-00-00-01', servers: port('mac_address: fa:16:3e:00:00:01') }),
    want: [/servers\[1\]\.networks\[0\]\.mac_address: fa:16:3e:00:00:01 is the MAC address of server web-1/],
  },
  {
    name: 'two servers of one name',
    text: lab({ servers: '  - {name: web-1, networks: []}' }),
    want: [/servers\[1\]\.name: "web-1" is the name of servers\[0\] already/],
  },
  {
    name: 'an id twice',
    text: 'networks:\n  - {name: a, id: 6f1e2d3c-4b5a-4968-8776-655443322110}\n  - {name: b, id: 6F1E2D3C-4b5a-4968-8776-655443322110}\n',
    want: [/networks\[1\]\.id: 6f1e2d3c-4b5a-4968-8776-655443322110 is the id of networks\[0\] already/],
  },
  {
    name: 'a reference to nothing, with the one that was meant',
    text: lab({ servers: '  - {name: web-2, networks: [{network: bleu}]}' }),
    want: [/servers\[1\]\.networks\[0\]\.network: there is no network "bleu"; did you mean "blue"\?/],
  },
  {
    name: 'an unknown key',
    text: lab({ server: 'key_name: me' }),
    want: [/servers\[0\]\.key_name: there is no key pair "me"/],
  },
  {
    name: 'a pool outside the subnet',
    text: lab({ subnet: 'allocation_pools: [{start: 10.0.0.9, end: 10.0.1.9}]' }),
    want: [/allocation_pools\[0\]\.end: 10\.0\.1\.9 is outside 10\.0\.0\.0\/24/],
  },
  {
    name: 'pools that overlap, run backwards, or hold the gateway',
    text: lab({
      subnet:
        'allocation_pools: [{start: 10.0.0.9, end: 10.0.0.20}, {start: 10.0.0.15, end: 10.0.0.30}, {start: 10.0.0.50, end: 10.0.0.40}, {start: 10.0.0.1, end: 10.0.0.3}]',
    }),
    want: [
      /pools\[1\].*overlaps the pool 10\.0\.0\.9-10\.0\.0\.20/,
      /pools\[2\].*ends before it starts/,
      /pools\[3\].*holds the gateway/,
    ],
  },
  {
    name: 'a pool that runs backwards, and nothing that follows from it',
    text: lab({ subnet: 'allocation_pools: [{start: 10.0.0.9, end: 10.0.0.3}]', nic: 'fixed_ip: 10.0.1.5' }),
    want: [
      /pools\[0\].*ends before it starts/,
      /fixed_ip: 10\.0\.1\.5 is outside .* from 10\.0\.0\.2 to 10\.0\.0\.254$/,
    ],
  },
  {
    name: 'an address outside the subnet, of a server with another mistake',
    text: lab({
      servers: `  - {name: web-1, networks: [{network: blue, fixed_ip: 10.0.1.5}]}
  - {networks: [{network: blue, fixed_ip: 10.0.1.6}]}`,
    }),
    want: [
      /servers\[1\]\.name: "web-1" is the name of/,
      /servers\[1\]\.networks\[0\]\.fixed_ip: 10\.0\.1\.5 is outside/,
      /servers\[2\]\.name: is missing/,
      /servers\[2\]\.networks\[0\]\.fixed_ip: 10\.0\.1\.6 is outside/,
    ],
  },
  {
    name: 'a pool with nothing left',
    text: lab({ subnet: 'allocation_pools: [{start: 10.0.0.9, end: 10.0.0.9}]' }),
    want: [/servers\[0\]\.networks\[0\]: no free address is left \(blue-subnet \(10\.0\.0\.0\/24\): 10\.0\.0\.9\)/],
  },
  {
    name: 'overlapping subnets on a network',
    text: lab({ subnets: '      - {name: half, cidr: 10.0.0.128/25}' }),
    want: [
      /networks\[0\]\.subnets\[1\]\.cidr: 10\.0\.0\.128\/25 overlaps blue-subnet \(10\.0\.0\.0\/24\) of the same network/,
    ],
  },
  {
    name: 'overlapping subnets on a router',
    text: lab({
      top: 'routers: [{name: r, interfaces: [blue-subnet, two]}]\nsubnets: [{network: two, name: two, cidr: 10.0.0.0/16}]',
    }).replace('networks:\n', 'networks:\n  - {name: two}\n'),
    want: [
      /routers\[0\]\.interfaces\[1\]: two \(10\.0\.0\.0\/16\) overlaps blue-subnet \(10\.0\.0\.0\/24\) on router r/,
    ],
  },
  {
    name: 'user data that is too long',
    text: lab({ server: 'user_data: {file: big.bin}' }),
    want: [/servers\[0\]\.user_data: is 49150 bytes, 65536 characters in base64; at most 65535 \(49149 bytes\)/],
  },
  {
    name: 'user data that cannot be read',
    text: lab({ server: 'user_data: {file: nowhere.sh}' }),
    want: [/servers\[0\]\.user_data\.file: "nowhere\.sh" cannot be read: there is no such file/],
  },
  {
    name: 'user data that is no base64',
    text: lab({ server: 'user_data: {base64: "a?"}' }),
    want: [/user_data\.base64: is not standard base64/],
  },
  {
    name: 'an image that is its own kernel, in two steps',
    text: 'images: [{name: a, kernel_id: b}, {name: b, kernel_id: a}]',
    want: [/images\[0\]\.kernel_id: leads back to "a" itself/, /images\[1\]\.kernel_id: leads back to "b" itself/],
  },
  {
    name: 'metadata with a name or a value out of bounds',
    text: lab({ server: `metadata: {"": x, long: ${'v'.repeat(256)}}` }),
    want: [/metadata\[""\]: is empty/, /metadata\.long: has 256 characters; at most 255/],
  },
  { name: 'an MTU out of bounds', text: lab({}).replace('1450', '20'), want: [/networks\[0\]\.mtu: is the number 20/] },
  {
    name: 'an MTU too small for IPv6',
    text: 'networks: [{name: n, mtu: 1000, subnets: [{cidr: "2001:db8::/64"}]}]',
    want: [/networks\[0\]\.mtu: is 1000; a network with an IPv6 subnet needs at least 1280/],
  },
  {
    name: 'IPv6 modes where they do not belong',
    text: 'networks: [{name: n, subnets: [{cidr: 10.0.0.0/24, ipv6_address_mode: slaac}, {cidr: "2001:db8::/80", ipv6_address_mode: slaac}, {cidr: "2001:db8:1::/64", ipv6_address_mode: slaac, ipv6_ra_mode: dhcpv6-stateful}]}]',
    want: [
      /subnets\[0\]\.ipv6_address_mode: is for IPv6/,
      /subnets\[1\]\.cidr: .* under a \/64 only/,
      /subnets\[2\]\.ipv6_ra_mode: .* equal to/,
    ],
  },
  {
    name: 'several projects and none named',
    text: 'projects: [{name: a}, {name: b}]\nnetworks: [{name: n}]',
    want: [/networks\[0\]: belongs to no project, and the file has several; add "project:" and one of a, b/],
  },
  {
    name: 'a port for two servers',
    text: lab({
      top: 'ports: [{name: p, network: blue}]',
      servers: '  - {name: b, networks: [{port: p}]}\n  - {name: c, networks: [{port: p}]}',
    }),
    want: [/servers\[2\]\.networks\[0\]\.port: port "p" belongs to server b already/],
  },
  {
    name: 'a floating IP on a network that is not external',
    text: lab({ top: 'floating_ips: [{floating_network: blue, server: web-1}]' }),
    want: [/floating_ips\[0\]\.floating_network: network blue is not external/],
  },
]

for (const { name, text, want } of cases) {
  test(`refuses ${name}`, () => {
    const inventory = inventoryUnderTest()
    const problems = inventory.apply(text, { files: { 'big.bin': Buffer.alloc(49_150) } })
    assert.ok(Array.isArray(problems), 'the file was accepted')
    assert.equal(problems.length, want.length, problems.join('\n'))
    for (const [i, pattern] of want.entries()) assert.match(problems[i] ?? '', pattern)
    assert.equal(inventory.records.project.size, 0, 'nothing of a bad file is taken in')
  })
}

test('reports all problems of a file at once, in order of the text', () => {
  const text = lab({
    server: 'falvor: x',
    nic: 'fixed_ip: 10.0.1.5',
    subnets: '      - {name: half, cidr: 10.0.0.128/25}',
    servers: '  - {name: web-2, key_name: me, networks: [{network: bleu}]}',
  })
  const problems = inventoryUnderTest().apply(text)
  assert.deepEqual(Array.isArray(problems) ? problems.map((problem) => problem.split(': ')[1]) : problems, [
    'networks[0].subnets[1].cidr',
    'servers[0].falvor',
    'servers[0].networks[0].fixed_ip',
    'servers[1].key_name',
    'servers[1].networks[0].network',
  ])
})
