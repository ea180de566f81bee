import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import {
  buildConfigDrive,
  bytesSource,
  type DriveInstance,
  DriveProblem,
  imageBytes,
  readImage,
} from '../src/config-drive/build.ts'

/** `import { buildConfigDrive } from 'firstboot/config-drive'`, as a Node program uses it. */
const ROOT = new URL('../', import.meta.url)
const WEB: DriveInstance = {
  id: '5b0c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e',
  hostname: 'web-1',
  userData: Buffer.from('#!/bin/sh\n').toString('base64'),
}
const OPTIONS = { timestamp: new Date('2026-01-02T03:04:06Z'), seed: Buffer.from('seed') }

describe('the package’s config drive', () => {
  it('is published from the sources that are tested here', () => {
    const { exports } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8'))
    const compiled: string = exports['./config-drive'].default
    const source = compiled.replace('./dist/', 'src/').replace(/\.js$/, '.ts')
    assert.ok(existsSync(new URL(source, ROOT)), source)
    assert.equal(new URL(source, ROOT).href, new URL('src/config-drive/build.ts', ROOT).href)
  })

  for (const format of ['iso9660', 'vfat'] as const)
    it(`needs no more than who the instance is: ${format}`, () => {
      const image = buildConfigDrive(WEB, { ...OPTIONS, format, sizeBytes: 8 * 1024 * 1024 })
      const bytes = imageBytes(image)
      assert.ok(bytes.equals(imageBytes(buildConfigDrive(WEB, { ...OPTIONS, format, sizeBytes: 8 * 1024 * 1024 }))))
      const drive = readImage(bytesSource(bytes))
      const metaData = JSON.parse(Buffer.from(drive.read('openstack/latest/meta_data.json') ?? '').toString())
      assert.deepEqual([metaData.uuid, metaData.hostname, metaData.name], [WEB.id, 'web-1.novalocal', 'web-1'])
      assert.equal(Buffer.from(drive.read('openstack/latest/user_data') ?? '').toString(), '#!/bin/sh\n')
    })

  for (const [what, instance, options, says] of [
    ['no id', { hostname: 'web-1' }, OPTIONS, /the instance has no id/],
    ['no hostname', { id: WEB.id }, OPTIONS, /the instance has no hostname/],
    ['another release', WEB, { ...OPTIONS, release: 'toString' }, /the release is "toString", and none of zed, master/],
    ['no seed', WEB, { timestamp: OPTIONS.timestamp }, /there is no seed; give random bytes/],
    ['an empty seed', WEB, { ...OPTIONS, seed: new Uint8Array() }, /there is no seed/],
    ['no timestamp', WEB, { seed: OPTIONS.seed }, /there is no timestamp; give a Date/],
    ['another format', WEB, { ...OPTIONS, format: 'nocloud' }, /the format is "nocloud", and none of iso9660, vfat/],
  ] as const)
    it(`is no drive of something else when a JavaScript program gives ${what}`, () =>
      assert.throws(
        () => buildConfigDrive(instance as DriveInstance, options as typeof OPTIONS),
        (error) => error instanceof DriveProblem && says.test(error.message),
      ))

  it('is refused before there is anything of it', () =>
    assert.throws(
      () => buildConfigDrive({ ...WEB, files: [{ path: '../x', contents: '' }] }, OPTIONS),
      (error) => error instanceof DriveProblem && /climbs out/.test(error.message),
    ))
})
