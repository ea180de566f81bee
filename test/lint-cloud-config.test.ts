import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { guestRootPath, guestRootProblem } from '../bootstrap/guest-root.js'
import { findCloudInitSchema } from '../src/host/cloud-init.ts'
import { type CloudConfigRules, cloudInitRules, ownRules } from '../src/lint/cloud-config/rules.ts'
import { placeText } from '../src/lint/finding.ts'
import { examinePiece } from '../src/lint/user-data/examine.ts'
import { wholePiece } from '../src/lint/user-data/piece.ts'

/** `error line 2 (runcmd): is text, and should be a list` for each finding in the text below `#cloud-config`. */
function found(rules: CloudConfigRules, given: string, hasKeyPair = false): readonly string[] {
  return examinePiece(wholePiece(Buffer.from(`#cloud-config\n${given}`)), { rules, hasKeyPair }).map(
    ({ severity, place, problem }) => `${severity} ${placeText(place).replace(/^user data(, )?/, '')}: ${problem}`,
  )
}

interface Case {
  readonly name: string
  readonly given: string
  readonly hasKeyPair?: boolean
  readonly want: readonly string[]
}

/** What holds whichever schema is at hand: reading, and what no schema says. */
const ALWAYS: readonly Case[] = [
  {
    name: 'what people write',
    given: [
      'hostname: web',
      'package_update: true',
      'packages: [vim, [nginx, "1.22"]]',
      'users:',
      '  - default',
      '  - name: deploy',
      '    sudo: ALL=(ALL) NOPASSWD:ALL',
      '    ssh_authorized_keys: [ssh-ed25519 AAAA a]',
      'write_files:',
      '  - path: /etc/motd',
      '    permissions: "0644"',
      '    encoding: b64',
      '    content: aGVsbG8=',
      'runcmd:',
      '  - echo hello',
      '  - [ls, -l]',
      'power_state: {mode: reboot}',
      'final_message: done',
    ].join('\n'),
    want: [],
  },
  { name: 'an anchor, merged', given: 'x-file: &f {owner: root:root}\nwrite_files:\n- {<<: *f, path: /a}\n', want: [] },
  { name: 'bytes', given: 'write_files:\n- path: /a\n  content: !!binary aGk=\n', want: [] },
  { name: 'nothing', given: '', want: ['warning : says nothing'] },
  { name: 'a list', given: '- a\n', want: ['error : is a list, and should be a mapping'] },
  { name: 'a tab', given: 'runcmd:\n\t- ls\n', want: ['error line 3: tabs are not allowed as indentation'] },
  {
    name: 'a name twice',
    given: 'packages: [a]\nruncmd: [ls]\npackages: [b]\n',
    want: ['warning line 4: the name stands here twice in one mapping'],
  },
  {
    name: 'an alias to nowhere',
    given: 'packages: *x\n',
    want: ['error line 1: unresolved alias (the anchor must be set before the alias): x'],
  },
  {
    name: 'an alias in itself',
    given: 'packages: &p [*p]\n',
    want: ['error line 1: an alias lies inside of what it stands for'],
  },
  { name: 'half a character', given: '"x\\ud800": 1\n', want: [] },
  {
    name: 'two documents',
    given: 'a: 1\n---\nb: 1\n',
    want: ['error line 3: there are several documents, divided by ---'],
  },
  { name: 'a tag that no reader has', given: 'a: !secret 1\n', want: ['error line 2: unresolved tag: !secret'] },
  {
    name: 'a misspelt name',
    given: 'pakages: [vim]\n',
    want: ['warning line 2 (pakages): "pakages" is not known here; did you mean "packages"?'],
  },
  { name: 'a text for a list', given: 'runcmd: ls\n', want: ['error line 2 (runcmd): is text, and should be a list'] },
  {
    name: 'keys as one text',
    given: 'ssh_authorized_keys: ssh-ed25519 AAAA\n',
    want: ['error line 2 (ssh_authorized_keys): is text, and should be a list'],
  },
  {
    name: 'permissions that are a number in YAML 1.1',
    given: 'write_files:\n- path: /a\n  permissions: 0644\n',
    want: ['error line 4 (write_files[0].permissions): is the number 420, and should be text'],
  },
  {
    name: 'a file without path',
    given: 'write_files:\n- path: /a\n- content: x\n',
    want: ['error line 4 (write_files[1]): has no path'],
  },
  {
    name: 'a truth value in quotes',
    given: 'users:\n- name: a\n  lock_passwd: "no"\n',
    want: ['error line 4 (users[0].lock_passwd): is text, and should be true or false'],
  },
  {
    name: 'base64 that is none',
    given: 'write_files:\n- path: /a\n  encoding: b64\n  content: hello\n',
    want: ['error line 5 (write_files[0].content): is no base64, though encoding says so'],
  },
  {
    name: 'a network',
    given: 'network: {version: 2}\n',
    want: ['warning line 2 (network): user data cannot configure the network'],
  },
  {
    name: 'users in place of the default one, with a key pair for it',
    given: 'users:\n- name: a\n',
    hasKeyPair: true,
    want: ['warning line 2 (users): names users, but neither "default" nor anybody\'s keys'],
  },
  { name: 'the same without a key pair', given: 'users:\n- name: a\n', want: [] },
  {
    name: 'the same with keys of its own',
    given: 'users:\n- {name: a, ssh_import_id: ["gh:a"]}\n',
    hasKeyPair: true,
    want: [],
  },
]

