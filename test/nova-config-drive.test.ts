import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DriveContext, driveFiles } from '../src/config-drive/layout.ts'
import { SKIPPED_VERSIONS } from '../src/config-drive/skipped-versions.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import { readDrives, recordedInstance, recordedSettings, recordedTargets } from './nova-recordings.ts'

for (const { name, drive } of readDrives()) {
  test(`the config drive of ${name} holds the files of Nova's, in its order`, () => {
    const instance = recordedInstance(name)
    const files = driveFiles(instance, driveContext(instance))
    assert.deepEqual(
      files.map(({ path }) => path),
      drive.files.map(({ path }) => path),
    )
    for (const [index, file] of drive.files.entries()) {
      const content = Buffer.from(files[index]?.content ?? assert.fail(file.path))
      assert.equal(content.length, file.bytes, file.path)
      const recorded = Buffer.from(file.b64 ?? file.text ?? '', file.b64 === undefined ? 'utf8' : 'base64')
      const masked = content.toString('latin1').replace(/("random_seed": ")[^"]*"/, '$1*"')
      assert.equal(masked, recorded.toString('latin1'), file.path)
    }
  })
}

function driveContext(instance: Instance): DriveContext {
  return {
    release: 'zed',
    dhcpDomain: recordedSettings.dhcpDomain,
    vendorData: {
      providers: ['StaticJSON', 'DynamicJSON'],
      static: recordedSettings.staticVendorData,
      dynamic: recordedTargets(instance),
    },
    skipVersions: SKIPPED_VERSIONS,
    seed: Buffer.from('any'),
  }
}
