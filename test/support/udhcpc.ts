import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('udhcpc-script.sh', import.meta.url))

/**
 * The command line of a DHCP client on `eth0` that ends with its first lease. Its script installs address and routes, and
 * touches nothing outside the namespace.
 * @param leaseFile  where the script writes what the client was told, `NAME=VALUE` a line
 * @param options  udhcpc's own, such as `-O mtu` to ask for the option
 */
export function udhcpc(leaseFile: string, ...options: readonly string[]): string[] {
  const client = 'busybox udhcpc -i eth0 -f -n -q -t 20 -T 1'.split(' ')
  return ['env', `LEASE_FILE=${leaseFile}`, ...client, '-s', SCRIPT, ...options]
}
