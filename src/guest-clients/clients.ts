/** A program in a guest image that asks the metadata service. */
export interface GuestClient {
  readonly name: string
  /** Matches the User-Agent of every request it sends; the text is empty when it sends none. */
  readonly agents: RegExp
  /** Any of them gives it away. */
  readonly marks: readonly Mark[]
  /** What it must have been told before its guest is configured. Whatever else it asks depends on the answers. */
  readonly needs: readonly Need[]
  /** What it makes of an answer that fails. */
  readonly onFailure: string
}

/** A request that no other client sends. */
export interface Mark {
  /** Narrower than the client's `agents`. A group captures the version. */
  readonly agent?: RegExp
  readonly method?: string
  /** A pattern, see `fitsPath`. */
  readonly path: string
}

export interface Need {
  readonly what: string
  /** A pattern, see `fitsPath`. */
  readonly path: string
  /** Without the document it does not boot as meant. Otherwise a 404 is an answer too: there is none. */
  readonly isMandatory: boolean
}

const document = (what: string, path: string): Need => ({ what, path, isMandatory: true })
const answer = (what: string, path: string): Need => ({ what, path, isMandatory: false })

const CLOUD_INIT = /^Cloud-Init\/(\S+)/
const NO_AGENT = /^$/

/** The clients of the field, as their public code and recordings of their requests have them. */
export const guestClients: readonly GuestClient[] = [
  {
    name: 'cloud-init (OpenStack)',
    agents: /^Cloud-Init\//,
    marks: [
      { agent: CLOUD_INIT, path: '/openstack' },
      { agent: CLOUD_INIT, path: '/openstack/*/meta_data.json' },
    ],
    // vendor_data2.json is no need: versions of before 2021 do not ask for it.
    needs: [
      document('meta_data.json', '/openstack/*/meta_data.json'),
      answer('user_data', '/openstack/*/user_data'),
      answer('vendor_data.json', '/openstack/*/vendor_data.json'),
      answer('network_data.json', '/openstack/*/network_data.json'),
    ],
    onFailure: 'versions before 2025 take any error on an optional file for “there is none”, at once and for good',
  },
  {
    name: 'cloud-init (EC2)',
    // 22.4.2 crawls the tree as plain python-requests.
    agents: /^(Cloud-Init|python-requests)\//,
    marks: [{ agent: CLOUD_INIT, path: '/2*/meta-data/instance-id' }],
    needs: [
      document('instance-id', '/2*/meta-data/instance-id'),
      answer('user-data', '/2*/user-data'),
      document('meta-data/', '/2*/meta-data'),
    ],
    onFailure: 'a 404 for user-data means there is none; without meta-data it looks for another source',
  },
  {
    name: 'CirrOS',
    agents: /^(curl|Wget)\b/,
    marks: [{ path: '/2009-04-04/meta-data/instance-id' }],
    needs: [
      document('instance-id', '/2009-04-04/meta-data/instance-id'),
      answer('public-keys', '/2009-04-04/meta-data/public-keys'),
      answer('hostname', '/2009-04-04/meta-data/hostname'),
      answer('user-data', '/2009-04-04/user-data'),
      answer('block-device-mapping', '/2009-04-04/meta-data/block-device-mapping'),
    ],
    onFailure: 'it asks for the instance-id 20 times, 2 s apart, and goes on without anything else that fails',
  },
  {
    name: 'afterburn',
    agents: NO_AGENT,
    marks: [
      { path: '/latest/meta-data/public-keys' },
      { path: '/latest/meta-data/instance-type' },
      { path: '/openstack/2012-08-10/meta_data.json' },
    ],
    // Which of its attributes are asked for depends on the image's units; the keys always are.
    needs: [answer('public-keys', '/latest/meta-data/public-keys')],
    onFailure: 'a 404 means there is none; other errors are tried 10 times, 1 to 5 s apart, and then its unit fails',
  },
  {
    name: 'Ignition',
    agents: /^Ignition\//,
    marks: [{ agent: /^Ignition\/(\S+)/, path: '/openstack/*/user_data' }],
    needs: [answer('user_data', '/openstack/*/user_data')],
    onFailure: 'a 404 means “no config”, for good; it waits for ever while the answer is 5xx',
  },
  {
    name: 'cloudbase-init',
    agents: /^(python-requests|cloudbase-init)\b/i,
    marks: [
      { path: '/openstack/latest/meta_data.json' },
      { path: '/openstack/2013-04-04/meta_data.json' },
      { path: '/openstack/2013-04-04/password' },
    ],
    needs: [
      document('meta_data.json', '/openstack/latest/meta_data.json'),
      answer('user_data', '/openstack/latest/user_data'),
    ],
    onFailure: 'it asks 5 more times, 4 s apart; without meta_data.json it looks for another source',
  },
  {
    name: 'Talos',
    agents: /^(Go-http-client|Talos)\b/,
    marks: [{ path: '/openstack/latest/network_data.json' }],
    needs: [
      document('meta_data.json', '/openstack/latest/meta_data.json'),
      document('network_data.json', '/openstack/latest/network_data.json'),
      answer('user_data', '/openstack/latest/user_data'),
    ],
    onFailure: 'without user_data, or with an empty one, it waits in maintenance mode',
  },
  {
    name: 'NixOS',
    agents: /^(Wget|curl)\b/,
    marks: [{ path: '/1.0/meta-data/ami-manifest-path' }],
    needs: [
      answer('user-data', '/1.0/user-data'),
      document('hostname', '/1.0/meta-data/hostname'),
      answer('openssh-key', '/1.0/meta-data/public-keys/0/openssh-key'),
    ],
    onFailure: 'it goes on without what fails',
  },
  {
    name: 'AWS SDK',
    agents: /^$|aws-sdk/i,
    marks: [{ path: '/latest/meta-data/iam/security-credentials' }],
    needs: [answer('roles', '/latest/meta-data/iam/security-credentials')],
    onFailure: 'a 400 for its token request is an error to the application; a 404 makes it ask without tokens',
  },
]
