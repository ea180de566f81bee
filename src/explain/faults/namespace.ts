import { type Fault, knownOf } from '../fault.ts'
import { byIpv6, placesOf } from '../ipv6.ts'
import { stepFault } from './step-fault.ts'

/** The namespace that is to answer. */
export const namespaceFaults: readonly Fault[] = [
  stepFault(['netns-add', 'netns-claim'], {
    id: 'namespace-missing',
    symptom: 'no lease, or no answer from 169.254.169.254, for every guest there',
    cause: 'somebody deleted the namespace that answers, or somebody else owns the name',
    recognised: 'the datapath would make it',
    expected: 'the namespace is there, and marked as ours',
  }),
  stepFault(
    ['device-add', 'device-set'],
    {
      id: 'device-missing',
      symptom: 'no lease, or no answer from 169.254.169.254',
      cause: 'the namespace lost its device on the network, or it is down or on another bridge',
      recognised: 'the datapath would make or correct the device',
      expected: 'the namespace has its device on the network',
    },
    // Small MTUs have a name of their own, and so have addresses that are to be announced.
    ({ why }) => !/MTU|have to hear of/.test(why),
  ),
  {
    id: 'dad-failed',
    step: 'namespace',
    severity: 'broken',
    symptom: 'guests that ask by IPv6 get no answer',
    cause: 'somebody else on the network has an IPv6 address of ours',
    recognised: 'the kernel refuses the address (dadfailed)',
    expected: 'the addresses of the namespace can be used',
    mend: 'find who has it (ip neigh, tcpdump on the bridge) and take it away there; then ip address del it: it is set again',
    judge: (facts) =>
      placesOf(facts)
        .flatMap(({ inside }) => knownOf(inside)?.refused ?? [])
        .map(({ device, address }) => byIpv6(facts, `${address} on ${device} is somebody else’s`)),
  },
  stepFault(['address-add'], {
    id: 'address-missing',
    symptom: 'no answer from 169.254.169.254, or no lease',
    cause: 'somebody took an address away from the namespace',
    recognised: 'the datapath would add it',
    expected: 'the namespace has the metadata address and that of its port',
  }),
  stepFault(['route-set'], {
    id: 'route-missing',
    symptom: 'answers do not find their way back',
    cause: 'somebody took a route away from the namespace',
    recognised: 'the datapath would set it',
    expected: 'the namespace has its routes',
  }),
  stepFault(['sysctl-set'], {
    id: 'sysctl-changed',
    symptom: 'the router forwards nothing, or answers on the wrong network',
    cause: 'somebody changed a setting of the namespace',
    recognised: 'the datapath would set it',
    expected: 'the settings of the namespace are those of the plan',
  }),
  stepFault(['firewall-set'], {
    id: 'rule-missing',
    symptom: 'no answer from 169.254.169.254 behind the router',
    cause: 'somebody changed the rules of the router: nothing sends requests to the proxy any more',
    recognised: 'the rules of our chains are others than those of the plan',
    expected: 'the router has the rules of the plan',
  }),
]
