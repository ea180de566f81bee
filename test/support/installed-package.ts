import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mayBeAnyone } from '../../bootstrap/privilege.js'
import { hasProgram } from '../../bootstrap/programs.js'
import { buildDebianPackage } from '../../packaging/debian/build.js'
import { openPackagedRoot, type PackagedRoot } from './packaged-root.ts'
import { openTestMachine } from './test-machine.ts'
import { type Units, unitsOf } from './units.ts'

/** Our Debian package on a machine that systemd runs, with one network and these servers. */
export interface InstalledPackage {
  readonly root: PackagedRoot
  readonly units: Units
  /** Installs it once more, as an upgrade. */
  upgrade(): void
  close(): Promise<void>
}

/** Why there can be none here, if so. */
export const noInstalledPackage = !(hasProgram('dpkg-deb') && hasProgram('systemctl'))
  ? 'this is no Debian with systemd'
  : !mayBeAnyone() && 'a plain user’s sandbox has no other users to install for'

export const NETWORK = '0d1c1f5e-8a39-4a3f-8d0e-6f1f0b1c2d3e'
export const BRIDGE = `brq${NETWORK.slice(0, 11)}`
export const PROJECT = '6b9c1f0e5d7a4c3b8e2f1a0d9c8b7a65'
/** `web-1` is somebody else's machine; `web-2` is run by `firstboot up`. */
export const SERVER = { id: '5fa6e55c-ba9a-4163-87a3-829b8e7a8954', mac: 'fa:16:3e:00:00:10', address: '192.168.50.10' }

const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url))
const INVENTORY = `
projects: [{ id: ${PROJECT}, name: acme }]
networks:
  - id: ${NETWORK}
    name: office
    subnets: [{ name: office, cidr: 192.168.50.0/24 }]
servers:
  - id: ${SERVER.id}
    name: web-1
    networks: [{ network: office, fixed_ip: ${SERVER.address}, mac_address: '${SERVER.mac}' }]
  - name: web-2
    hypervisor: namespace
    networks: [{ network: office }]
`

export async function installPackage(): Promise<InstalledPackage> {
  const scratch = mkdtempSync(join(tmpdir(), 'firstboot-package-'))
  const deb = buildDebianPackage(PROJECT_ROOT, scratch, new Date('2026-01-02T03:04:06Z'), 'none')
  const machine = await openTestMachine()
  const root = await openPackagedRoot(machine)
  root.bring(deb)
  rmSync(scratch, { recursive: true, force: true })
  const install = () => void root.run('dpkg', '--force-unsafe-io', '--install', join('/root', basename(deb)))
  install()
  root.write('/root/inventory.yaml', INVENTORY)
  root.run('firstboot', 'apply', '--file', '/root/inventory.yaml')
  return {
    root,
    units: unitsOf(root),
    upgrade: install,
    close: async () => {
      await root.stop()
      await machine.stop()
    },
  }
}
