import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { signature } from '../src/metadata-agent/signed-upstream.ts'
import { wirePorts } from './contract/port-directory-world.ts'
import { type FakeNeutron, startFakeNeutron } from './fakes/fake-neutron.ts'
import { firstboot } from './support/daemon.ts'
import { exchangeRaw } from './support/raw-http.ts'
import { runFirstboot, type ServiceProcess, startService } from './support/service.ts'

//  test ---- unix socket ---- firstboot metadata-agent --config-file metadata_agent.ini ---- firstboot metadata-api
//                                        |                                                    --config-file nova.conf
//                                 Keystone and Neutron (fakes)

const NETWORK = '11111111-1111-4111-8111-111111111111'
const GREEN = '22222222-2222-4222-8222-222222222222'
const INSTANCE = '55555555-5555-4555-8555-555555555555'
const PROJECT = '0123456789abcdef0123456789abcdef'

/** What no log may hold. */
const SECRETS = {
  shared: 'shared-5ecret',
  keystone: 'keystone-pa55',
  userData: 'private-user-data',
  adminPassword: 'encrypted-admin-pa55',
}

describe('our agent and API in the places of neutron’s and nova’s', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-drop-in-'))
  const socket = join(directory, 'neutron/metadata_proxy')
  let neutron: FakeNeutron
  let api: ServiceProcess
  let agent: ServiceProcess
  const started: ServiceProcess[] = []

  const file = (name: string, ...lines: readonly string[]) => {
    const path = join(directory, name)
    writeFileSync(path, [...lines, ''].join('\n'))
    return path
  }
  const start = async (saying: string, ...args: readonly string[]) => {
    const service = startService(firstboot(...args, '--state-dir', join(directory, 'state')))
    started.push(service)
    await service.saying(saying)
    return service
  }

  before(async () => {
    neutron = await startFakeNeutron({ password: SECRETS.keystone })
    const [like] = wirePorts()
    assert.ok(like)
    const port = { ...like, network_id: NETWORK, project_id: PROJECT, tenant_id: PROJECT, device_id: INSTANCE }
    neutron.ports.push({ ...port, id: 'vm', fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.11' }] })
    neutron.ports.push({
      ...port,
      id: 'dhcp',
      device_id: `dhcp-${NETWORK}`,
      device_owner: 'network:dhcp',
      fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.2' }],
    })
    const inventory = file(
      'inventory.yaml',
      `projects: [{ id: ${PROJECT}, name: blue }]`,
      `networks: [{ id: ${NETWORK}, name: blue, project: blue, subnets: [{ cidr: 10.0.0.0/24, enable_dhcp: false }] }]`,
      'servers:',
      `  - { id: ${INSTANCE}, name: web-1, project: blue, networks: [{ network: blue }], user_data: ${SECRETS.userData} }`,
    )
    runFirstboot('apply', '-f', inventory, '--state-dir', join(directory, 'state'))
    const nova = file(
      'nova.conf',
      '[DEFAULT]',
      'my_ip = 127.0.0.1',
      'metadata_listen = $my_ip',
      'metadata_listen_port = 0',
      'transport_url = rabbit://nova:rabbit-pa55@mq/',
      'flat_injected = True',
      '[api]',
      'dhcp_domain =',
      '[neutron]',
      'service_metadata_proxy = True',
      `metadata_proxy_shared_secret = ${SECRETS.shared}`,
    )
    api = await start('listens on', 'metadata-api', '--config-file', nova, '--log-level', 'debug')
    const apiPort = /port (\d+)/.exec(api.said())?.[1]
    const common = file('neutron.conf', '[DEFAULT]', `state_path = ${directory}/neutron`, 'core_plugin = ml2')
    const ini = file(
      'metadata_agent.ini',
      '[DEFAULT]',
      'nova_metadata_ip = 127.0.0.1',
      `nova_metadata_port = ${apiPort}`,
      `metadata_proxy_shared_secret = ${SECRETS.shared}`,
      'metadata_proxy_user = nobody',
      'metadata_proxy_group = nogroup',
      '[neutron]',
      `auth_url = ${neutron.url}`,
      'username = neutron',
      `password = ${SECRETS.keystone}`,
      'project_name = service',
      'region_name = one',
      '[firstboot]',
      'log_level = info',
    )
    agent = await start('listens on', 'metadata-agent', '--config-file', common, '--config-file', ini)
  })
  after(async () => {
    for (const service of started) service.kill('SIGKILL')
    await neutron?.stop().catch(() => undefined)
    rmSync(directory, { recursive: true, force: true })
  })

  const ask = (path: string, { from = '10.0.0.11', network = NETWORK, method = 'GET', body = '' } = {}) =>
    exchangeRaw(
      socket,
      [
        `${method} ${path} HTTP/1.1`,
        'Host: 169.254.169.254',
        `x-neutron-network-id: ${network}`,
        `x-forwarded-for: ${from}`,
        `content-length: ${body.length}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    )

  it('answer a guest that Neutron knows', async () => {
    const answer = await ask('/openstack/latest/meta_data.json')
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(JSON.parse(answer.split('\r\n\r\n')[1] ?? '').uuid, INSTANCE)
    assert.match(await ask('/latest/meta-data/local-hostname'), /\r\nweb-1$/, 'nova.conf’s dhcp_domain is obeyed')
  })

  it('tell a network without DHCP as nova.conf’s flat_injected says', async () => {
    const [, body = ''] = (await ask('/openstack/latest/meta_data.json')).split('\r\n\r\n')
    assert.deepEqual(JSON.parse(body).network_config, { name: 'network_config', content_path: '/content/0000' })
    assert.match(await ask('/openstack/content/0000'), /^HTTP\/1\.1 200 [\s\S]*\n {4}address 10\.0\.0\.\d+\n/)
  })

  it('listen where and for whom neutron’s files say', () =>
    assert.equal((statSync(socket).mode & 0o777).toString(8), '666'))

  const refused = [
    { name: 'an address that nobody has', from: '10.0.0.99', why: `no port has 10.0.0.99 on network ${NETWORK}` },
    { name: 'the DHCP port', from: '10.0.0.2', why: 'port dhcp belongs to no instance (owner network:dhcp)' },
    { name: 'an address of another network', network: GREEN, why: `no port has 10.0.0.11 on network ${GREEN}` },
  ]
  for (const { name, why, ...asked } of refused)
    it(`have no answer for ${name}, and log the reason`, async () => {
      const answer = await ask('/latest', asked)
      assert.match(answer, /^HTTP\/1\.1 404 /)
      assert.doesNotMatch(answer, /port|device|dhcp/)
      await agent.saying(why)
    })

  it('say 503 and not 404 to a guest that is not known yet while Neutron is away', async () => {
    await neutron.stop()
    const unknown = await ask('/latest', { from: '10.0.0.98' })
    assert.match(unknown, /^HTTP\/1\.1 503 /)
    assert.match(unknown, /\r\nRetry-After: 2\r\n/i)
    assert.match(await ask('/latest'), /^HTTP\/1\.1 200 /)
    await neutron.start()
    assert.match(await ask('/latest', { from: '10.0.0.98' }), /^HTTP\/1\.1 404 /)
  })

  it('say at start that the secrets differ, and to the guest only that it may not', async () => {
    const ini = file(
      'wrong.ini',
      '[DEFAULT]',
      `metadata_proxy_socket = ${directory}/wrong`,
      `nova_metadata_port = ${/port (\d+)/.exec(api.said())?.[1]}`,
      'metadata_proxy_shared_secret = another-5ecret',
      '[neutron]',
      'auth_type = none',
      'endpoint_override = http://127.0.0.1:9',
    )
    const other = await start('listens on', 'metadata-agent', '--config-file', ini)
    await other.saying('metadata_proxy_shared_secret differs there')
    assert.doesNotMatch(other.said(), /another-5ecret/)
    const id = /"request":"(req-[^"]+)"/.exec(other.said())?.[1] ?? 'none'
    await api.saying(id) // one id from hop to hop
    other.kill('SIGTERM')
    await other.ended
  })

  it('warn at start of what they do not obey, without values', async () => {
    assert.match(agent.said(), /metadata_agent\.ini:2: \[DEFAULT\] nova_metadata_ip is a former name/)
    assert.match(api.said(), /ignored, since no message bus .*transport_url/)
    assert.doesNotMatch(api.said(), /rabbit-pa55/)
  })

  it('change how much they log on SIGUSR2', async () => {
    agent.kill('SIGUSR2')
    await agent.saying('the log level is debug now')
  })

  it('say what has changed when they read their files again', async () => {
    appendFileSync(join(directory, 'metadata_agent.ini'), 'port_cache_seconds = 1\n[DEFAULT]\nmetadata_backlog = 7\n')
    agent.kill('SIGHUP')
    await agent.saying('"option":"metadata_backlog","before":"4096","after":"7"')
    await agent.saying('an option has changed, and counts from the next start on')
    await agent.saying('"option":"port_cache_seconds","before":"10","after":"1"')
    await agent.saying('the configuration was read again')
    assert.match(await ask('/latest'), /^HTTP\/1\.1 200 /)
  })

  it('say at start that a secret is missing', async () => {
    const ini = file('bare.ini', '[DEFAULT]', `metadata_proxy_socket = ${directory}/bare`)
    const other = await start('listens on', 'metadata-agent', '--config-file', ini)
    await other.saying('metadata_proxy_shared_secret is not set in the configuration files')
    other.kill('SIGTERM')
    await other.ended
  })

  it('keep secrets, signatures, passwords and user data out of every log', async () => {
    await ask('/openstack/latest/user_data')
    await ask('/openstack/latest/password', { method: 'POST', body: SECRETS.adminPassword })
    await ask('/openstack/latest/password')
    const tokens = neutron.asked.flatMap(({ token }) => (token === undefined ? [] : [token]))
    assert.ok(tokens.length > 0)
    const logs = started.map((service) => service.said()).join('\n')
    for (const secret of [...Object.values(SECRETS), ...tokens, signature(INSTANCE, SECRETS.shared)])
      assert.ok(!logs.includes(secret), `${secret} is in a log`)
    assert.doesNotMatch(logs, /[0-9a-f]{64}/, 'nothing that looks like a signature either')
  })
})
