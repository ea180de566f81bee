import { describeDirectory } from '../../contract/port-directory.ts'
import { neutronApi } from './neutron-api.ts'
import { openWorldInNeutron } from './world-in-neutron.ts'

// Run by `node --test` in the peer's network namespace, with the address of its Neutron.

describeDirectory('the real Neutron', () => openWorldInNeutron(neutronApi(process.env['FIRSTBOOT_PEER_NEUTRON'] ?? '')))
