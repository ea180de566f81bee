import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Context } from '../src/documents/context.ts'
import { entryJson } from '../src/documents/directory.ts'
import { ec2MetaData } from '../src/documents/ec2/meta-data.ts'
import { ec2Version } from '../src/documents/ec2/versions.ts'
import { writeJson } from '../src/documents/json.ts'
import { locate, readPlace } from '../src/documents/tree.ts'
import type { Instance } from '../src/inventory/records/instance.ts'
import { readDrives, recordedInstance, recordedSettings, recordedTargets } from './nova-recordings.ts'

for (const { name, drive } of readDrives()) {
  test(`the documents of ${name} are those on Nova's config drive`, () => {
    const instance = recordedInstance(name)
    for (const file of drive.files) {
      const body = Buffer.from(
        read(file.path, instance, driveContext(instance)) ?? assert.fail(`${file.path} is missing`),
      )
      assert.equal(body.length, file.bytes, file.path)
      const recorded = Buffer.from(file.b64 ?? file.text ?? '', file.b64 === undefined ? 'utf8' : 'base64')
      const masked = body.toString('latin1').replace(/("random_seed": ")[^"]*"/, '$1*"')
      assert.equal(masked, recorded.toString('latin1'), file.path)
    }
  })
}

function driveContext(instance: Instance): Context {
  return {
    release: 'zed',
    dhcpDomain: recordedSettings.dhcpDomain,
    carrier: 'config-drive',
    today: '2026-08-01',
    randomSeed: new Uint8Array(512).fill(1),
    requesterAddress: null,
    vendorData: {
      providers: ['StaticJSON', 'DynamicJSON'],
      static: recordedSettings.staticVendorData,
      dynamic: recordedTargets(instance),
    },
  }
}

/** A drive has one file where HTTP has the tree below `meta-data`. */
function read(path: string, instance: Instance, context: Context): Uint8Array | undefined {
  const names = path.split('/')
  if (names[2] === 'meta-data.json') {
    const version = ec2Version(names[1] ?? '') ?? assert.fail(path)
    return Buffer.from(writeJson(entryJson(ec2MetaData(version, instance, context))))
  }
  const place = locate(names, context.release)
  return place && readPlace(place, instance, context)?.body
}
