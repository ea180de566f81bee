import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readGuestFile } from '../src/host/guest-files.ts'
import { readKeptGuest } from '../src/host/kept-guest.ts'
import type { InstanceId } from '../src/inventory/records/ids.ts'

const ID = '0d2a3b4c-1111-4111-8111-111111111111' as InstanceId

describe('a file that a guest has left', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-left-'))
  const outside = join(directory, 'outside')
  const left = join(directory, 'left')
  mkdirSync(left)
  writeFileSync(outside, 'of the host')
  after(() => rmSync(directory, { recursive: true }))

  const cases: { name: string; make: (path: string) => void; want: string | undefined }[] = [
    { name: 'a file', make: (path) => writeFileSync(path, 'configured\n'), want: 'configured\n' },
    { name: 'a symbolic link', make: (path) => symlinkSync(outside, path), want: undefined },
    { name: 'a FIFO', make: (path) => execFileSync('mkfifo', [path]), want: undefined },
    { name: 'a directory', make: (path) => mkdirSync(path), want: undefined },
    { name: 'nothing', make: () => undefined, want: undefined },
    {
      name: 'more than anybody needs',
      make: (path) => {
        writeFileSync(path, '')
        truncateSync(path, 1_048_577)
      },
      want: undefined,
    },
  ]
  for (const { name, make, want } of cases)
    it(`${name}: ${want === undefined ? 'is not read' : 'is read'}`, () => {
      const file = name.replaceAll(' ', '-')
      make(join(left, file))
      assert.equal(readGuestFile(left, file)?.toString(), want)
    })

  it('is never one of another directory', () => assert.equal(readGuestFile(left, '../outside'), undefined))
})

describe('the record of a started guest', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-record-'))
  const path = join(directory, 'guest.json')
  after(() => rmSync(directory, { recursive: true }))
  const card = { name: 'eth0', tap: 'tap11111111-11', bridge: 'brq22222222-22', mac: 'fa:16:3e:00:00:01', mtu: 1500 }
  const kept = { guest: { id: ID, interfaces: [card] }, process: { pid: 4711, startTime: '123' } }

  const cases: { name: string; value: unknown; isRead: boolean }[] = [
    { name: 'as it is written', value: kept, isRead: true },
    { name: 'of another instance', value: { ...kept, guest: { ...kept.guest, id: 'x' } }, isRead: false },
    { name: 'with process 1', value: { ...kept, process: { pid: 1, startTime: '1' } }, isRead: false },
    {
      name: "with somebody's device",
      value: { ...kept, guest: { id: ID, interfaces: [{ ...card, tap: 'eth0' }] } },
      isRead: false,
    },
    { name: 'that is no object', value: null, isRead: false },
  ]
  for (const { name, value, isRead } of cases)
    it(`${name} is ${isRead ? '' : 'not '}believed`, () => {
      writeFileSync(path, JSON.stringify(value))
      assert.deepEqual(readKeptGuest(path, ID), isRead ? value : 'unreadable')
    })

  it('that does not exist means never started; one cut short does not', () => {
    assert.equal(readKeptGuest(join(directory, 'none'), ID), undefined)
    writeFileSync(path, '{"guest"')
    assert.equal(readKeptGuest(path, ID), 'unreadable')
    assert.throws(() => readKeptGuest(directory, ID), { code: 'EISDIR' })
  })
})
