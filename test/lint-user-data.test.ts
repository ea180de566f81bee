import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ownRules } from '../src/lint/cloud-config/rules.ts'
import { placeText } from '../src/lint/finding.ts'
import { examinePiece } from '../src/lint/user-data/examine.ts'
import { wholePiece } from '../src/lint/user-data/piece.ts'

/** `error user-data/crlf @ user data, line 1` for each finding. */
function found(given: string | Uint8Array, hasKeyPair = false): readonly string[] {
  const bytes = typeof given === 'string' ? Buffer.from(given) : given
  return examinePiece(wholePiece(bytes), { rules: ownRules(), hasKeyPair }).map(
    ({ severity, check, place }) => `${severity} ${check} @ ${placeText(place)}`,
  )
}

const SCRIPT = '#!/bin/sh\necho hello\n'
const CONFIG = '#cloud-config\npackages: [vim]\n'
const message = (...lines: readonly string[]) => `${lines.join('\n')}\n`
const multipart = (...lines: readonly string[]) =>
  message('Content-Type: multipart/mixed; boundary="B"', 'MIME-Version: 1.0', '', ...lines)

interface Case {
  readonly name: string
  readonly given: string | Uint8Array
  readonly want: readonly string[]
}

function cases(title: string, rows: readonly Case[]): void {
  describe(title, () => {
    for (const { name, given, want } of rows) it(name, () => assert.deepEqual(found(given), want))
  })
}

cases('user data that a guest knows', [
  { name: 'nothing', given: '', want: [] },
  { name: 'a script', given: SCRIPT, want: [] },
  { name: 'a script with a blank behind #!', given: '#! /usr/bin/env python3\n', want: [] },
  { name: 'cloud-config', given: CONFIG, want: [] },
  { name: 'addresses to include', given: '#include\n# mine\nhttps://example.org/a\n', want: [] },
  { name: 'one address on the line itself', given: '#include-once http://example.org/a\n', want: [] },
  { name: 'a boothook', given: '#cloud-boothook\n#!/bin/sh\n', want: [] },
  { name: 'a part handler', given: '#part-handler\ndef list_types(): pass\n', want: [] },
  { name: 'a template', given: '## template: jinja\n#cloud-config\nhostname: {{ v1.instance_id }}\n', want: [] },
  { name: 'PowerShell', given: '#ps1_sysnative\r\nGet-Date\r\n', want: [] },
  { name: 'a batch file', given: 'rem cmd\r\ndir\r\n', want: [] },
  { name: 'Ignition', given: '{"ignition": {"version": "3.4.0"}}', want: [] },
  { name: 'a machine config of Talos', given: 'version: v1alpha1\nmachine:\n  type: worker\n', want: [] },
  { name: 'a configuration of NixOS', given: '{ config, pkgs, ... }:\n{ }\n', want: [] },
  { name: 'gzip of a script', given: gzipSync(SCRIPT), want: [] },
  { name: 'a list of JSON patches', given: '#cloud-config-jsonp\n[{"op": "remove", "path": "/a"}]', want: [] },
])

cases('the first line', [
  { name: 'text', given: 'hello\n', want: ['error user-data/first-line @ user data, line 1'] },
  { name: 'a blank in it', given: '# cloud-config\na: 1\n', want: ['error user-data/first-line @ user data, line 1'] },
  { name: 'underscores', given: '#cloud_config\na: 1\n', want: ['error user-data/first-line @ user data, line 1'] },
  { name: 'misspelt', given: '#clod-config\na: 1\n', want: ['error user-data/first-line @ user data, line 1'] },
  { name: 'none, but cloud-config', given: 'runcmd: [ls]\n', want: ['error user-data/first-line @ user data, line 1'] },
  {
    name: 'hidden by a byte order mark',
    given: `\ufeff${CONFIG}`,
    want: ['error user-data/byte-order-mark @ user data, line 1'],
  },
  {
    name: 'in UTF-16',
    given: Buffer.from(`\ufeff${CONFIG}`, 'utf16le'),
    want: ['error user-data/byte-order-mark @ user data, line 1'],
  },
  { name: 'bytes', given: Uint8Array.of(0xff, 0x00, 0x80), want: ['error user-data/binary @ user data'] },
  {
    name: 'an empty line before a script',
    given: `\n${SCRIPT}`,
    want: ['error user-data/leading-blank @ user data, line 1'],
  },
  {
    name: 'an empty line before cloud-config',
    given: `\n${CONFIG}`,
    want: ['warning user-data/leading-blank @ user data, line 1'],
  },
  { name: 'base64 of a script', given: btoa(SCRIPT), want: ['error user-data/base64-twice @ user data'] },
  {
    name: 'base64 of gzip, with line ends',
    given: gzipSync(SCRIPT).toString('base64').replace(/.{20}/g, '$&\n'),
    want: ['error user-data/base64-twice @ user data'],
  },
  { name: 'Butane', given: 'variant: fcos\nversion: 1.5.0\n', want: ['warning user-data/butane @ user data'] },
  { name: 'an upstart job', given: '#upstart-job\n', want: ['warning upstart/obsolete @ user data, line 1'] },
])

