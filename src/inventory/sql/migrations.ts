import { sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/**
 * The schema's history. A migration that has been released is never edited: databases out there have run it.
 *
 * Plain SQL that SQLite and PostgreSQL both take: text, integer, 0 and 1 for booleans, JSON as text. References are
 * checked at the end of a transaction, so that a commit may take rows out and put their successors in (`sql-store.ts`).
 */
export const migrations: Record<string, Migration> = {
  '0001-inventory': statements(
    `create table projects (
       id text primary key not null,
       name text not null unique)`,
    `create table keypairs (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       type text not null,
       public_key text not null,
       unique (project_id, name))`,
    `create table flavors (
       id text primary key not null,
       name text not null unique,
       vcpus integer not null,
       ram_mib integer not null,
       disk_gib integer not null,
       ephemeral_gib integer not null,
       swap_mib integer not null)`,
    `create table images (
       id text primary key not null,
       name text not null,
       ec2_number integer not null unique,
       kernel_id text references images deferrable initially deferred,
       ramdisk_id text references images deferrable initially deferred,
       properties text not null)`,
    `create table security_groups (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       description text not null)`,
    `create table networks (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       admin_state_up integer not null,
       mtu integer not null,
       shared integer not null,
       external integer not null)`,
    `create table subnets (
       id text primary key not null,
       network_id text not null references networks deferrable initially deferred,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       ip_version integer not null,
       cidr text not null,
       gateway_ip text,
       allocation_pools text not null,
       enable_dhcp integer not null,
       dns_nameservers text not null,
       host_routes text not null,
       ipv6_address_mode text,
       ipv6_ra_mode text)`,
    `create table routers (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       admin_state_up integer not null,
       external_gateway text not null,
       routes text not null)`,
    `create table ports (
       id text primary key not null,
       network_id text not null references networks deferrable initially deferred,
       project_id text not null references projects deferrable initially deferred,
       name text not null,
       mac_address text not null,
       admin_state_up integer not null,
       security_group_ids text not null,
       device_id text not null,
       device_owner text not null,
       vnic_type text not null,
       vif_type text not null,
       unique (network_id, mac_address))`,
    `create table fixed_ips (
       port_id text not null references ports deferrable initially deferred,
       position integer not null,
       network_id text not null references networks deferrable initially deferred,
       subnet_id text not null references subnets deferrable initially deferred,
       ip_address text not null,
       primary key (port_id, position),
       unique (network_id, ip_address))`,
    `create table floating_ips (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       network_id text not null references networks deferrable initially deferred,
       address text not null,
       port_id text references ports deferrable initially deferred,
       fixed_ip_address text,
       unique (network_id, address))`,
    `create table servers (
       id text primary key not null,
       project_id text not null references projects deferrable initially deferred,
       user_id text not null,
       name text not null,
       hostname text not null,
       flavor_id text not null references flavors deferrable initially deferred,
       image_id text references images deferrable initially deferred,
       key_name text,
       key_data text,
       keypair text not null,
       user_data text,
       properties text not null,
       availability_zone text,
       launch_index integer not null,
       reservation_id text not null,
       ec2_number integer not null unique,
       port_ids text not null,
       root_device_name text,
       default_ephemeral_device text,
       default_swap_device text,
       block_devices text not null,
       devices text not null,
       pinned_cpus text not null,
       config_drive integer not null,
       admin_password text,
       files text not null,
       boot_roles text not null,
       password text not null,
       hypervisor text not null)`,
    // One row: the number of the last commit. Its update is both the test of `expected` and the writers' queue.
    `create table inventory_sequence (
       one integer primary key not null check (one = 1),
       value integer not null)`,
    `insert into inventory_sequence (one, value) values (1, 0)`,
    // The last change of each record that ever existed: enough for a follower at any earlier commit, and it cannot grow
    // with the number of changes.
    `create table changes (
       noun text not null,
       id text not null,
       op text not null,
       sequence integer not null,
       primary key (noun, id))`,
    `create index changes_by_sequence on changes (sequence)`,
  ),
  '0002-metadata-tokens-and-providers': statements(
    `alter table projects add column metadata_tokens text not null default 'off'`,
    `alter table subnets add column advanced_service_providers text not null default '[]'`,
  ),
  '0003-former-interfaces': statements(
    // Without references: what it speaks of may be gone.
    `create table former_interfaces (
       id text primary key not null,
       router_id text not null,
       network_id text not null,
       mac_address text not null,
       fixed_ips text not null,
       detached_at integer not null)`,
  ),
  '0004-port-security': statements(
    `alter table ports add column port_security_enabled integer not null default 1`,
    `alter table ports add column allowed_address_pairs text not null default '[]'`,
    `update ports set port_security_enabled = 0 where device_owner like 'network:%'`,
  ),
}

function statements(...texts: readonly string[]): Migration {
  return {
    async up(db) {
      for (const text of texts) await sql.raw(text).execute(db)
    },
  }
}
