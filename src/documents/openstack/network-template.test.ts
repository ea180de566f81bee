import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cidr,
  exampleContext,
  exampleInstance,
  exampleInterface,
  exampleSubnet,
  fixedIp,
  ip,
} from '../../../test/nova-example.ts'
import { contents } from './content.ts'
import { metaData } from './meta-data.ts'
import { networkTemplate } from './network-template.ts'

const v4 = exampleSubnet({
  cidr: cidr('192.0.2.0/25'),
  gateway: ip('192.0.2.1'),
  dnsServers: [ip('192.0.2.2'), ip('192.0.2.3')],
  addresses: [fixedIp('192.0.2.20')],
})
const v6 = exampleSubnet({
  ipVersion: 6,
  cidr: cidr('2001:db8:a::/64'),
  gateway: null,
  addresses: [fixedIp('2001:db8:a::14')],
})

test('static interfaces of injected networks, counted with those that are not shown', () => {
  const interfaces = [
    exampleInterface({ injected: true, subnets: [] }),
    exampleInterface({ injected: false, subnets: [v4] }),
    exampleInterface({ injected: true, subnets: [v6, v4] }),
    exampleInterface({ injected: true, subnets: [{ ...v4, dhcpServer: ip('192.0.2.2') }] }),
    exampleInterface({ injected: true, subnets: [{ ...v4, addresses: [] }] }),
  ]
  assert.equal(
    networkTemplate(exampleInstance({ interfaces }), 'zed'),
    `\
# Injected by Nova on instance boot
#
# This file describes the network interfaces available on your system
# and how to activate them. For more information, see interfaces(5).

# The loopback network interface
auto lo
iface lo inet loopback

auto eth1
iface eth1 inet static
    hwaddress ether fa:16:3e:41:0c:7a
    address 192.0.2.20
    netmask 255.255.255.128
    broadcast 192.0.2.127
    gateway 192.0.2.1
    dns-nameservers 192.0.2.2 192.0.2.3
iface eth1 inet6 static
    hwaddress ether fa:16:3e:41:0c:7a
    address 2001:db8:a::14
    netmask 64

auto eth3
`,
  )
})

test('there is none when no interface qualifies', () => {
  const interfaces = [exampleInterface(), exampleInterface({ injected: true, subnets: [{ ...v4, enableDhcp: true }] })]
  assert.equal(networkTemplate(exampleInstance({ interfaces }), 'zed'), undefined)
  assert.notEqual(networkTemplate(exampleInstance({ interfaces }), 'master'), undefined)
})

test('the template is content 0000, injected files follow on a config drive only', () => {
  const instance = exampleInstance({
    interfaces: [exampleInterface({ injected: true, subnets: [v4] })],
    files: [{ path: '/etc/motd', contents: 'aGk=' }],
    adminPassword: 'pw',
  })
  const shown = (carrier: 'http' | 'config-drive') => {
    const context = exampleContext({ carrier })
    const { files, admin_pass, network_config } = JSON.parse(
      Buffer.from(metaData(instance, '2012-08-10', context)).toString(),
    )
    return { numbers: contents(instance, context).map(({ number }) => number), files, admin_pass, network_config }
  }
  const network_config = { name: 'network_config', content_path: '/content/0000' }
  assert.deepEqual(shown('http'), { numbers: ['0000'], files: undefined, admin_pass: undefined, network_config })
  assert.deepEqual(shown('config-drive'), {
    numbers: ['0000', '0001'],
    files: [{ path: '/etc/motd', content_path: '/content/0001' }],
    admin_pass: 'pw',
    network_config,
  })
})
