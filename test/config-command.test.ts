import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { firstboot } from './support/daemon.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-config-'))
after(() => rmSync(directory, { recursive: true }))
const file = join(directory, 'metadata_agent.ini')
writeFileSync(
  file,
  '[DEFAULT]\nnova_metadata_host = 192.0.2.7\nmetadata_proxy_shared_secret = s3cret\nnova_metadata_prt = 1\n',
)

function config(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [program, ...rest] = firstboot('config', ...args)
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8', env: { ...process.env, ...env } })
  assert.doesNotMatch(stdout + stderr, /s3cret/)
  return { status, stdout, stderr }
}

describe('firstboot config', () => {
  it('shows where each value comes from', () => {
    const args = ['show', 'metadata-agent', '--config-file', file, '--nova-metadata-port', '99', '--json']
    const { status, stdout } = config(args, { FIRSTBOOT_METADATA_BACKLOG: '7' })
    assert.equal(status, 0)
    const [{ daemon, options, warnings }] = JSON.parse(stdout)
    assert.equal(daemon, 'metadata-agent')
    assert.equal(warnings.length, 1)
    const shown = Object.fromEntries(
      options.map(({ name, value, origin }: Record<string, string>) => [name, [value, origin]]),
    )
    assert.deepEqual(shown['nova_metadata_host'], ['192.0.2.7', `${file}:2`])
    assert.deepEqual(shown['metadata_proxy_shared_secret'], ['***', `${file}:3`])
    assert.deepEqual(shown['nova_metadata_port'], ['99', '--nova-metadata-port'])
    assert.deepEqual(shown['metadata_backlog'], ['7', 'FIRSTBOOT_METADATA_BACKLOG'])
    assert.deepEqual(shown['metadata_proxy_user'], ['', 'default'])
  })

  it('shows every daemon when none is named, in columns', () => {
    const { stdout } = config(['show', '--config-file', file])
    assert.deepEqual(stdout.match(/^[a-z-]+$/gm), [
      'up',
      'metadata-api',
      'metadata-agent',
      'ovn-metadata-agent',
      'dhcp-agent',
    ])
    assert.match(
      stdout,
      /^ {2}\[neutron\] service_metadata_proxy +false +default \(of the program whose files are given\)$/m,
    )
  })

  it('checks a file, with an exit code', () => {
    const { status, stdout } = config(['check', 'metadata-agent', '--config-file', file])
    assert.equal(status, 1)
    assert.equal(
      stdout,
      `metadata-agent: ${file}:4: [DEFAULT] nova_metadata_prt is not known; did you mean nova_metadata_port?\n`,
    )
    assert.equal(config(['--config-file', file, 'check', 'metadata-agent']).stdout, stdout)
    assert.equal(config(['check', 'metadata-agent', '--config-file', file, '--json']).status, 1)
    assert.equal(config(['check', 'metadata-agent']).status, 0)
  })

  it('shows what it can beside every value that cannot be used', () => {
    const wrong = join(directory, 'wrong.ini')
    writeFileSync(wrong, '[DEFAULT]\nnova_metadata_host = h\nnova_metadata_port = x\nmetadata_backlog = 0\n')
    const shown = config(['show', 'metadata-agent', '--config-file', wrong])
    assert.equal(shown.status, 1)
    assert.match(shown.stdout, /nova_metadata_host +h /)
    for (const place of [':3: [DEFAULT] nova_metadata_port: "x"', ':4: [DEFAULT] metadata_backlog: "0"'])
      assert.ok(shown.stdout.includes(`cannot be used: ${wrong}${place} is not a whole number`), shown.stdout)
    const checked = config(['check', 'metadata-agent', '--config-file', wrong])
    assert.deepEqual([checked.status, checked.stdout.trim().split('\n').length], [1, 2])
  })

  it('says of a secret once that it refers to nothing', () => {
    const wrong = join(directory, 'secret.ini')
    writeFileSync(wrong, '[DEFAULT]\nmetadata_proxy_shared_secret = s3cret$x\n')
    const { stdout } = config(['check', 'metadata-agent', '--config-file', wrong])
    assert.deepEqual(stdout.match(/secret: .*/g), [
      'secret: a $ in it stands for another option’s value, as oslo.config has it, and this one leads nowhere; write $$ for a dollar sign',
    ])
  })

  it('knows the files of neutron’s OVN metadata agent', () => {
    const ovn = join(directory, 'neutron_ovn_metadata_agent.ini')
    writeFileSync(
      ovn,
      '[ovs]\novsdb_connection = tcp:127.0.0.1:6640\novsdb_connection_timeout = 180\n[ovn]\novn_sb_conection = tcp:192.0.2.1:6642\nneutron_sync_mode = log\n',
    )
    const { stdout, status } = config(['check', 'ovn-metadata-agent', '--config-file', ovn])
    assert.equal(status, 1)
    assert.match(stdout, /:5: \[ovn\] ovn_sb_conection is not known; did you mean ovn_sb_connection\?/)
    assert.match(stdout, /ignored, since .* tried again .*: \[ovs\] ovsdb_connection_timeout \(line 3\)/)
    assert.match(stdout, /ignored, since it concerns Neutron’s server.*: \[ovn\] neutron_sync_mode \(line 6\)/)
    const shown = config(['show', 'ovn-metadata-agent', '--config-file', ovn]).stdout
    assert.match(shown, /\[ovs\] ovsdb_connection +tcp:127\.0\.0\.1:6640 +\S+:2$/m)
  })

  const mistakes = [
    { args: ['shwo'], want: /say show or check; did you mean "show"\?/ },
    {
      args: ['show', 'metadata-agnt'],
      want: /"metadata-agnt" takes no configuration files; did you mean "metadata-agent"\?/,
    },
    { args: ['show', 'metadata-agent', '--config-file', '/nowhere'], want: /\/nowhere: there is no such file/ },
  ]
  for (const { args, want } of mistakes)
    it(`refuses ${args.join(' ')}`, () => {
      const { status, stderr } = config(args)
      assert.equal(status, 2)
      assert.match(stderr, want)
    })
})
