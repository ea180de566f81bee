import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, describe, it } from 'node:test'
import { type DirectoryValues, isNeutronAsked, openNeutronDirectory } from '../src/daemons/port-directory.ts'
import type { IpAddress } from '../src/inventory/records/address.ts'
import type { NetworkId } from '../src/inventory/records/ids.ts'
import { DirectoryUnavailable } from '../src/metadata-agent/errors.ts'
import type { PortDirectory } from '../src/metadata-agent/port-directory.ts'
import { silentLog } from '../src/observe/log.ts'
import { idOf, wirePorts } from './contract/port-directory-world.ts'
import { type FakeNeutron, type FakeNeutronOptions, startFakeNeutron } from './fakes/fake-neutron.ts'
import { SERVER_CERTIFICATE, SERVER_KEY } from './support/certificates.ts'
import { neutronValues } from './support/neutron-values.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-neutron-'))
after(() => rmSync(directory, { recursive: true }))
const cafile = join(directory, 'ca.pem')
writeFileSync(cafile, SERVER_CERTIFICATE)

const endings: (() => Promise<void> | undefined)[] = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

/** A Neutron with its Keystone, and the directory that asks it as these options say. */
async function setUp(values: Partial<DirectoryValues> = {}, options: FakeNeutronOptions = {}) {
  const fake = await startFakeNeutron({ password: 'pa$$word', ...options })
  fake.ports.push(...wirePorts())
  const ports = openNeutronDirectory(
    neutronValues({
      neutron_auth_url: `${fake.url}/v3`,
      neutron_username: 'neutron',
      neutron_password: 'pa$$word',
      neutron_project_name: 'service',
      neutron_user_domain_name: 'Default',
      neutron_region_name: 'one',
      port_cache_seconds: 0,
      ...values,
    }),
    silentLog,
  )
  endings.push(
    () => ports.close?.(),
    () => fake.stop().catch(() => undefined),
  )
  return { fake, ports }
}

const blue = { networkId: idOf('network', 'blue') as NetworkId }
const find = (ports: PortDirectory, address = '10.0.0.11') => ports.find(blue, { fixedIp: address as IpAddress })
const logins = (fake: FakeNeutron) => fake.asked.filter(({ target }) => target === '/v3/auth/tokens')
const questions = (fake: FakeNeutron) => fake.asked.filter(({ target }) => target.startsWith('/v2.0/'))

describe('logging in to Keystone', () => {
  it('is by password, once for many questions', async () => {
    const { fake, ports } = await setUp()
    const found = await Promise.all([find(ports), find(ports, '10.0.0.12'), find(ports, '10.0.0.21')])
    assert.deepEqual(
      found.map((each) => each.length),
      [1, 1, 1],
    )
    assert.equal(logins(fake).length, 1)
    assert.deepEqual(JSON.parse(logins(fake)[0]?.body ?? ''), {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'neutron', domain: { name: 'Default' }, password: 'pa$$word' } },
        },
        scope: { project: { name: 'service', domain: { id: 'default' } } },
      },
    })
  })

  it('is by application credential', async () => {
    const { fake, ports } = await setUp({
      neutron_auth_type: 'v3applicationcredential',
      neutron_application_credential_id: 'c0ffee',
      neutron_application_credential_secret: 'pa$$word',
    })
    assert.equal((await find(ports)).length, 1)
    assert.deepEqual(JSON.parse(logins(fake)[0]?.body ?? ''), {
      auth: {
        identity: {
          methods: ['application_credential'],
          application_credential: { id: 'c0ffee', secret: 'pa$$word' },
        },
      },
    })
  })

  it('is repeated when a token is refused', async () => {
    const { fake, ports } = await setUp()
    await find(ports)
    fake.revokeTokens()
    assert.equal((await find(ports)).length, 1)
    assert.equal(logins(fake).length, 2)
  })

  it('is repeated before a token expires', async () => {
    // Half of the life of so short a token has passed by the second question.
    const { fake, ports } = await setUp({}, { tokenSeconds: 0 })
    await find(ports)
    await find(ports)
    assert.equal(logins(fake).length, 2)
  })

  const impossible: { name: string; values: Partial<DirectoryValues>; want: RegExp }[] = [
    { name: 'a wrong password', values: { neutron_password: 'wrong' }, want: /Keystone answers 401/ },
    {
      name: 'a region that is not there',
      values: { neutron_region_name: 'mars' },
      want: /no network endpoint .* in region mars/,
    },
  ]
  for (const { name, values, want } of impossible)
    it(`fails for ${name}: 503 for the guest, the reason for the log`, async () => {
      const { ports } = await setUp({ neutron_http_retries: 0, ...values })
      await assert.rejects(find(ports), (error) => {
        assert.ok(error instanceof DirectoryUnavailable)
        assert.equal(error.status, 503)
        assert.match(String(error.cause), want)
        assert.doesNotMatch(`${error.message} ${error.cause}`, /pa\$\$word|wrong/)
        return true
      })
    })

  it('needs the options it needs, and says which', () => {
    const given = { neutron_auth_url: 'http://k/v3', neutron_username: 'u' }
    assert.throws(() => openNeutronDirectory(neutronValues(given), silentLog), /\[neutron\] project_name is not set/)
    assert.throws(
      () => openNeutronDirectory(neutronValues({ neutron_auth_type: 'none' }), silentLog),
      /\[neutron\] endpoint_override is not set/,
    )
    assert.equal(isNeutronAsked(neutronValues(given)), true)
    assert.equal(isNeutronAsked(neutronValues({})), false)
  })
})

