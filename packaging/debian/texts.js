// The files that Debian asks of a package, as text. Pure.

const MAINTAINER = 'firstboot maintainers <maintainers@firstboot.invalid>'

/** What firstboot drives, and cannot serve a network without. */
const DEPENDS = [
  'libc6 (>= 2.28)', // what Node is built for
  'libgcc-s1',
  'libstdc++6 (>= 8)',
  'dnsmasq-base (>= 2.67)',
  'iproute2',
  'iptables',
  'mount',
  'nftables',
  'radvd',
  'systemd | systemd-standalone-sysusers',
  'systemd | systemd-standalone-tmpfiles',
  'util-linux (>= 2.32)',
]

const RECOMMENDS = ['busybox', 'curl'] // namespace guests
const SUGGESTS = ['haproxy', 'libvirt-clients', 'ovn-common', 'qemu-system-x86', 'qemu-utils']

/** @param {{ readonly version: string, readonly architecture: string, readonly kibibytes: number }} about */
export function control({ version, architecture, kibibytes }) {
  return `Package: firstboot
Version: ${version}
Architecture: ${architecture}
Maintainer: ${MAINTAINER}
Installed-Size: ${kibibytes}
Depends: ${DEPENDS.join(', ')}
Recommends: ${RECOMMENDS.join(', ')}
Suggests: ${SUGGESTS.join(', ')}
Section: net
Priority: optional
Description: instance metadata for virtual machines, as OpenStack gives it
 An instance that boots asks who it is, who may log in, what its network is
 and what to run. firstboot answers over HTTP at 169.254.169.254 and on
 config drives, byte for byte as OpenStack does, without a cloud around it;
 or it stands where the metadata daemons of a cloud stand.
 .
 The package brings units for systemd and starts none of them. It contains
 its own Node.js, since it needs a newer one than Debian has.
`
}

/** @param {string} version @param {Date} date */
export function changelog(version, date) {
  // RFC 5322, with the zone as a number.
  const stamp = date.toUTCString().replace('GMT', '+0000')
  return `firstboot (${version}) unstable; urgency=medium

  * What is new is in CHANGELOG.md.gz.

 -- ${MAINTAINER}  ${stamp}
`
}

/**
 * In Debian’s machine-readable form.
 * @param {readonly { readonly path: string, readonly license: string, readonly text: string }[]} modules  npm packages
 * @param {string} nodeVersion
 */
export function copyright(modules, nodeVersion) {
  const stanzas = modules.map(
    ({ path, license, text }) => `Files: usr/lib/firstboot/${path}/*
Copyright: its authors
License: ${license}-${path.replace(/^.*node_modules\//, '').replace(/[@/]+/g, '-')}
${license === 'Apache-2.0' ? APACHE : indented(text)}`,
  )
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: firstboot

Files: *
Copyright: the firstboot maintainers
License: Apache-2.0
${APACHE}

Files: usr/lib/firstboot/node
Copyright: Node.js contributors, and the authors of what it contains
License: MIT
 Node.js ${nodeVersion} as the npm package \`node\` carries it. Its licence and those of the libraries in it (V8, OpenSSL,
 ICU, libuv, ...) are at https://github.com/nodejs/node/blob/v${nodeVersion}/LICENSE

${stanzas.join('\n\n')}
`
}

const APACHE = ' On Debian systems the text is in /usr/share/common-licenses/Apache-2.0.'

/** @param {string} text */
function indented(text) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`))
    .join('\n')
}

/**
 * @param {readonly { readonly name: string, readonly summary: string }[]} commands
 * @param {string} version @param {Date} date
 */
export function manualPage(commands, version, date) {
  const rows = commands.map(({ name, summary }) => `.TP\n.B ${roff(name)}\n${roff(summary)}.`)
  return `.TH FIRSTBOOT 1 ${date.toISOString().slice(0, 10)} "firstboot ${version}"
.SH NAME
firstboot \\- instance metadata for virtual machines, as OpenStack gives it
.SH SYNOPSIS
.B firstboot
.I COMMAND
[\\fIOPTION\\fR]...
.br
.B firstboot
.I COMMAND
.B \\-\\-help
.SH DESCRIPTION
Answers what an instance asks when it boots, over HTTP at 169.254.169.254 and on config drives.
.SH COMMANDS
${rows.join('\n')}
.SH FILES
.TP
.I /etc/firstboot
what the units of systemd read
.TP
.I /var/lib/firstboot
records, leases, sockets, the shared secret
.SH SEE ALSO
/usr/share/doc/firstboot/docs/packaging.md
`
}

/** @param {string} text */
function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/, '\\&$1')
}
