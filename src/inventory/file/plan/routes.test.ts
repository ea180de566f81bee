import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inventoryUnderTest } from '../../../../test/contract/plan-inventory.ts'

const lab = (routes: string, interfaces = '[in, {port: p}]', gateway = 'outside') => `
networks:
  - {name: n, subnets: [{name: in, cidr: 10.0.0.0/24}]}
  - {name: m, subnets: [{name: by-port, cidr: 10.1.0.0/24}, {name: elsewhere, cidr: 10.9.0.0/24}]}
  - {name: outside, 'router:external': true, subnets: [{name: out, cidr: 203.0.113.0/24}]}
ports: [{name: p, network: m, fixed_ips: [{ip_address: 10.1.0.7}]}]
routers:
  - name: r
    interfaces: ${interfaces}
    external_gateway_info: {network: ${gateway}}
    routes: [${routes}]
`
const by = (nexthop: string) => `{destination: 192.0.2.0/24, nexthop: '${nexthop}'}`
const LOST =
  /^lab\.yaml:\d+:\d+: routers\[0\]\.routes\[0\]\.nexthop: 10\.9\.0\.1 cannot be reached by router r: it is on 10\.\S+, \S+, \S+; give it an interface there/

const cases: readonly { name: string; text: string; want: readonly RegExp[] }[] = [
  { name: 'on a subnet that is an interface', text: lab(by('10.0.0.9')), want: [] },
  { name: 'on the subnet of a port that is an interface', text: lab(by('10.1.0.9')), want: [] },
  { name: 'on the external network', text: lab(by('203.0.113.9')), want: [] },
  { name: 'on a subnet of another network, beside one that is right', text: lab(by('10.9.0.1')), want: [LOST] },
  {
    name: 'that is the router itself',
    text: lab(by('10.0.0.1')),
    want: [/10\.0\.0\.1 is an address of router r itself/],
  },
  {
    name: 'of a router that has no interface',
    text: `routers: [{name: r, routes: [${by('10.0.0.9')}]}]`,
    want: [/10\.0\.0\.9 cannot be reached by router r: it has no interface/],
  },
  {
    name: 'on an interface that could not be made: only that is said',
    text: lab(by('10.0.0.9'), '[inn]'),
    want: [/interfaces\[0\].*"inn"/],
  },
  {
    name: 'on a gateway that could not be: only that is said',
    text: lab(by('203.0.113.9'), '[]', 'n'),
    want: [/external/],
  },
]

for (const { name, text, want } of cases)
  test(`a route with a next hop ${name}`, () => {
    const outcome = inventoryUnderTest().apply(text)
    const problems = Array.isArray(outcome) ? outcome : []
    assert.equal(problems.length, want.length, problems.join('\n'))
    for (const [i, pattern] of want.entries()) assert.match(problems[i] ?? '', pattern)
  })