cases('scripts', [
  { name: 'Windows line ends', given: '#!/bin/sh\r\nls\r\n', want: ['warning user-data/crlf @ user data, line 1'] },
  {
    name: 'Windows line ends further down',
    given: '#!/bin/sh\nls\r\n',
    want: ['error user-data/mixed-line-ends @ user data, line 2'],
  },
  { name: 'no interpreter', given: '#!sh\nls\n', want: ['error user-data/interpreter @ user data, line 1'] },
])

cases('lists and templates', [
  {
    name: 'a path to include',
    given: '#include\nhttp://example.org/\n/etc/motd\n',
    want: ['error include/address @ user data, line 3'],
  },
  {
    name: 'a template of nothing known',
    given: '## template: jinja\npackages: [vim]\n',
    want: ['error jinja/second-line @ user data, line 2'],
  },
  {
    name: 'a patch that is a mapping',
    given: '#cloud-config-jsonp\n{}',
    want: ['error jsonp/patch @ user data, line 2'],
  },
])

cases('gzip', [
  { name: 'cut off', given: gzipSync(SCRIPT).subarray(0, 20), want: ['error user-data/gzip @ user data'] },
  {
    name: 'of something unknown',
    given: gzipSync('hello'),
    want: ['error user-data/first-line @ user data, unpacked, line 1'],
  },
  {
    name: 'of gzip, to any depth',
    given: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].reduce((b) => gzipSync(b), gzipSync(SCRIPT)),
    want: [],
  },
  { name: 'of 20 MiB', given: gzipSync(Buffer.alloc(20 * 1024 * 1024)), want: ['error user-data/gzip @ user data'] },
])

const ignition = (version: string) => JSON.stringify({ ignition: { version } })
cases('Ignition', [
  { name: 'no JSON', given: '{"ignition": {"version": "3.4.0"},}', want: ['error ignition/json @ user data, line 1'] },
  { name: 'no version', given: '{"ignition": {}}', want: ['error ignition/version @ user data (ignition.version)'] },
  { name: 'version 4', given: ignition('4.0.0'), want: ['error ignition/version @ user data (ignition.version)'] },
  {
    name: 'a version to come',
    given: ignition('3.99.0'),
    want: ['warning ignition/version @ user data (ignition.version)'],
  },
  { name: 'version 2', given: ignition('2.3.0'), want: ['warning ignition/version @ user data (ignition.version)'] },
  {
    name: 'an experiment',
    given: ignition('3.7.0-experimental'),
    want: ['warning ignition/version @ user data (ignition.version)'],
  },
  {
    name: 'version 1',
    given: '{"ignitionVersion": 1}',
    want: ['warning ignition/version @ user data (ignitionVersion)'],
  },
])

