import type { Place } from './option.ts'

/** Options of the field that no daemon of ours obeys, and why not. */
export interface Ignored {
  /** A group's name in lower case, or `DEFAULT`; a `*` at the end stands for any rest. */
  readonly group: string
  /** `*` for every name of the group. */
  readonly names: readonly string[]
  readonly why: string
}

const NO_BUS = 'no message bus and no database of the field is used here'
const OTHER_DAEMON = 'it concerns other services of Nova or Neutron'
const LOGGING = 'logs are JSON lines on standard error; see log_level'
const DATABASES = 'OVN’s and Open vSwitch’s databases are tried again for as long as it takes, at most every 8 s'
const WORKERS = 'it concerns the server’s inner workings, which are others here'
const PROGRAMS = 'programs are started as they are, without rootwrap'

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/)
}

/** The first row that fits counts. Names are those of Zed's sample files and of the development branch. */
export const ignored: readonly Ignored[] = [
  {
    group: 'DEFAULT',
    names: words(`
      transport_url rpc_* control_exchange executor_thread_pool_size notify_* send_events_interval`),
    why: NO_BUS,
  },
  { group: 'oslo_messaging_*', names: ['*'], why: NO_BUS },
  { group: 'database', names: ['*'], why: NO_BUS },
  { group: 'api_database', names: ['*'], why: NO_BUS },
  {
    group: 'DEFAULT',
    names: words(`
      debug verbose log_* use_syslog use_journal use_json use_stderr use_eventlog syslog_* logging_*
      default_log_levels publish_errors instance_format instance_uuid_format rate_limit_* max_logfile_*
      fatal_deprecations watch_log_file enable_ssh_log`),
    why: LOGGING,
  },
  {
    group: 'agent',
    names: ['report_interval', 'log_agent_heartbeats', 'comment_iptables_rules', 'debug_iptables_rules'],
    why: 'heartbeats go to Neutron over the message bus, which is not used here; ask `systemctl status` instead',
  },
  { group: 'agent', names: ['root_helper', 'root_helper_daemon', 'use_helper_for_ns_read'], why: PROGRAMS },
  { group: 'agent', names: ['check_child_processes_*', 'kill_scripts_path', 'availability_zone'], why: WORKERS },
  {
    group: 'cache',
    names: ['*'],
    why: 'ports are always kept in memory; port_cache_seconds in [firstboot] says for how long',
  },
  { group: 'metadata_haproxy', names: ['*'], why: 'no haproxy is started' },
  {
    group: 'DEFAULT',
    names: ['enabled_apis', 'enabled_ssl_apis', 'osapi_compute_*'],
    why: 'only metadata is served, without TLS; put a proxy in front where TLS is wanted',
  },
  {
    group: 'api',
    names: ['metadata_cache_expiration', 'local_metadata_per_cell'],
    why: 'documents are made of the inventory in memory, which is always true',
  },
  {
    group: 'api',
    names: ['use_forwarded_for'],
    why: 'any client could forge X-Forwarded-For; Nova dropped it in 2024.1',
  },
  { group: 'api', names: ['config_drive_skip_versions'], why: 'it concerns config drives only' },
  {
    group: 'vendordata_dynamic_auth',
    names: ['*'],
    why: 'vendor data targets are asked without a token; put credentials in the target’s URL',
  },
  {
    group: 'neutron',
    names: words(`
      auth_section auth_strategy ovs_bridge default_floating_pool extension_sync_interval physnets
      split_loggers collect_timing service_name min_version max_version connect_retr* status_code_*
      system_scope trust_id domain_id domain_name`),
    why: 'asking Neutron for ports does not need it',
  },
  {
    group: 'DEFAULT',
    names: words(`
      interface_driver dhcp_driver ovs_* resync_* num_sync_threads bulk_reload_interval
      enable_metadata_network dnsmasq_* dhcp_confs dhcp_broadcast_reply dhcp_renewal_time dhcp_rebinding_time
      use_ipv4 cleanup_on_shutdown dhcp_agents_per_network`),
    why: 'bridges, namespaces and dnsmasq are set up from the inventory',
  },
  {
    group: 'DEFAULT',
    names: words(`
      agent_mode handle_internal_only_routers external_* ha_* enable_metadata_proxy metadata_port
      metadata_access_mark radvd_user ra_confs min_rtr_adv_interval max_rtr_adv_interval keepalived_*
      send_arp_for_ha l3_ha* router_distributed`),
    why: 'it concerns the router path',
  },
  {
    group: 'DEFAULT',
    names: words(`
      auth_strategy core_plugin service_plugins bind_* api_* allow_* base_mac dvr_* mac_* max_* network_*
      quota_* use_ssl vlan_* global_physnet_mtu dns_* external_dns_driver lock_path my_ip
      my_block_storage_ip compute_* instances_path instance_* force_* config_drive_format mkisofs_cmd
      injected_network_template reclaim_* resume_* cpu_* ram_* disk_* host web_framework
      backdoor_* run_external_periodic_tasks graceful_shutdown_timeout client_socket_timeout wsgi_*
      tcp_keepidle periodic_* pybasedir bindir filter_validation advertise_mtu ipam_driver setproctitle
      vif_plugging_* preserve_* initial_* rootwrap_config default_* non_inheritable_* ssl_* key_file cert_file
      ca_file`),
    why: OTHER_DAEMON,
  },
  {
    group: 'DEFAULT',
    names: words(`
      allowed_conntrack_helpers arq_binding_timeout backlog block_device_allocate_retries
      block_device_allocate_retries_interval cert conn_pool_min_size conn_pool_ttl console_host daemon
      dhcp_agent_notification dhcp_load_type enable_dvr enable_new_agents enable_new_services
      enable_services_on_agents_with_admin_state_down enable_snat_by_default enable_traditional_dhcp
      heal_instance_info_cache_interval host_dvr_for_dhcp http_retries internal_service_availability_zone key
      live_migration_retry_count long_rpc_timeout maximum_instance_delete_attempts migrate_max_retries
      pagination_max_limit password_length pd_confs pointer_model preallocate_images prefix_delegation_driver
      reboot_timeout record reimage_timeout_per_gb report_interval rescue_timeout reserved_host_cpus
      reserved_host_disk_mb reserved_host_memory_mb reserved_huge_pages resize_confirm_window
      resize_fs_using_block_device retry_until_window router_auto_schedule router_scheduler_driver
      running_deleted_instance_action running_deleted_instance_poll_interval running_deleted_instance_timeout
      scheduler_instance_sync_interval service_down_time servicegroup_driver shelved_offload_time
      shelved_poll_interval shutdown_timeout sync_power_state_interval sync_power_state_pool_size tempdir
      timeout_nbd update_resources_interval use_cow_images use_rootwrap_daemon vcpu_pin_set vendor_pen
      virt_mkfs volume_usage_poll_interval web`),
    why: OTHER_DAEMON,
  },
  {
    group: 'agent',
    names: ['extensions', 'use_random_fully'],
    why: OTHER_DAEMON,
  },
  {
    group: 'api',
    names: words(`
      auth_strategy compute_link_prefix enable_instance_password glance_link_prefix
      instance_list_cells_batch_fixed_size instance_list_cells_batch_strategy instance_list_per_project_cells
      list_records_by_skipping_down_cells max_limit neutron_default_tenant_id use_neutron_default_nets`),
    why: OTHER_DAEMON,
  },
  { group: 'ovs', names: ['ovsdb_connection_timeout', 'ovsdb_timeout'], why: DATABASES },
  { group: 'ovs', names: ['ovsdb_debug'], why: LOGGING },
  {
    group: 'ovs',
    names: ['ssl_key_file', 'ssl_cert_file', 'ssl_ca_cert_file'],
    why: 'the Open_vSwitch database of this host is asked over its unix socket, or TCP without TLS',
  },
  {
    group: 'ovs',
    names: words(`
      arp_responder baremetal_smartnic bridge_mac_table_size bridge_mappings datapath_type disable_packet_marking
      enable_tunneling igmp_* int_peer_patch_port integration_bridge local_ip of_* openflow_processed_per_port
      ovsdb_interface ovsdb_monitor_respawn_interval qos_meter_bandwidth resource_provider_* static_nat tun_peer_patch_port
      tunnel_bridge use_veth_interconnection vhostuser_socket_dir`),
    why: 'it concerns Open vSwitch’s own agent; the integration bridge is read from Open_vSwitch (external_ids:ovn-bridge)',
  },
  { group: 'ovn', names: ['ovsdb_connection_timeout', 'ovsdb_retry_max_interval'], why: DATABASES },
  { group: 'ovn', names: ['ovsdb_log_level'], why: LOGGING },
  {
    group: 'ovn',
    names: words(`
      allow_stateless_action_supported broadcast_arps_to_all_routers dhcp_default_lease_time
      disable_ovn_dhcp_for_baremetal_ports dns_records_ovn_owned dns_servers enable_distributed_floating_ip fdb_*
      live_migration_activation_strategy localnet_learn_fdb mac_binding_* neutron_sync_mode ovn_dhcp4_global_options
      ovn_dhcp6_global_options ovn_emit_need_to_frag ovn_l3_mode ovn_l3_scheduler ovn_metadata_enabled
      ovn_router_indirect_snat stateless_nat_enabled vhost_sock_dir vif_type`),
    why: 'it concerns Neutron’s server, which writes OVN’s Northbound',
  },
  ...words(`
    keystone_authtoken keystone nova nova_sys_admin placement glance cinder barbican* ironic designate oslo_*
    profiler privsep* quotas quota ssl cors wsgi experimental service_providers ml2* ovn_nb_global ovn_agent linux_bridge vxlan
    securitygroup network_log nfp sriov* compute conductor console consoleauth devices
    ephemeral_storage_encryption filter_scheduler guestfs healthcheck hyperv image_cache key_manager libvirt
    metrics mks notifications pci powervm rdp remote_debug scheduler serial_console service_user spice
    upgrade_levels vault vmware vnc workarounds zvm cyborg os_vif_* vif_plug_* osprofiler manila fwaas bgp*
    dhcp_relay`).map((group) => ({ group, names: ['*'], why: OTHER_DAEMON })),
]

/** Why an option is not obeyed; undefined for one that the field does not know either, as far as we know. */
export function whyIgnored({ group, name }: Place): string | undefined {
  return ignored.find((row) => fits(row.group, group) && row.names.some((each) => fits(each, name)))?.why
}

function fits(pattern: string, text: string): boolean {
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : pattern === text
}
