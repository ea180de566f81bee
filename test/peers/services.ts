import { randomBytes } from 'node:crypto'
import { serverOptions } from '../../src/daemons/guest-server.ts'
import { RANDOM_SEED_BYTES } from '../../src/documents/context.ts'
import { type Serving, serve } from '../../src/http/server.ts'
import { silentLog } from '../../src/observe/log.ts'
import { type Ec2IdsByCase, instancesOf, readInputs } from '../nova-inputs.ts'
import { recordedTargets } from '../nova-recordings.ts'
import { FakeInventory, startService } from '../nova-service.ts'

/** As `firstboot metadata-api` takes them. */
const HEAD_BYTES = 64 * 1024

/** Our metadata API over HTTP, which knows of the instances what Nova was told. */
export function serveOurs(inputs: string, ec2Ids: Ec2IdsByCase): Promise<Serving> {
  const known = readInputs(inputs)
  const inventory = new FakeInventory(instancesOf(known, ec2Ids).values())
  const { handler } = startService(inventory, {
    sharedSecret: known.shared_secret,
    options: {
      release: 'zed',
      dhcpDomain: known.dhcp_domain,
      serviceMetadataProxy: true,
      vendordataProviders: ['StaticJSON', 'DynamicJSON'],
    },
    staticVendorData: known.vendordata_static,
    dynamicVendorData: async (instance) => recordedTargets(instance),
    today: () => new Date().toISOString().slice(0, 10),
    randomSeed: () => randomBytes(RANDOM_SEED_BYTES),
  })
  return serve(
    handler,
    { host: '127.0.0.1', port: 0 },
    { ...serverOptions(silentLog), limits: { headBytes: HEAD_BYTES } },
  )
}
