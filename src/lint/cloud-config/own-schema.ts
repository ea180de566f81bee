import type { Schema } from '@cfworker/json-schema'

/** Checks of ours for the frequent mistakes, for when no cloud-init is at hand. Members that are not here may be anything. */

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const texts: Schema = { type: 'array', items: text }
const mapping: Schema = { type: 'object' }

/** A bare `echo: x` in a list is a mapping in YAML; that and numbers are what goes wrong. */
const commands: Schema = {
  type: 'array',
  items: { type: ['string', 'array', 'null'], items: { type: ['string', 'integer', 'number'] } },
}

const user: Schema = {
  type: 'object',
  properties: {
    name: text,
    ssh_authorized_keys: texts,
    ssh_import_id: texts,
    groups: { type: ['string', 'array', 'object'] },
    sudo: { type: ['string', 'array', 'boolean', 'null'] },
    shell: text,
    passwd: text,
    hashed_passwd: text,
    plain_text_passwd: text,
    lock_passwd: flag,
    no_create_home: flag,
    system: flag,
    expiredate: text,
    uid: { type: ['integer', 'string'] },
  },
  anyOf: [{ required: ['name'] }, { required: ['snapuser'] }],
}

const file: Schema = {
  type: 'object',
  required: ['path'],
  properties: {
    path: text,
    content: text,
    owner: text,
    permissions: text,
    encoding: { enum: ['gz', 'gzip', 'gz+base64', 'gzip+base64', 'gz+b64', 'gzip+b64', 'b64', 'base64', 'text/plain'] },
    append: flag,
    defer: flag,
  },
}

export const ownSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    bootcmd: commands,
    runcmd: commands,
    packages: { type: ['array', 'object'], items: { type: ['string', 'array', 'object'] } },
    package_update: flag,
    package_upgrade: flag,
    package_reboot_if_required: flag,
    users: { type: ['array', 'object', 'string'], items: { anyOf: [text, texts, user] } },
    user: { type: ['string', 'object'] },
    groups: { type: ['array', 'object', 'string'] },
    write_files: { type: 'array', items: file },
    ssh_authorized_keys: texts,
    ssh_import_id: texts,
    ssh_keys: mapping,
    ssh_deletekeys: flag,
    ssh_genkeytypes: texts,
    ssh_pwauth: { type: ['boolean', 'string'] },
    disable_root: flag,
    chpasswd: {
      type: 'object',
      properties: { expire: flag, list: { type: ['string', 'array'] }, users: { type: 'array', items: mapping } },
    },
    password: text,
    hostname: text,
    fqdn: text,
    prefer_fqdn_over_hostname: flag,
    preserve_hostname: flag,
    manage_etc_hosts: { enum: [true, false, 'template', 'localhost'] },
    timezone: text,
    locale: { type: ['string', 'boolean'] },
    final_message: text,
    mounts: { type: 'array', items: { type: 'array', items: { type: ['string', 'null', 'integer'] } } },
    swap: mapping,
    disk_setup: mapping,
    fs_setup: { type: 'array', items: mapping },
    growpart: mapping,
    apt: mapping,
    yum_repos: mapping,
    ca_certs: mapping,
    ntp: { type: ['object', 'null'] },
    power_state: { type: 'object', required: ['mode'], properties: { mode: { enum: ['poweroff', 'reboot', 'halt'] } } },
    phone_home: mapping,
    resolv_conf: mapping,
    manage_resolv_conf: flag,
    snap: mapping,
    rsyslog: mapping,
  },
}

/** Further members of cloud-config that are no misspelling of one above. Their form is not looked at. */
export const OTHER_MEMBERS: readonly string[] = [
  ...[
    'allow_public_ssh_keys',
    'ansible',
    'apk_repos',
    'apt_pipelining',
    'apt_reboot_if_required',
    'apt_update',
    'apt_upgrade',
  ],
  ...['autoinstall', 'byobu_by_default', 'ca-certs', 'chef', 'cloud_config_modules', 'cloud_final_modules'],
  ...[
    'cloud_init_modules',
    'device_aliases',
    'disable_ec2_metadata',
    'disable_root_opts',
    'drivers',
    'fan',
    'grub_dpkg',
  ],
  ...['keyboard', 'landscape', 'launch-index', 'locale_configfile', 'lxd', 'mcollective', 'merge_how', 'merge_type'],
  ...[
    'migrate',
    'mount_default_fields',
    'network',
    'no_ssh_fingerprints',
    'output',
    'puppet',
    'random_seed',
    'reporting',
  ],
  ...['resize_rootfs', 'rh_subscription', 'salt_minion', 'spacewalk', 'ssh', 'ssh_fp_console_blacklist'],
  ...[
    'ssh_key_console_blacklist',
    'ssh_publish_hostkeys',
    'ssh_quiet_keygen',
    'system_info',
    'ubuntu_advantage',
    'ubuntu_pro',
  ],
  ...['updates', 'vendor_data', 'vendor_data2', 'wireguard', 'yum_repo_dir', 'zypper'],
]
