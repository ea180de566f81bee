import { inNamespace } from '../host/netns.ts'

/** Before anything is written: who may not enter namespaces cannot serve networks.
 *  @throws Error with what to do instead */
export function requireNamespaces(): void {
  try {
    inNamespace<void>('/proc/self/ns/net', () => undefined)
  } catch (cause) {
    throw new Error(
      'serving networks needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN). Run it with sudo, or try it in a sandbox: firstboot sandbox -- firstboot up -f FILE -s DIR',
      { cause },
    )
  }
}
