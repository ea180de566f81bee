import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { socketMode, whoWeAre } from './socket-mode.ts'

const neutron = { user: ['64055', 'neutron'], group: ['64055', 'neutron'] }

/** Rules of neutron's `deduce`, first match first. */
const rows = [
  { name: 'no user', user: '', group: '', want: 0o644 },
  { name: 'root by number', user: '0', group: 'nogroup', want: 0o644 },
  { name: 'root by name', user: 'root', group: '', want: 0o644 },
  { name: 'our user by name', user: 'neutron', group: 'nogroup', want: 0o644 },
  { name: 'our user by number', user: '64055', group: '', want: 0o644 },
  { name: 'another user in our group', user: 'nobody', group: '', want: 0o664 },
  { name: 'another user in our group by name', user: 'nobody', group: 'neutron', want: 0o664 },
  { name: 'strangers', user: 'nobody', group: 'nogroup', want: 0o666 },
]

describe('the mode of the agent’s socket is deduced', () => {
  for (const { name, user, group, want } of rows)
    it(`for ${name}: ${want.toString(8)}`, () => {
      const values = { metadata_proxy_user: user, metadata_proxy_group: group }
      assert.equal(socketMode({ ...values, metadata_proxy_socket_mode: 'deduce' }, neutron), want)
      assert.equal(socketMode({ ...values, metadata_proxy_socket_mode: 'all' }, neutron), 0o666)
    })

  it('by who we are', () => assert.ok(whoWeAre().user.includes(String(process.geteuid?.()))))
})
