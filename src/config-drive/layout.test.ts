import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { exampleContext, exampleInstance } from '../../test/nova-example.ts'
import { type DriveContext, driveFiles } from './layout.ts'
import { SKIPPED_VERSIONS } from './skipped-versions.ts'

const CONTEXT: DriveContext = { ...exampleContext(), skipVersions: SKIPPED_VERSIONS, seed: Buffer.from('seed') }

function files(changes: Parameters<typeof exampleInstance>[0] = {}, context: Partial<DriveContext> = {}) {
  return new Map(
    driveFiles(exampleInstance(changes), { ...CONTEXT, ...context }).map(({ path, content }) => [
      path,
      Buffer.from(content).toString(),
    ]),
  )
}
const seedOf = (document: string | undefined): string => JSON.parse(document ?? '{}').random_seed

describe('the files of a config drive', () => {
  it('have a seed of their own in each version, drawn from the drive’s', () => {
    const [first, second] = [files(), files()]
    assert.deepEqual(first, second)
    const seed = (version: string) => seedOf(first.get(`openstack/${version}/meta_data.json`))
    assert.equal(Buffer.from(seed('latest'), 'base64').length, 512)
    assert.notEqual(seed('latest'), seed('2020-10-14'))
    const other = files({}, { seed: Buffer.from('other') })
    assert.notEqual(seedOf(other.get('openstack/latest/meta_data.json')), seed('latest'))
  })

  it('leave out the EC2 versions that are to be skipped, and those alone', () => {
    const paths = [...files({}, { skipVersions: ['2009-04-04', '2020-10-14'] }).keys()]
    assert.ok(paths.includes('ec2/1.0/meta-data.json'))
    assert.ok(!paths.some((path) => path.startsWith('ec2/2009-04-04/')))
    assert.ok(paths.includes('openstack/2020-10-14/meta_data.json'))
    assert.ok(!files({}, { skipVersions: ['latest'] }).has('ec2/latest/meta-data.json'))
  })

  it('follow the release', () => {
    assert.ok(!files().has('openstack/2025-04-04/meta_data.json'))
    assert.ok(files({}, { release: 'master' }).has('openstack/2025-04-04/meta_data.json'))
  })

  it('have user data when it is set, also to nothing', () => {
    assert.equal(files({ userData: '' }).get('openstack/latest/user_data'), '')
    assert.equal(files({ userData: null }).has('openstack/latest/user_data'), false)
    assert.equal(files({ userData: null }).has('ec2/latest/user-data'), false)
  })

  it('have no vendor_data.json without StaticJSON, where Nova builds nothing', () => {
    const paths = [...files({}, { vendorData: { providers: [], static: undefined, dynamic: [] } }).keys()]
    assert.ok(!paths.includes('openstack/latest/vendor_data.json'))
    assert.ok(paths.includes('openstack/latest/vendor_data2.json'))
  })

  it('never have the password a guest posted', () =>
    assert.ok(![...files({ password: 'secret' }).entries()].flat().some((text) => /password|secret/.test(text))))
})
