import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readOffer, readTrace } from './trace.ts'

/** As ovn-trace of OVN 23.03 says it; the last as OVN 24.03, where one stage decides and another drops. */
const REACHES = `# tcp,reg14=0x2,dl_src=fa:16:3e:00:01:01

ingress(dp="net", inport="red-1")
---------------------------------
 0. ls_in_check_port_sec (northd.c:8432): 1, priority 50, uuid 100b1b44
    reg0[15] = check_in_port_sec();
    next;
25. ls_in_l2_lkup (northd.c:9122): eth.dst == fa:16:3e:00:00:02, priority 50, uuid c537543b
    outport = "meta";
    output;

egress(dp="net", inport="red-1", outport="meta")
------------------------------------------------
 9. ls_out_apply_port_sec (northd.c:5777): 1, priority 0, uuid 0ca2e1b9
    output;
    /* output to "meta", type "localport" */
`

const DROPPED = `ingress(dp="net", inport="red-1")
---------------------------------
 0. ls_in_check_port_sec (northd.c:8432): 1, priority 50, uuid 100b1b44
    next;
 8. ls_in_acl (northd.c:6588): inport=="red-1" && ip4.dst==169.254.169.254, priority 2001, uuid 8d754525
    drop;
`

const LOGGED = DROPPED.replace('    drop;', '    log(name="hole", severity=info, verdict=drop); drop;')

const DECIDED_BEFORE = `ingress(dp="net", inport="red-1")
---------------------------------
 8. ls_in_acl_eval (northd.c:6588): ip4.dst==169.254.169.254, priority 2001, uuid 8d754525
    reg8[17] = 1;
    next;
 9. ls_in_acl_action (northd.c:6588): reg8[17] == 1, priority 1000, uuid 8d754526
    reg8[16] = 0;
    drop;
`

const LOST = `ingress(dp="net", inport="red-1")
---------------------------------
25. ls_in_l2_lkup: no match (implicit drop)
`

describe('what ovn-trace says', () => {
  const acl = { stage: 'ls_in_acl', match: 'inport=="red-1" && ip4.dst==169.254.169.254', priority: 2001 }
  const cases = [
    { name: 'reaches a port', said: REACHES, want: { outcome: 'output', port: 'meta' } },
    { name: 'ends in a rule', said: DROPPED, want: { outcome: 'drop', ...acl } },
    { name: 'ends in a rule that is logged', said: LOGGED, want: { outcome: 'drop', ...acl } },
    {
      name: 'ends after the stage that decided it',
      said: DECIDED_BEFORE,
      want: { outcome: 'drop', stage: 'ls_in_acl_eval', match: 'ip4.dst==169.254.169.254', priority: 2001 },
    },
    {
      name: 'ends where nothing matches',
      said: LOST,
      want: { outcome: 'lost', stage: 'ls_in_l2_lkup', match: 'no match (implicit drop)', priority: 0 },
    },
    { name: 'nothing at all', said: '', want: { outcome: 'lost', stage: 'no stage', match: 'no match', priority: 0 } },
  ]
  for (const { name, said, want } of cases) it(name, () => assert.deepEqual(readTrace(said), want))

  it('has what DHCP offers', () => {
    const said = `20. ls_in_dhcp_options (northd.c:8172): 1, priority 100, uuid a12690b7
    reg0[3] = put_dhcp_opts(offerip = 10.88.0.11, classless_static_route = {169.254.169.254/32, 10.88.0.2, 0.0.0.0/0, 10.88.0.1}, lease_time = 43200, router = 10.88.0.1, server_id = 10.88.0.1);`
    assert.deepEqual(readOffer(said), {
      address: '10.88.0.11',
      routes: new Map([
        ['169.254.169.254/32', '10.88.0.2'],
        ['0.0.0.0/0', '10.88.0.1'],
      ]),
      router: '10.88.0.1',
    })
    assert.equal(readOffer('put_dhcp_opts(offerip = 10.0.0.1, router = 10.0.0.1);')?.routes.size, 0)
    assert.equal(readOffer(DROPPED), undefined)
  })
})
