import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { longestHeartbeatDelaySeconds, metadataAgentId, missingRegistration } from './registration.ts'

describe('the id of the metadata agent', () => {
  // Computed by neutron's own code; under the first one neutron-ovn-metadata-agent 21.0.0 registered itself.
  const cases = [
    { systemId: '11111111-2222-3333-4444-555555555555', want: 'a1695bce-bb1b-537b-a286-cecc98070852' },
    { systemId: 'compute-1', want: 'ef4b08c7-4be3-5738-a4fa-e02d697fb653' },
  ]
  for (const { systemId, want } of cases)
    it(`of chassis ${systemId} is neutron's`, () => assert.equal(metadataAgentId(systemId), want))
})

describe('the registration', () => {
  const ours = { systemId: 'compute-1', bridge: 'br-int', nbCfg: 7 }
  const written = [
    ['neutron:ovn-metadata-id', 'ef4b08c7-4be3-5738-a4fa-e02d697fb653'],
    ['neutron:ovn-bridge', 'br-int'],
    ['neutron:ovn-metadata-sb-cfg', '7'],
  ] as const

  it('is written to a new chassis', () => {
    assert.deepEqual([...missingRegistration(new Map(), ours)], written)
    assert.deepEqual([...missingRegistration(new Map(), { ...ours, nbCfg: undefined })], written.slice(0, 2))
  })

  it('is left alone where it is there, an id of another making too', () => {
    const present = new Map([...written, ['neutron:description-metadata', 'rack 4']])
    assert.deepEqual([...missingRegistration(present, ours)], [])
    assert.deepEqual([...missingRegistration(new Map([...written, ['neutron:ovn-metadata-id', 'other']]), ours)], [])
  })

  it('tells only what changed', () => {
    const changed = missingRegistration(new Map(written), { ...ours, nbCfg: 8 })
    assert.deepEqual([...changed], [['neutron:ovn-metadata-sb-cfg', '8']])
  })

  it('is refreshed within three to ten seconds', () => {
    assert.deepEqual([1, 9, 15, 75, 600].map(longestHeartbeatDelaySeconds), [3, 3, 5, 10, 10])
  })
})
