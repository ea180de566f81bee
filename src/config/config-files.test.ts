import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileOptions } from './config-files.ts'
import { differences } from './differences.ts'
import { agentOptions } from './options/agent.ts'
import { apiOptions } from './options/api.ts'
import { documentOptions } from './options/documents.ts'
import { directoryOptions } from './options/port-directory.ts'
import { apiSecretOptions, secretOptions } from './options/shared-secret.ts'
import { readOptions } from './read.ts'

const directory = mkdtempSync(join(tmpdir(), 'firstboot-config-'))
after(() => rmSync(directory, { recursive: true }))

const agent = { ...fileOptions, ...agentOptions, ...secretOptions, ...directoryOptions }
const api = { ...fileOptions, ...apiOptions, ...apiSecretOptions, ...documentOptions }

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

describe('configuration files of the field', () => {
  const agentFile = file(
    'metadata_agent.ini',
    `[DEFAULT]
nova_metadata_ip = 192.0.2.7
metadata_proxy_shared_secret = s3cret
state_path = /srv/neutron
metadata_workers = 2
[neutron]
auth_url = http://keystone:5000/v3
password = pa$$word
`,
  )
  const read = (args: string[], env = {}) => readOptions(agent, args, env)

  it('are obeyed, and each value knows its line', () => {
    const { values, origins } = read(['--config-file', agentFile])
    assert.equal(values.nova_metadata_host, '192.0.2.7')
    assert.equal(origins.nova_metadata_host, `${agentFile}:2`)
    assert.equal(values.neutron_password, 'pa$word')
    assert.equal(origins.nova_metadata_port, 'default')
  })

  it('yield to the environment, and that to flags', () => {
    const env = { FIRSTBOOT_NOVA_METADATA_HOST: 'env', FIRSTBOOT_CONFIG_FILE: agentFile }
    assert.deepEqual(
      [read([], env), read(['--nova-metadata-host', 'flag'], env)].map(({ values, origins }) => [
        values.nova_metadata_host,
        origins.nova_metadata_host,
      ]),
      [
        ['env', 'FIRSTBOOT_NOVA_METADATA_HOST'],
        ['flag', '--nova-metadata-host'],
      ],
    )
  })

  it('bring the defaults of the program they are for', () => {
    assert.equal(read([]).values.metadata_proxy_socket, '')
    assert.equal(read(['--config-file', agentFile]).values.metadata_proxy_socket, '/srv/neutron/metadata_proxy')
    const { values } = read(['--config-file', agentFile, '--state-path', '/flag'])
    assert.equal(values.metadata_proxy_socket, '/flag/metadata_proxy')
    const nova = file('nova.conf', '[api]\ndhcp_domain =\n[neutron]\nservice_metadata_proxy = True\n')
    const served = readOptions(api, ['--config-file', nova], {}).values
    assert.equal(served.metadata_listen, '0.0.0.0')
    assert.equal(served.dhcp_domain, '')
    assert.equal(served.service_metadata_proxy, true)
    const bare = file('bare.conf', '')
    assert.equal(readOptions(api, ['--config-file', bare], {}).values.service_metadata_proxy, false)
  })

  it('of a directory come after the named ones, by name', () => {
    const conf = join(directory, 'conf.d')
    mkdirSync(conf)
    for (const [name, port] of [
      ['20.conf', 20],
      ['10.conf', 10],
      ['30.ini', 30],
    ])
      writeFileSync(join(conf, `${name}`), `[DEFAULT]\nnova_metadata_port = ${port}\n`)
    assert.equal(read(['--config-dir', conf, '--config-file', agentFile]).values.nova_metadata_port, 20)
  })

  const warnings: { name: string; content: string; want: RegExp[] }[] = [
    {
      name: 'a former name',
      content: '[DEFAULT]\nnova_metadata_ip = 1\n',
      want: [/W:2: \[DEFAULT\] nova_metadata_ip is a former name of \[DEFAULT\] nova_metadata_host$/],
    },
    {
      name: 'a misspelt name',
      content: '[DEFAULT]\nmetdata_workers = 1\n',
      want: [/W:2: \[DEFAULT\] metdata_workers is not known; did you mean metadata_workers\?$/],
    },
    {
      name: 'a name in the wrong group',
      content: '[agents]\nnova_metadata_port = 1\n',
      want: [/W:2: \[agents\] nova_metadata_port is not known; did you mean it in \[DEFAULT\]\?$/],
    },
    {
      name: 'options that nothing here needs, with the reason once',
      content: '[DEFAULT]\ntransport_url = rabbit://\n[database]\nconnection = mysql://user:pw@db/\n',
      want: [
        /W: ignored, since no message bus .*: \[DEFAULT\] transport_url \(line 2\), \[database\] connection \(line 4\)$/,
      ],
    },
    {
      name: 'options of another daemon of ours',
      content: '[DEFAULT]\nforce_metadata = true\n',
      want: [/W: ignored, since another daemon of firstboot reads it: \[DEFAULT\] force_metadata \(line 2\)$/],
    },
    {
      name: 'a secret in which a $ means something',
      content: '[DEFAULT]\nhost = h\nmetadata_proxy_shared_secret = a$host\n',
      want: [/W: ignored.*host/, /W:3: .*secret: a \$ in it stands for another option/],
    },
    {
      name: 'nothing else',
      content: '[AGENT]\n[DEFAULT]\nmetadata_backlog = 7\nmetadata_proxy_shared_secret = a$$b\n',
      want: [],
    },
  ]
  for (const { name, content, want } of warnings)
    it(`warn of ${name}`, () => {
      const path = file('w.conf', content)
      const said = read(['--config-file', path]).warnings.map((line) => line.replaceAll(path, 'W'))
      assert.equal(said.length, want.length, said.join('\n'))
      for (const pattern of want)
        assert.ok(
          said.some((line) => pattern.test(line)),
          `${pattern}\n${said.join('\n')}`,
        )
      assert.doesNotMatch(said.join('\n'), /pw@db/)
    })

  const wrong: { name: string; content: string; want: RegExp }[] = [
    {
      name: 'a value that does not parse',
      content: '[DEFAULT]\nnova_metadata_port = http\n',
      want: /^E:2: \[DEFAULT\] nova_metadata_port: "http" is not a whole number/,
    },
    {
      name: 'a reference to nothing, without showing a secret',
      content: '[DEFAULT]\nmetadata_proxy_shared_secret = pa$w0rd\n',
      want: /^E:2: \[DEFAULT\] metadata_proxy_shared_secret: a \$ in it stands for .* leads nowhere(?!.*w0rd)/,
    },
    {
      name: 'a reference in a circle',
      content: '[DEFAULT]\nstate_path = $metadata_proxy_socket\nmetadata_proxy_socket = $state_path/x\n',
      want: /^E:\d: .*refers to itself by way of/,
    },
    {
      name: 'a line that is nothing',
      content: '[DEFAULT]\nfoo\n',
      want: /^E:2: is neither \[group\] nor name = value/,
    },
  ]
  for (const { name, content, want } of wrong)
    it(`are refused for ${name}`, () => {
      const path = file('e.conf', content)
      assert.throws(
        () => read(['--config-file', path]),
        (error) => error instanceof Error && want.test(error.message.replaceAll(path, 'E')),
      )
    })

  it('are refused when there are none', () =>
    assert.throws(() => read(['--config-file', '/nowhere/x.ini']), /\/nowhere\/x\.ini: there is no such file/))

  it('read again, show what has changed and keep secrets to themselves', () => {
    const path = file('again.ini', '[DEFAULT]\nnova_metadata_port = 1\nmetadata_proxy_shared_secret = one\n')
    const before = read(['--config-file', path])
    writeFileSync(path, '[DEFAULT]\nmetadata_proxy_shared_secret = two\nnova_metadata_port = 2\n')
    assert.deepEqual(differences(agent, before, read(['--config-file', path])), [
      { name: 'metadata_proxy_shared_secret', before: '***', after: '***', origin: `${path}:2` },
      { name: 'nova_metadata_port', before: '1', after: '2', origin: `${path}:3` },
    ])
  })
})
