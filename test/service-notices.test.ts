import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Daemon, firstboot, startService } from './support/daemon.ts'
import { noSandbox } from './support/datapath-machine.ts'
import { type NotifyInbox, openNotifyInbox } from './support/notify-inbox.ts'
import { openTestMachine, type TestMachine } from './support/test-machine.ts'

const INVENTORY = fileURLToPath(new URL('support/one-guest.yaml', import.meta.url))

const services = [
  { name: 'dhcp-agent', options: [], serves: 'serves the networks' },
  { name: 'up', options: ['--file', INVENTORY], serves: 'firstboot is up' },
]
for (const { name, options, serves } of services)
  describe(`firstboot ${name} under a service manager`, { skip: noSandbox, timeout: 120_000 }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'firstboot-notices-'))
    let machine: TestMachine
    let manager: NotifyInbox
    let service: Daemon
    before(async () => {
      machine = await openTestMachine()
      manager = openNotifyInbox(join(directory, 'notify'))
    })
    after(async () => {
      manager?.close()
      await machine?.stop()
      rmSync(directory, { recursive: true, force: true })
    })

    it('says that it is ready when it serves, and that it lives', async () => {
      const env = ['env', `NOTIFY_SOCKET=${manager.path}`, 'WATCHDOG_USEC=400000'] as const
      service = startService(machine, [...env, ...firstboot(name, ...options, '--state-dir', join(directory, 'state'))])
      await service.saying(serves)
      await manager.hears(/^READY=1$/)
      await manager.hears(/^WATCHDOG=1$/)
    })

    it('says that it reads its options again', async () => {
      manager.forget()
      service.signal('SIGHUP')
      await service.saying('SIGHUP: every option is as before')
      await manager.hears(/^RELOADING=1\nMONOTONIC_USEC=\d+$/)
      await manager.hears(/^READY=1$/)
    })

    it('says that it ends', async () => {
      assert.equal(await service.end('SIGINT'), 0, service.said())
      await manager.hears(/^STOPPING=1$/)
    })
  })
