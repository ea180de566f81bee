import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { recognise } from './adopted.ts'

const STATE = '/var/lib/firstboot'
const DHCP = `${STATE}/dhcp/n1`
const RA = `${STATE}/ra/r1`
const PROXY = `${STATE}/ns-metadata-proxy/r1`

describe('a command line is one of ours', () => {
  const cases = [
    {
      name: 'dnsmasq as root',
      given: `dnsmasq --no-hosts --pid-file=${DHCP}/pid --port=0 --keep-in-foreground --log-facility=- --user=root --group=`,
      want: { kind: 'dnsmasq', directory: DHCP, arguments: ['--no-hosts', `--pid-file=${DHCP}/pid`, '--port=0'] },
    },
    {
      name: 'radvd as its own user',
      given: `radvd -C ${RA}/radvd.conf -p ${RA}/pid -n -m stderr -u radvd`,
      want: { kind: 'radvd', directory: RA, arguments: ['-C', `${RA}/radvd.conf`, '-p', `${RA}/pid`] },
    },
    {
      name: 'haproxy, whatever the path of the program',
      given: `/usr/sbin/haproxy -f ${PROXY}/haproxy.conf -db`,
      want: { kind: 'haproxy', directory: PROXY, arguments: ['-f', `${PROXY}/haproxy.conf`] },
    },
    { name: 'not of another state directory', given: `haproxy -f /other${PROXY}x/haproxy.conf -db`, want: undefined },
    { name: 'not an editor with such a file', given: `vi -n ${RA}/radvd.conf`, want: undefined },
    { name: 'not somebody who follows a log', given: `tail -f ${PROXY}/haproxy.conf`, want: undefined },
    {
      name: 'not one whose directory is above ours',
      given: `haproxy -f ${STATE}/ns-metadata-proxy/../haproxy.conf -db`,
      want: undefined,
    },
    { name: 'not one without any directory', given: 'haproxy -f /etc/haproxy/haproxy.cfg -db', want: undefined },
  ]
  for (const { name, given, want } of cases) it(name, () => assert.deepEqual(recognise(STATE, given.split(' ')), want))
})