describe('asking Neutron', () => {
  it('is by the filters it has', async () => {
    const { fake, ports } = await setUp()
    await find(ports)
    assert.equal(
      questions(fake)[0]?.target,
      `/v2.0/ports?fixed_ips=ip_address%3D10.0.0.11&fields=id&fields=network_id&fields=project_id&fields=tenant_id&fields=device_id&fields=device_owner&fields=fixed_ips&network_id=${blue.networkId}`,
    )
  })

  it('is repeated after passing trouble', async () => {
    const { fake, ports } = await setUp()
    fake.troubles.push(503, 500)
    assert.equal((await find(ports)).length, 1)
    assert.equal(questions(fake).length, 3)
  })

  it('is given up in time when nothing comes, without a 404', async () => {
    const { fake, ports } = await setUp({ neutron_timeout: 1, neutron_http_retries: 0 })
    fake.troubles.push('hang')
    await assert.rejects(find(ports), (error) => {
      assert.ok(error instanceof DirectoryUnavailable)
      assert.match(String(error.cause), /no whole answer in time/)
      assert.deepEqual(error.headers, [['Retry-After', '2']])
      return true
    })
  })

  it('goes on by what is known while Neutron is away', async () => {
    const { fake, ports } = await setUp({ neutron_http_retries: 0 })
    await find(ports)
    await fake.stop()
    assert.equal((await find(ports)).length, 1)
    await assert.rejects(find(ports, '10.0.0.12'), DirectoryUnavailable)
    await fake.start()
    assert.equal((await find(ports, '10.0.0.12')).length, 1)
  })

  it('finds a port that was made a moment ago', async () => {
    const { fake, ports } = await setUp({ port_cache_seconds: 60 })
    const address = '10.0.0.77'
    assert.deepEqual(await find(ports, address), [])
    const [port] = wirePorts()
    assert.ok(port)
    fake.ports.push({ ...port, id: 'new', fixed_ips: [{ subnet_id: idOf('subnet', 'blue'), ip_address: address }] })
    assert.deepEqual(
      (await find(ports, address)).map(({ id }) => id),
      ['new'],
    )
  })

  it('is over TLS with the authority that is named', async () => {
    const certificate = { cert: SERVER_CERTIFICATE, key: SERVER_KEY }
    const trusting = await setUp({ neutron_cafile: cafile }, { certificate })
    assert.equal((await find(trusting.ports)).length, 1)
    const doubting = await setUp({ neutron_http_retries: 0 }, { certificate })
    await assert.rejects(find(doubting.ports), (error) => /certificate/.test(String((error as Error).cause)))
    const careless = await setUp({ neutron_insecure: true }, { certificate })
    assert.equal((await find(careless.ports)).length, 1)
  })

  it('never searches the whole cloud for a router without interfaces', async () => {
    const { fake, ports } = await setUp()
    const routerId = idOf('router', 'idle') as never
    assert.deepEqual(await ports.find({ routerId }, { fixedIp: '10.0.0.11' as IpAddress }), [])
    assert.equal(questions(fake).length, 1)
    assert.match(questions(fake)[0]?.target ?? '', /^\/v2\.0\/ports\?device_id=/)
  })
})
