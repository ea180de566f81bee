import { eventually } from '../eventually.ts'
import { drop, hold, type Injection, keep, startTarget, whileAsleep } from './injection.ts'
import type { Ward } from './ward.ts'

/** What is wrong with those who serve, and with what they live on. */
export const SERVICE_INJECTIONS: readonly Injection[] = [
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'proxy-stuck',
    how: 'the process that answers is stopped',
    inject: (ward) => ward.run('kill', '-STOP', ward.pid('metadata-proxy')),
    heal: (ward) => ward.goOn(ward.pid('metadata-proxy')),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'descriptor-limit',
    how: 'the process that answers may open no more files',
    inject: (ward) => {
      const pid = ward.pid('metadata-proxy')
      const open = ward.run('ls', `/proc/${pid}/fd`).trim().split('\n').length
      ward.run('prlimit', '--pid', pid, `--nofile=${open}:`)
    },
    heal: (ward) => ward.run('prlimit', '--pid', ward.pid('metadata-proxy'), '--nofile=1024:'),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'disk-full',
    how: 'the file system of the state directory is filled',
    inject: (ward) => ward.run('sh', '-c', `head -c 200M /dev/zero > ${ward.state}/ballast || true`),
    heal: (ward) => ward.run('rm', `${ward.state}/ballast`),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'database-locked',
    how: 'another process keeps a transaction open',
    inject: async (ward) => {
      keep(ward, 'begin immediate', ...hold(`${ward.state}/inventory.sqlite`))
      await eventually('it is locked', () => isLocked(ward))
    },
    heal: (ward) => drop(ward, 'begin immediate'),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'clock-skew',
    how: 'a file of the state directory is from tomorrow',
    inject: (ward) => ward.run('touch', '-d', 'tomorrow', `${ward.state}/lock`),
    heal: (ward) => ward.run('touch', `${ward.state}/lock`),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'vendor-data-hanging',
    how: 'the target of dynamic vendor data is stopped',
    inject: (ward) => ward.run('pkill', '-STOP', '-f', 'http 9999'),
    heal: (ward) => ward.run('pkill', '-CONT', '-f', 'http 9999'),
  },
  {
    patient: 'iso-1',
    path: 'all',
    fault: 'vendor-data-failing',
    how: 'the target of dynamic vendor data is gone',
    inject: (ward) => drop(ward, 'http 9999'),
    heal: async (ward) => {
      startTarget(ward)
      await eventually('it listens', () => ward.run('ss', '-Hltn').includes(':9999 '))
    },
  },
  whileAsleep({
    patient: 'iso-1',
    path: 'all',
    fault: 'daemon-stuck',
    how: 'firstboot up is stopped: guests are answered, nothing is repaired',
    inject: () => undefined,
  }),
]

function isLocked(ward: Ward): boolean {
  const attempt = `new (require('node:sqlite').DatabaseSync)(process.argv[1], { timeout: 0 }).exec('begin immediate; rollback')`
  try {
    ward.run(process.execPath, '-e', attempt, `${ward.state}/inventory.sqlite`)
    return false
  } catch {
    return true
  }
}
