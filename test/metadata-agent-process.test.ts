import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openOwnSocket } from '../src/host/own-socket.ts'
import { signature } from '../src/metadata-agent/signed-upstream.ts'
import { firstboot } from './support/daemon.ts'
import { eventually } from './support/eventually.ts'
import { type NotifyInbox, openNotifyInbox } from './support/notify-inbox.ts'
import { exchangeRaw, type Listening, listenHttp } from './support/raw-http.ts'
import { childrenOf, runFirstboot, type ServiceProcess, startService } from './support/service.ts'

//   test ---- unix socket ---- firstboot metadata-agent, of one process or several ---- a metadata API of the test's

const INSTANCE = '55555555-5555-4555-8555-555555555555'
const ASK =
  'GET /x HTTP/1.1\r\nX-Neutron-Network-ID: 11111111-1111-4111-8111-111111111111\r\nX-Forwarded-For: 10.0.0.11\r\nConnection: close\r\n\r\n'

describe('the metadata agent as a process', { timeout: 120_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'firstboot-agent-'))
  const state = join(directory, 'state')
  const config = join(directory, 'agent.ini')
  const path = join(directory, 'run/socket')
  let api: Listening
  /** Requests of which the answer waits until it is given. */
  const held: (() => void)[] = []
  const started: ServiceProcess[] = []

  before(async () => {
    api = await listenHttp((request, answer) => {
      const end = () => answer.end(`signed ${request.headers['x-instance-id-signature']}`)
      if (request.url === '/held') held.push(end)
      else end()
    })
    runFirstboot('apply', '-f', join(import.meta.dirname, 'support/one-guest.yaml'), '--state-dir', state)
  })
  after(async () => {
    for (const service of started) service.kill('SIGKILL')
    await api.close()
    rmSync(directory, { recursive: true, force: true })
  })

  /** @param lines  of the agent's configuration */
  function configure(...lines: readonly string[]): void {
    const all = [
      `metadata_proxy_socket = ${path}`,
      'nova_metadata_host = 127.0.0.1',
      `nova_metadata_port = ${api.port}`,
    ]
    writeFileSync(config, ['[DEFAULT]', ...all, ...lines, ''].join('\n'))
  }
  async function start(env: NodeJS.ProcessEnv = {}, command = firstboot(), sockets: readonly number[] = []) {
    const args = ['metadata-agent', '--config-file', config, '--state-dir', state]
    const agent = startService([...command, ...args], env, sockets)
    started.push(agent)
    await agent.saying('listens on')
    return agent
  }
  const ask = async (request = ASK) => (await exchangeRaw(path, request)).split('\r\n\r\n').at(-1)
  const signed = (secret: string) => `signed ${signature(INSTANCE, secret)}`

  for (const workers of [0, 2])
    describe(workers === 0 ? 'of one' : `of ${workers}`, () => {
      let agent: ServiceProcess
      let pages = 0
      before(async () => {
        pages = await freePort()
        configure('metadata_proxy_shared_secret = one', `metadata_workers = ${workers}`)
        agent = await start({ FIRSTBOOT_METRICS_LISTEN: `127.0.0.1:${pages}` })
      })

      it('answers, in as many processes as it was told', async () => {
        assert.equal(await ask(), signed('one'))
        assert.equal(childrenOf(agent.pid).length, workers)
      })

      it('takes over a changed secret on SIGHUP and refuses nobody meanwhile', async () => {
        configure('metadata_proxy_shared_secret = two', `metadata_workers = ${workers}`)
        const heldRequest = ask(ASK.replace('/x', '/held'))
        await eventually('it is with the metadata API', () => held.length > 0)
        agent.kill('SIGHUP')
        let isOver = false
        const over = agent.saying('the configuration was read again').then(() => {
          isOver = true
        })
        const answers: (string | undefined)[] = []
        while (!isOver) answers.push(await ask())
        await over
        const afterwards = await ask()
        held.pop()?.()
        assert.equal(await heldRequest, signed('one'), 'what was under way is finished as it began')
        assert.ok(
          answers.every((answer) => answer === signed('one') || answer === signed('two')),
          answers.join(),
        )
        assert.equal(afterwards, signed('two'))
        assert.match(await (await fetch(`http://127.0.0.1:${pages}/metrics`)).text(), /daemon="metadata-agent"/)
        assert.doesNotMatch(agent.said(), /in use already|a worker ended/)
      })

      it('goes on as before when the configuration is wrong', async () => {
        configure('metadata_proxy_shared_secret = three', 'nova_metadata_port = many')
        agent.kill('SIGHUP')
        await eventually('it says so', () => /configuration stays as it was|whole number/.test(agent.said()))
        assert.equal(await ask(), signed('two'))
        configure('metadata_proxy_shared_secret = two', `metadata_workers = ${workers}`)
      })

      it('is reached again when somebody deletes its socket, and is not ready meanwhile', async () => {
        const isReady = async () => (await fetch(`http://127.0.0.1:${pages}/readyz`)).text()
        assert.match(await isReady(), /^ok\n/)
        rmSync(path)
        assert.match(await isReady(), /agent socket: \S+ is not there/)
        await agent.saying('the socket is opened anew')
        await eventually('it answers', async () => (await ask().catch(() => '')) === signed('two'))
        assert.match(await isReady(), /^ok\n/)
        await eventually('those before have ended', () => childrenOf(agent.pid).length === workers)
      })

      if (workers > 0)
        it('has a worker that was killed replaced, and the others answer meanwhile', async () => {
          await eventually('those before have ended', () => childrenOf(agent.pid).length === workers)
          const [first = 0] = childrenOf(agent.pid)
          process.kill(first, 'SIGKILL')
          assert.equal(await ask(), signed('two'))
          await agent.saying('a worker ended with SIGKILL; another is started')
          await eventually('there are as many as before', () => {
            const children = childrenOf(agent.pid)
            return children.length === workers && !children.includes(first)
          })
        })

      it('finishes what is under way on SIGTERM, takes its socket away and ends well', async () => {
        const heldRequest = ask(ASK.replace('/x', '/held'))
        await eventually('it is with the metadata API', () => held.length > 0)
        agent.kill('SIGTERM')
        await eventually('no other is taken', () => !existsSync(path) || workers > 0)
        held.pop()?.()
        assert.equal(await heldRequest, signed('two'))
        assert.equal(await agent.ended, 0)
        assert.ok(!existsSync(path))
      })
    })

  it('of two whose first process is killed leaves nobody behind, and the next takes the socket over', async () => {
    configure('metadata_proxy_shared_secret = one', 'metadata_workers = 2')
    const agent = await start()
    const workers = childrenOf(agent.pid)
    agent.kill('SIGKILL')
    await eventually('the workers are gone', () => !workers.some((pid) => existsSync(`/proc/${pid}`)))
    const next = await start()
    assert.equal(await ask(), signed('one'))
    next.kill('SIGTERM')
    assert.equal(await next.ended, 0)
  })

  it('does not start with a metadata API that no address can be of', async () => {
    configure('nova_metadata_host = nova example')
    const agent = startService([...firstboot('metadata-agent', '--config-file', config, '--state-dir', state)])
    assert.equal(await agent.ended, 1)
    assert.match(agent.said(), /nova_metadata_host: "nova example" is no host name/)
  })

  it('of two does not start beside a stranger on the port of its metrics, and says so', async () => {
    const stranger = await listenHttp(() => undefined)
    configure('metadata_workers = 2', '[firstboot]', `metrics_listen = 127.0.0.1:${stranger.port}`)
    const agent = startService([...firstboot('metadata-agent', '--config-file', config, '--state-dir', state)])
    assert.equal(await agent.ended, 1)
    assert.match(agent.said(), new RegExp(`metrics_listen: 127.0.0.1:${stranger.port} is taken by another program`))
    assert.doesNotMatch(agent.said(), /worker/)
    await stranger.close()
  })

  it('does not start with a secret that is a directory, and says so', async () => {
    configure()
    const elsewhere = join(directory, 'elsewhere')
    mkdirSync(join(elsewhere, 'metadata_proxy_shared_secret'), { recursive: true })
    const agent = startService([...firstboot('metadata-agent', '--config-file', config, '--state-dir', elsewhere)])
    assert.equal(await agent.ended, 1)
    assert.match(
      agent.said(),
      /the shared secret: \S+\/metadata_proxy_shared_secret is a directory; a file is wanted here/,
    )
    assert.doesNotMatch(agent.said(), /EISDIR/)
  })

  it('does not take the socket of another, and says whose it is', async () => {
    configure()
    const agent = await start()
    const second = startService([...firstboot('metadata-agent', '--config-file', config, '--state-dir', state)])
    assert.equal(await second.ended, 1)
    assert.match(second.said(), new RegExp(`another metadata agent listens there \\(process ${agent.pid} \\(`))
    agent.kill('SIGTERM')
    await agent.ended
  })

  describe('of a service manager', () => {
    let manager: NotifyInbox
    before(() => {
      manager = openNotifyInbox(join(directory, 'notify'))
    })
    after(() => manager.close())

    /** Our command under the pid that the environment names, as systemd does it. */
    const activated = [
      process.execPath,
      '--import',
      'data:text/javascript,process.env.LISTEN_PID=process.env.WATCHDOG_PID=String(process.pid)',
      ...firstboot().slice(1),
    ] as unknown as ReturnType<typeof firstboot>

    it('takes its socket, tells how it is, and leaves the socket behind', async () => {
      configure('metadata_proxy_shared_secret = one')
      const { fd, remove } = await openOwnSocket(path, 0o600, 16)
      const early = ask() // before anybody is there to answer
      const env = { LISTEN_FDS: '1', NOTIFY_SOCKET: manager.path, WATCHDOG_USEC: '200000' }
      const agent = await start(env, activated, [fd])
      assert.equal(await early, signed('one'))
      await manager.hears(/^READY=1$/)
      await manager.hears(/^WATCHDOG=1$/)
      agent.kill('SIGHUP')
      await manager.hears(/^RELOADING=1\nMONOTONIC_USEC=\d+$/)
      agent.kill('SIGTERM')
      await manager.hears(/^STOPPING=1$/)
      assert.equal(await agent.ended, 0)
      assert.ok(existsSync(path), 'it is the service manager’s')
      const between = ask()
      const next = await start({ LISTEN_FDS: '1' }, activated, [fd])
      assert.equal(await between, signed('one'), 'who came between two runs has waited')
      next.kill('SIGTERM')
      await next.ended
      closeSync(fd)
      remove()
    })
  })
})

async function freePort(): Promise<number> {
  const { port, close } = await listenHttp(() => undefined)
  await close()
  return port
}