cases('MIME', [
  {
    name: 'parts of many sorts',
    given: multipart(
      'a preamble',
      '--B',
      'Content-Type: text/x-shellscript; charset="us-ascii"',
      'Content-Transfer-Encoding: base64',
      '',
      btoa(SCRIPT),
      '--B',
      'Content-Type: text/cloud-config',
      '',
      'packages: [vim]',
      '--B',
      'Content-Type: application/gzip',
      'Content-Transfer-Encoding: base64',
      '',
      gzipSync(CONFIG).toString('base64'),
      '--B',
      'Content-Type: text/plain',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '#!/bin/sh=0Aecho =',
      'hello',
      '--B',
      '',
      '#cloud-config',
      '--B--',
    ),
    want: ['warning cloud-config/mapping @ user data, part 5'],
  },
  {
    name: 'with Windows line ends',
    given: multipart('--B', '', SCRIPT, '--B--').replaceAll('\n', '\r\n'),
    want: ['warning user-data/crlf @ user data, part 1, line 1'],
  },
  { name: 'one entity', given: message('MIME-Version: 1.0', 'Content-Type: text/cloud-config', '', 'a: 1'), want: [] },
  {
    name: 'a folded header',
    given: message(
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed;',
      ' boundary=B',
      '',
      '--B',
      '',
      '#!/bin/sh',
      '--B--',
    ),
    want: [],
  },
  {
    name: 'mistakes in parts are told by part and line',
    given: multipart(
      '--B',
      'Content-Type: text/cloud-config',
      'Content-Disposition: attachment; filename="a.cfg"',
      '',
      '# mine',
      'runcmd: ls',
      '--B',
      'Content-Type: text/x-shelscript',
      '',
      SCRIPT,
      '--B--',
    ),
    want: [
      'error cloud-config/shape @ user data, part 1 "a.cfg", line 2 (runcmd)',
      'error mime/type @ user data, part 2',
    ],
  },
  {
    name: 'parts in parts',
    given: multipart(
      '--B',
      'Content-Type: multipart/alternative; boundary=in',
      '',
      '--in',
      'Content-Type: text/plain',
      '',
      'hello',
      '--in--',
      '--B--',
    ),
    want: ['error user-data/first-line @ user data, part 1, part 1, line 1'],
  },
  {
    name: 'no boundary',
    given: message('Content-Type: multipart/mixed', 'MIME-Version: 1.0', '', '--B', '', SCRIPT, '--B--'),
    want: ['error mime/boundary @ user data'],
  },
  {
    name: 'a boundary that never comes',
    given: multipart('--C', '', SCRIPT, '--C--'),
    want: ['error mime/boundary @ user data'],
  },
  { name: 'cut off', given: multipart('--B', '', SCRIPT), want: ['warning mime/closing @ user data'] },
  {
    name: 'base64 that is none',
    given: multipart('--B', 'Content-Transfer-Encoding: base64', '', SCRIPT, '--B--'),
    want: ['error mime/encoding @ user data, part 1'],
  },
  {
    name: 'without MIME-Version',
    given: message('Content-Type: multipart/mixed; boundary="B"', '', '--B', '', SCRIPT, '--B--'),
    want: ['error user-data/mime-version @ user data, line 1'],
  },
  {
    name: 'MIME-Version below an empty line',
    given: message('Content-Type: multipart/mixed; boundary="B"', '', 'MIME-Version: 1.0', '--B', '', SCRIPT, '--B--'),
    want: ['error mime/header @ user data, line 1'],
  },
])

cases('a script that writes a mail', [
  {
    name: 'is taken for a message by cloud-init',
    given: '#!/bin/sh\nprintf "MIME-Version: 1.0"\n',
    want: ['error user-data/mime-sign @ user data, line 2'],
  },
  { name: 'is none when it begins late enough', given: `${SCRIPT}${'#'.repeat(4096)}\nMIME-Version: 1.0\n`, want: [] },
  { name: 'may be a part', given: multipart('--B', '', SCRIPT, 'echo MIME-Version: 1.0', '--B--'), want: [] },
])

cases('archives', [
  {
    name: 'texts and mappings',
    given:
      '#cloud-config-archive\n- "#!/bin/sh"\n- type: text/cloud-config\n  content: |\n    packages: [vim]\n- packages: [vim]\n',
    want: ['error archive/entry @ user data, line 6'],
  },
  { name: 'a mapping', given: '#cloud-config-archive\na: 1\n', want: ['error archive/list @ user data'] },
  {
    name: 'a mistake in an entry',
    given:
      '#cloud-config-archive\n- type: text/cloud-config\n  filename: x\n  content: "runcmd: ls"\n- type: text/nothing\n  content: a\n',
    want: [
      'error cloud-config/shape @ user data, part 1 "x", line 1 (runcmd)',
      'error archive/type @ user data, part 2',
    ],
  },
])