describe('cloud-config, by checks of ours', () => {
  const own: readonly Case[] = [
    ...ALWAYS,
    {
      name: 'a command that is a mapping',
      given: 'runcmd:\n- ls\n- echo: x\n',
      want: ['error line 4 (runcmd[1]): is a mapping, and should be text, a list or nothing'],
    },
    { name: 'a user without a name', given: 'users:\n- nam: a\n', want: ['error line 3 (users[0]): has no name'] },
    {
      name: 'an encoding nobody knows',
      given: 'write_files:\n- {path: /a, encoding: uu}\n',
      want: [
        'error line 3 (write_files[0].encoding): is "uu", and should be one of "gz", "gzip", "gz+base64", "gzip+base64", "gz+b64", "gzip+b64", "b64", "base64", "text/plain"',
      ],
    },
    { name: 'something of a later release', given: 'brand_new: {a: 1}\n', want: [] },
  ]
  for (const { name, given, hasKeyPair, want } of own)
    it(name, () => assert.deepEqual(found(ownRules(), given, hasKeyPair), want))
})

describe("cloud-config, by cloud-init's own schema", { skip: guestRootProblem() ?? false }, () => {
  const rules = () => {
    const schema = findCloudInitSchema(guestRootPath())
    assert.ok(schema, 'the guest root has cloud-init')
    return cloudInitRules(JSON.parse(readFileSync(schema, 'utf8')))
  }
  const strict: readonly Case[] = [
    ...ALWAYS,
    {
      name: 'a member of a module that it does not have',
      given: 'ntp:\n  enabled: true\n  serverz: [a]\n',
      want: ['warning line 4 (ntp.serverz): "serverz" is not known here; did you mean "servers"?'],
    },
    {
      name: 'a command that is a mapping',
      given: 'runcmd:\n- ls\n- echo: x\n',
      want: ['error line 4 (runcmd[1]): is a mapping, and should be a list, text or nothing'],
    },
    {
      name: 'an empty list',
      given: 'bootcmd: []\n',
      want: ['error line 2 (bootcmd): has too few entries; at least 1'],
    },
    {
      name: 'several mistakes in one user',
      given: 'users:\n- name: a\n  lock_passwd: "no"\n  groops: x\n',
      want: [
        'error line 4 (users[0].lock_passwd): is text, and should be true or false',
        'warning line 5 (users[0].groops): "groops" is not known here; did you mean "groups"?',
      ],
    },
    {
      name: 'a choice of words',
      given: 'power_state: {mode: sleep}\n',
      want: ['error line 2 (power_state.mode): is "sleep", and should be one of "poweroff", "reboot", "halt"'],
    },
  ]
  for (const { name, given, hasKeyPair, want } of strict)
    it(name, () => assert.deepEqual(found(rules(), given, hasKeyPair).toSorted(), want.toSorted()))
})

describe('a schema that names all members', () => {
  const closed = cloudInitRules({
    $schema: 'http://json-schema.org/draft-04/schema#',
    properties: {
      packages: { type: 'array' },
      network: {},
      disk_setup: { patternProperties: { '.': { enum: ['gpt'] } } },
    },
    additionalProperties: false,
  })
  const cases: readonly Case[] = [
    {
      name: 'no name beside them',
      given: 'brand_new: 1\n',
      want: ['warning line 2 (brand_new): "brand_new" is not known here; known: packages, network, disk_setup'],
    },
    {
      name: 'told once',
      given: 'pakages: 1\n',
      want: ['warning line 2 (pakages): "pakages" is not known here; did you mean "packages"?'],
    },
    {
      name: 'names that need quotes',
      given: 'disk_setup: {/dev/vda: x}\n',
      want: ['error line 2 (disk_setup["/dev/vda"]): is "x", and should be one of "gpt"'],
    },
  ]
  for (const { name, given, want } of cases) it(name, () => assert.deepEqual(found(closed, given), want))
})

describe('a file that is no schema of cloud-config', () => {
  for (const given of [null, [], {}, { type: 'object' }, 'x'])
    it(JSON.stringify(given), () => assert.throws(() => cloudInitRules(given), /no JSON schema of cloud-config/))
})
