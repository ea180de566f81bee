/** Where firstboot itself lies. `bin/firstboot.js` finds the rest of a clone's layout beside it. */
export const HOME = 'usr/lib/firstboot'

/** Its documentation. */
export const DOCUMENTATION = 'usr/share/doc/firstboot'

/**
 * What is copied from the clone as it is. Folders with all that is in them; what the compiler, npm and the generators make
 * is not among these.
 * @type {readonly { readonly from: string, readonly to: string, readonly mode?: number }[]}
 */
export const COPIES = [
  { from: 'packaging/debian/firstboot', to: 'usr/bin/firstboot', mode: 0o755 },
  { from: 'bin', to: `${HOME}/bin` },
  { from: 'examples', to: `${HOME}/examples` },
  { from: 'package.json', to: `${HOME}/package.json` },
  { from: 'packaging/grafana', to: 'usr/share/firstboot/grafana' },
  { from: 'packaging/systemd/sysusers.conf', to: 'usr/lib/sysusers.d/firstboot.conf' },
  { from: 'packaging/systemd/tmpfiles.conf', to: 'usr/lib/tmpfiles.d/firstboot.conf' },
  ...[
    'metadata-api.service',
    'metadata-agent.service',
    'metadata-agent.socket',
    'dhcp-agent.service',
    'ovn-metadata-agent.service',
    'up.service',
  ].map((unit) => ({ from: `packaging/systemd/firstboot-${unit}`, to: `lib/systemd/system/firstboot-${unit}` })),
  // They may come to hold secrets; on the machine the group firstboot may read those of its daemons (tmpfiles.conf).
  ...['metadata-api.ini', 'metadata-agent.ini', 'dhcp-agent.ini', 'ovn-metadata-agent.ini', 'up.env'].map((file) => ({
    from: `packaging/config/${file}`,
    to: `etc/firstboot/${file}`,
    mode: 0o600,
  })),
  { from: 'packaging/debian/lintian-overrides', to: 'usr/share/lintian/overrides/firstboot' },
  { from: 'README.md', to: `${DOCUMENTATION}/README.md` },
  { from: 'docs', to: `${DOCUMENTATION}/docs` },
]

/** Run by dpkg. */
export const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm']
