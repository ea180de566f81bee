import type { Stamp } from '../host/namespace.ts'
import { forwardedMark } from '../http/forwarded.ts'
import type { Forwarder } from '../http/messages.ts'

/** Header fields that say who asks. A guest can send them, so all are dropped before the proxy sets its own.
 *  `x-request-id` would let a guest write into the logs' correlation of another. */
const IDENTITY_HEADERS = [
  'x-forwarded-.*',
  'forwarded',
  'x-real-ip',
  'x-request-id',
  'x-neutron-.*',
  'x-ovn-.*',
  'x-instance-.*',
  'x-tenant-.*',
  'x-project-.*',
  'x-metadata-provider.*',
]

/** Underscores count as hyphens: WSGI servers fold `X_Instance_ID` into the same variable as `X-Instance-ID`. */
const IDENTITY_HEADER = new RegExp(`^(${IDENTITY_HEADERS.join('|').replaceAll('-', '[-_]')})$`)

/**
 * What stands between a guest and the metadata agent: says where the request came from, as
 * neutron-ns-metadata-proxy did and haproxy does.
 *
 * @param stamp  where the listening socket is
 * @param next  the agent: a function of this process, or the far side of its unix socket
 */
export function metadataProxy(stamp: Stamp, next: Forwarder): Forwarder {
  const identity =
    'networkId' in stamp ? ['x-neutron-network-id', stamp.networkId] : ['x-neutron-router-id', stamp.routerId]
  const [name, value] = identity as [string, string]
  const within = 'networkId' in stamp ? `network ${stamp.networkId}` : `router ${stamp.routerId}`
  return (request) => {
    if (request.trace !== undefined) request.trace.within = within
    return next({
      ...request,
      headers: request.headers
        .without(isIdentity)
        .with(
          [name, value],
          ['x-forwarded-for', request.remoteAddress],
          ['x-request-id', request.id],
          ...forwardedMark(request.headers),
        ),
    })
  }
}

function isIdentity(name: string): boolean {
  return IDENTITY_HEADER.test(name)
}
