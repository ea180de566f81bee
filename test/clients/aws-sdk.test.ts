import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { MetadataService } from '@aws-sdk/ec2-metadata-service'
import { fromInstanceMetadata } from '@smithy/credential-provider-imds'
import { eventually } from '../support/eventually.ts'
import { type ServeProcess, startServe } from './serve-process.ts'

/** Its time-outs are 1 s; an application that starts on OpenStack must not notice that it looked. */
const FAST_MILLISECONDS = 800

describe('the SDK of AWS', () => {
  let serve: ServeProcess
  let endpoint: string
  before(async () => {
    serve = await startServe('--as', 'web-1')
    endpoint = `http://127.0.0.1:${serve.port}`
    Object.assign(process.env, {
      AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    })
  })
  after(() => serve.stop())

  it('finds no role, without tokens, and quickly', async () => {
    const provide = fromInstanceMetadata({ timeout: 1_000, maxRetries: 0 })
    const started = performance.now()
    await assert.rejects(provide(), (error: Error) => 'statusCode' in error && error.statusCode === 404)
    assert.ok(performance.now() - started < FAST_MILLISECONDS, `${performance.now() - started} ms`)
    await assert.rejects(provide())
    const asked = () => serve.printed.map((line) => /(GET|PUT) \S+ +\d+/.exec(line)?.[0])
    await eventually('all its requests are printed', () => asked().length >= 3)
    assert.deepEqual(asked(), [
      'PUT /latest/api/token  404',
      'GET /latest/meta-data/iam/security-credentials/  404',
      // The second time it remembers that there are no tokens.
      'GET /latest/meta-data/iam/security-credentials/  404',
    ])
  })

  it('reads the EC2 tree by version 1', async () => {
    const service = new MetadataService({ endpoint, retries: 0, httpOptions: { timeout: 1_000 } })
    assert.equal(await service.request('/latest/meta-data/local-ipv4', {}), '10.9.0.11')
    assert.match(await service.request('/latest/meta-data/instance-id', {}), /^i-[0-9a-f]{8}$/)
    await assert.rejects(service.request('/latest/dynamic/instance-identity/document', {}), /404/)
  })

  it('is recognised', async () => {
    assert.equal(await serve.stop(), 0)
    assert.match(serve.printed.join('\n'), /web-1: AWS SDK has everything it needs/)
  })
})
