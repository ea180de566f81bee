import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { it } from 'node:test'
import { parseSockets, socketOwners, socketsOn } from './listening.ts'

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                    '
const line = (local: string, state: string, inode: string) =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100`

it('reads the kernel’s tables', () => {
  const table = [HEAD, line('FEA9FEA9:0050', '0A', '11'), line('0100007F:2247', '01', '12'), ''].join('\n')
  assert.deepEqual(parseSockets(table, 'tcp', '0A'), [
    { protocol: 'tcp', address: '169.254.169.254', port: 80, inode: '11' },
  ])
  const six = [HEAD, line('000080FE00000000000000000000000001000000'.slice(0, 32).padEnd(32, '0'), '0A', '1')].join(
    '\n',
  )
  assert.deepEqual(parseSockets(six, 'tcp', '0A'), [], 'a line without a port is none')
  const any = [HEAD, line(`${'0'.repeat(32)}:2247`, '0A', '13')].join('\n')
  assert.deepEqual(parseSockets(any, 'tcp', '0A'), [{ protocol: 'tcp', address: '::', port: 8775, inode: '13' }])
  const link = [HEAD, line('000080FE00000000000000009EFEA9A9:0050', '0A', '14')].join('\n')
  assert.equal(parseSockets(link, 'tcp', '0A')[0]?.address, 'fe80::a9a9:fe9e')
})

it('finds a socket of this process, and that it is ours', async (test) => {
  const server = createServer().listen(0, '127.0.0.1')
  test.after(() => server.close())
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const [found] = socketsOn([port])
  assert.equal(found?.address, '127.0.0.1')
  const owner = socketOwners(new Set([found?.inode ?? ''])).get(found?.inode ?? '')
  assert.equal(owner?.pid, process.pid)
})
