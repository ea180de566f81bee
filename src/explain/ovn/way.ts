import type { Fault } from '../fault.ts'
import { documentFaults } from '../faults/documents.ts'
import { guestFaults } from '../faults/guest.ts'
import { namespaceFaults } from '../faults/namespace.ts'
import { proxyFaults } from '../faults/proxy.ts'
import { recordFaults } from '../faults/records.ts'
import { serviceFaults } from '../faults/service.ts'
import type { Way } from '../way.ts'
import { bindingFaults } from './binding.ts'
import { connectionFaults } from './connections.ts'
import type { OvnFacts } from './facts.ts'
import { flowFaults } from './flows.ts'
import { OVN_HOPS, OVN_STEPS } from './steps.ts'
import { switchFaults } from './switch.ts'

/** Faults that only this way has. */
export const OVN_FAULTS: readonly Fault<OvnFacts>[] = [
  ...connectionFaults,
  ...bindingFaults,
  ...switchFaults,
  ...flowFaults,
]

/** Of these OVN has better ones: where two ports have an address, what answers on a network, how devices are joined. */
const REPLACED: readonly string[] = ['address-ambiguous', 'dhcp-port-down', 'device-missing']

const isKept = ({ id }: Fault) => !REPLACED.includes(id)
/** Without it everything in it is missing as well; without its devices, their addresses. */
const isWhole = ({ id }: Fault) => id === 'namespace-missing'

/** What follows from others is told before what the agent says of it: whom it does not find is bound nowhere. */
const isFelt = ({ isSymptom }: Pick<Fault, 'isSymptom'>) => isSymptom === true

/** The integration bridge of Open vSwitch, flows of OVN, and a namespace for each network. */
export const OVN: Way<OvnFacts> = {
  hops: OVN_HOPS,
  steps: OVN_STEPS,
  faults: [
    ...connectionFaults,
    ...bindingFaults.filter(isFelt),
    ...recordFaults.filter(isKept),
    ...serviceFaults,
    ...bindingFaults.filter((fault) => !isFelt(fault)),
    ...namespaceFaults.filter(isWhole),
    ...switchFaults,
    ...namespaceFaults.filter((fault) => isKept(fault) && !isWhole(fault)),
    ...flowFaults,
    ...proxyFaults,
    ...guestFaults,
    ...documentFaults,
  ],
}
