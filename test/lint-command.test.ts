import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const FIRSTBOOT = fileURLToPath(new URL('../bin/firstboot.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'firstboot-lint-'))
after(() => rmSync(folder, { recursive: true, force: true }))

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function firstboot(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [FIRSTBOOT, ...args], { env: { PATH: process.env['PATH'] } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
  })
}

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const NETWORKS = 'networks: [{name: n, subnets: [{cidr: 10.0.0.0/24}]}]\n'
const server = (name: string, userData: string) => `  - {name: ${name}, user_data: ${JSON.stringify(userData)}}\n`
const GOOD = file('good.yaml', `${NETWORKS}servers:\n${server('good', '#!/bin/sh\n')}`)
const BAD = file(
  'bad.yaml',
  `${NETWORKS}servers:\n${server('good', '#!/bin/sh\n')}${server('doubtful', '#!/bin/sh\r\n')}${server('bad', '#cloud-config\nruncmd: ls\n')}`,
)
const NO_SCHEMA = file('no-schema.json', '{}')
const SCHEMA = file(
  'schema.json',
  JSON.stringify({
    $schema: 'http://json-schema.org/draft-04/schema#',
    $defs: { m: { type: 'object', properties: { runcmd: { type: 'array', minItems: 3 } } } },
    allOf: [{ $ref: '#/$defs/m' }],
  }),
)

describe('firstboot lint -f', () => {
  it('ends with 0 when all is well, and says how many it looked at', async () => {
    const { code, out, err } = await firstboot('lint', '-f', GOOD)
    assert.deepEqual([code, out], [0, ''])
    assert.match(err, /^1 server examined: nothing wrong\.$/m)
  })

  it('ends with 1 when there is an error, and says what, where, whom it breaks and what to do', async () => {
    const { code, out, err } = await firstboot('lint', '-f', BAD, '--cloud-init-schema', SCHEMA)
    assert.equal(code, 1)
    assert.match(
      out,
      /^error: bad: user data, line 2 \(runcmd\): is text, and should be a list\n {4}breaks cloud-init: .+\n {4}mend: .+$/m,
    )
    assert.match(out, /^warning: doubtful: user data, line 1: /m)
    assert.match(err, /^3 servers examined: 1 error, 1 warning\.\ncloud-config was held against .*schema\.json$/m)
  })

  it('looks at the servers that are named, and warnings leave the exit code at 0', async () => {
    const { code, out } = await firstboot('lint', '-f', BAD, 'good', 'doubtful')
    assert.equal(code, 0)
    assert.match(out, /^warning: doubtful/)
    assert.doesNotMatch(out, /bad:/)
  })

  it('takes the schema that is named', async () => {
    const short = file('short.yaml', `${NETWORKS}servers:\n${server('s', '#cloud-config\nruncmd: [ls]\n')}`)
    assert.match(
      (await firstboot('lint', '-f', short, '--cloud-init-schema', SCHEMA)).out,
      /too few entries; at least 3/,
    )
  })

  it('prints JSON for programs', async () => {
    const { code, out } = await firstboot('lint', '-f', BAD, '--json', '--cloud-init-schema', SCHEMA)
    assert.equal(code, 1)
    const { cloud_init_schema, findings } = JSON.parse(out)
    assert.equal(cloud_init_schema, SCHEMA)
    const bad = findings.find((each: { server: { name: string } }) => each.server.name === 'bad')
    assert.deepEqual(bad.place, { document: 'user data', pieces: [], line: 2, member: 'runcmd' })
    assert.deepEqual([bad.check, bad.severity, bad.breaks], ['cloud-config/shape', 'error', ['cloud-init']])
  })

  const refusals: readonly {
    readonly name: string
    readonly args: readonly string[]
    readonly says: RegExp
    readonly code: number
  }[] = [
    {
      name: 'a server that is not there',
      args: ['-f', BAD, 'badd'],
      says: /there is no server badd; did you mean "bad"\?/,
      code: 2,
    },
    {
      name: 'a schema that is none',
      args: ['-f', BAD, '--cloud-init-schema', NO_SCHEMA],
      says: /no JSON schema of cloud-config/,
      code: 2,
    },
    {
      name: 'a schema that is not there',
      args: ['-f', BAD, '--cloud-init-schema', join(folder, 'none')],
      says: /ENOENT/,
      code: 2,
    },
    {
      name: 'an inventory file with a mistake',
      args: ['-f', file('wrong.yaml', 'severs: []\n')],
      says: /wrong\.yaml:1:1: .*severs/,
      code: 1,
    },
  ]
  for (const { name, args, says, code } of refusals)
    it(`refuses ${name}`, async () => {
      const outcome = await firstboot('lint', ...args)
      assert.match(outcome.err, says)
      assert.deepEqual([outcome.code, outcome.out], [code, ''])
    })
})

describe('firstboot apply, lint and diff on one state directory', () => {
  const state = join(folder, 'state')
  const on = ['--state-dir', state]

  it('apply shows what it finds, and applies all the same', async () => {
    const { code, err } = await firstboot('apply', '-f', BAD, ...on)
    assert.equal(code, 0)
    assert.match(err, /^error: bad: user data, line 2 \(runcmd\)/m)
  })

  it('apply has nothing to say of servers that it does not change', async () => {
    const { code, err } = await firstboot('apply', '-f', BAD, ...on)
    assert.deepEqual([code, err], [0, ''])
  })

  it('apply --dry-run finds it before, and --json holds it', async () => {
    const next = file('next.yaml', `${NETWORKS}servers:\n${server('good', 'hello')}`)
    const { code, out } = await firstboot('apply', '-f', next, '--dry-run', '--json', ...on)
    assert.equal(code, 0)
    const { applied, findings } = JSON.parse(out)
    assert.deepEqual(
      [applied, findings.map((each: { check: string }) => each.check)],
      [false, ['user-data/first-line']],
    )
  })

  it('lint examines all servers of the inventory', async () => {
    const { code, err } = await firstboot('lint', ...on)
    assert.equal(code, 1)
    assert.match(err, /^3 servers examined/)
  })

  it('diff shows what a newer version adds', async () => {
    const { code, out, err } = await firstboot('diff', 'good', '--from', '2016-10-06', '--to', 'latest', ...on)
    assert.equal(code, 1)
    assert.equal(out, '+ openstack/meta_data.json dedicated_cpus: []\n')
    assert.match(err, /^1 difference between good at 2016-10-06 and good at latest\.$/m)
  })

  it('diff shows documents that an older version has not', async () => {
    const { out } = await firstboot('diff', 'good', '--from', '2012-08-10', '--to', '2013-10-17', ...on)
    assert.deepEqual(out.trim().split('\n'), ['+ openstack/password: ""', '+ openstack/vendor_data.json: {}'])
  })

  it('diff compares the EC2 tree by its versions', async () => {
    const { out } = await firstboot('diff', 'good', '--from', '1.0', '--to', '2007-08-29', ...on)
    const added = ['instance-type', 'local-hostname', 'public-hostname', 'public-ipv4']
    assert.deepEqual(
      out
        .trim()
        .split('\n')
        .map((line) => line.split(':')[0]),
      added.map((name) => `+ ec2/meta-data/${name}`),
    )
  })

  it('diff of two servers compares both trees, JSON by members', async () => {
    const { code, out } = await firstboot('diff', 'good', 'bad', ...on)
    assert.equal(code, 1)
    const places = out
      .trim()
      .split('\n')
      .map((line) => line.split(':')[0])
    assert.ok(places.includes('~ openstack/meta_data.json name'))
    assert.ok(places.includes('~ openstack/network_data.json links[0].ethernet_mac_address'))
    assert.ok(places.includes('~ ec2/meta-data/local-ipv4'))
    assert.ok(!out.includes('random_seed'))
    assert.match(out, /^~ openstack\/user_data: from line 1: "#!\/bin\/sh" -> "#cloud-config"$/m)
  })

  it('diff ends with 0 when nothing differs', async () => {
    const { code, out, err } = await firstboot('diff', 'good', '--from', '2018-08-27', '--to', '2016-10-06', ...on)
    assert.deepEqual([code, out], [0, ''])
    assert.match(err, /^No difference between/)
  })

  it('diff prints JSON for programs', async () => {
    const { out } = await firstboot('diff', 'good', '--from', '2016-10-06', '--json', ...on)
    assert.deepEqual(JSON.parse(out), {
      differences: [{ path: 'openstack/meta_data.json', member: 'dedicated_cpus', after: [] }],
    })
  })

  const refusals: readonly { readonly args: readonly string[]; readonly says: RegExp }[] = [
    { args: ['good'], says: /two servers, or two versions/ },
    { args: ['good', '--from', '2018-08-28'], says: /there is no version "2018-08-28"; did you mean "2018-08-27"\?/ },
    {
      args: ['good', '--from', '2099-01-01'],
      says: /there is no version "2099-01-01"; OpenStack has 2012-08-10, .*; EC2 has 1\.0, .*; both have latest/,
    },
    { args: ['good', '--from', '2018-08-27', '--to', '2009-04-04'], says: /versions of different trees/ },
    { args: ['good', 'bad', 'doubtful'], says: /nothing is done with "doubtful"/ },
  ]
  for (const { args, says } of refusals)
    it(`diff refuses ${args.join(' ')}`, async () => {
      const { code, err } = await firstboot('diff', ...args, ...on)
      assert.match(err, says)
      assert.equal(code, 2)
    })
})
