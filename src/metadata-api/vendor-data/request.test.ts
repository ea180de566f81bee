import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleInstance } from '../../../test/nova-example.ts'
import { vendorDataRequest } from './request.ts'

test('a target hears what Nova tells it, byte for byte', () => {
  const instance = exampleInstance({
    properties: [
      ['10', 'ten first'],
      ['café', '2'],
    ],
    bootRoles: ['member', 'reader'],
  })
  assert.equal(
    vendorDataRequest(instance),
    '{"project-id": "proj", "instance-id": "b65cee2f-8c69-4aeb-be2f-f79742548fc2", ' +
      '"image-id": "15de44d8-edac-5632-8c18-e840bdfc9ca4", "user-data": "IyEvYmluL3NoCg==", "hostname": "test", ' +
      '"metadata": {"10": "ten first", "caf\\u00e9": "2"}, "boot-roles": "member,reader"}',
  )
})

test('what an instance does not have is null, empty text or an empty object', () => {
  const { imageRef, userData } = { imageRef: '', userData: null }
  assert.match(
    vendorDataRequest(exampleInstance({ imageRef, userData })),
    /"image-id": "", "user-data": null, "hostname": "test", "metadata": \{\}, "boot-roles": ""\}$/,
  )
})
