"""Tests of causes that alerts of platforms, data stores and senders state in a product's own words."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.vocabulary import Language
from tests.arbitration.rules.examples import Example, case_of

pytestmark = pytest.mark.pure

CAUSES = {cause.id: cause for cause in parse(sources()).causes}
CASES = [
    ("infra_compromised", "UnusualProcess", "GuardDuty: worker-3 talks to a mining pool"),
    ("infra_compromised", "挖礦程式", "build-4 執行 xmrig"),
    ("infra_ups_on_battery", "UPS rack-b", "The UPS is running on battery, 9 minutes left"),
    ("infra_ups_on_battery", "UPS 告警", "市電中斷，剩 14 分鐘"),
    ("infra_registry_down", "ImagePullBackOff", "Pods wait. The registry answers: unexpected status 502 Bad Gateway"),
    ("infra_pod_addresses", "Pods do not start", "CNI: no IP addresses available in range set"),
    ("infra_dhcp", "DHCP scope full", "Scope of floor 3 has no free leases"),
    ("infra_dhcp", "DHCP 位址池將用盡", ""),
    ("infra_vm_consolidation", "VM warning", "Backup left a delta disk. Disk consolidation is needed for mail-2"),
    ("infra_provider_host", "VM unavailable", "Cause: unexpected host failure"),
    ("infra_acme_denied", "Certificate not ready", "DNS-01 failed with 403 Forbidden at the DNS provider"),
    ("infra_notify_tls", "AlertmanagerFailedToSendAlerts", "Failed to send. x509: unknown authority"),
    ("infra_cost_transfer", "Cloud cost anomaly", "NAT gateway bytes are 5 times the usual"),
    ("infra_raid", "磁碟陣列降級", "nas-7 的 md1"),
    ("db_group_member", "MySQL group replication", "Member db-2 is in state ERROR"),
    ("db_galera_non_primary", "GaleraStatus", "wsrep_cluster_status is non-Primary on node 2"),
    ("db_endpoint_certificate", "SQL Server AG not healthy", "Database Mirroring login attempt failed"),
    ("db_circuit_breaker", "ElasticsearchBreaker", "CircuitBreakingException: data too large"),
    ("db_archiver_stopped", "Oracle cannot write", "ORA-00257: archiver error"),
    ("db_load_memory", "Milvus search fails", "load segment failed, OOM if load"),
    ("db_write_hotspot", "TiKV busy", "Hot regions of one index"),
    ("db_backup_primary", "Full backup is late", "pgBackRest: unable to find primary cluster"),
    ("db_manual_maintenance", "Postgres pool is full", "Sessions wait for a lock. A manual VACUUM FULL runs"),
    ("db_redis_slots", "RedisClusterStateFail", ""),
    ("db_galera_not_ready", "Galera node", "pxc-2 is not ready"),
    ("db_galera_flow_control", "Galera writes are slow", "Flow control pauses the cluster"),
    ("db_mongo_rollback", "MongoDB member", "mongo-2 is performing a rollback"),
    ("db_mongo_removed", "MongoDB member", "mongo-3 was removed from the replica set"),
    ("db_redis_slots_host", "Redis cluster_state:fail", "The host of redis-4 was rebooted"),
    ("db_memcached_down", "MemcachedDown", ""),
    ("db_broker_isr_left", "Kafka under min ISR", "Broker 2 has dropped out of ISR"),
    ("db_log_waits", "MySQL InnoDB log waits", ""),
    ("db_shards_yellow", "Elasticsearch status yellow", ""),
    ("db_shards_red", "OpenSearch cluster red", ""),
    ("db_indexing_throttled", "OpenSearch indexing is throttled", ""),
    ("db_alias_write_index", "ILM error", "Alias logs-web does not have a write index"),
    ("db_memory_clickhouse", "ClickHouse memory usage", "91 %"),
    ("db_replicas_clickhouse", "ClickHouse replica errors", ""),
    ("db_dropped_mutations", "CassandraDroppedMutations", ""),
    ("db_cardinality_new_tag", "InfluxDB series cardinality", "Tag session_id appeared today"),
    ("db_hot_partition", "Cosmos DB normalized RU is high", "A single partition is throttled"),
    ("db_slot_without_reader", "Inactive replication slot", "PostgreSQL keeps WAL. The connector was removed"),
    ("db_redis_full_evicting", "Redis memory usage 99 %", "Evicted keys 200/s"),
    ("db_page_cache_neo4j", "Neo4j page cache hit ratio is low", ""),
    ("db_disk_managed", "RDS free storage is low", ""),
    ("db_disk_bookie", "PulsarLedgerDiskUsage", "Ledger disk usage 85 %"),
    ("db_backup_failed", "Galera backup", "The backup of pxc-shop did not succeed"),
    ("infra_account_taken", "Entra ID: impossible travel", "amy signed in from two countries"),
    ("infra_lockout", "Account lockouts", "svc_backup is locked out again"),
    ("infra_key_deletion", "KMS key", "The key is scheduled for deletion"),
    ("infra_web_attack", "WAF burst", "9,000 blocked SQL injection requests"),
    ("infra_exposed", "Public S3 bucket", "hr-data allows public read"),
    ("infra_pair_sync", "Load balancer HA sync failure", "The standby has an older version"),
    ("infra_leased_line", "ExpressRoute circuit down", ""),
    ("infra_etcd_nospace", "etcd alarm", "NOSPACE"),
    ("infra_datastore_full", "Datastore usage on disk", "DS-9 is 97% full"),
    ("infra_facility", "漏水感測器", "B1 漏水"),
    ("db_archive_denied", "WAL grows", "Postgres archive_command failed: AccessDenied"),
    ("db_pending_restart", "Postgres pending restart", "max_connections changed"),
    ("db_storage_stopped", "RDS instance stopped", "Instance status storage-full"),
    ("db_pending_maintenance", "RDS pending maintenance", "An update is forced next week"),
    ("db_chunk_migration", "MongoDB balancer", "moveChunk failed: jumbo chunk"),
    ("db_save_failed", "Redis refuses writes", "MISCONF"),
    ("db_too_stale", "MongoDB member RECOVERING", "It is too stale to catch up"),
    ("db_rebalance_failed", "Couchbase rebalance failed", "A node was auto-failed over"),
    ("db_agent_job", "SQL Agent job failed", "Step 2 was a deadlock victim"),
    ("db_listener", "Oracle listener down", "TNS-12541"),
    ("db_broker_no_leader", "NATS JetStream", "Stream orders has no quorum"),
    ("infra_conserve_mode", "FortiGate conserve mode", ""),
    ("infra_password_expires", "Service account password expires", "svc_sql has 3 days left"),
    ("infra_egress_denied", "Squid proxy", "Egress blocked to partner.example since a policy push"),
    ("infra_storage_throttled", "Azure storage account throttling", ""),
    ("infra_vault_secret_expires", "Azure Key Vault near expiry", "A secret expires in 5 days"),
    ("infra_storage_path", "iSCSI session lost", "esx-2 has an APD timeout"),
    ("infra_tls", "憑證鏈不完整", "shop.example 未提供中繼憑證"),
    ("infra_clock", "網域控制站時間偏差", ""),
    ("infra_origin", "Cloudflare 522 rate", "Origin connection timed out"),
    ("db_log_volume_full", "HANA log volume full", "Log backups fail"),
    ("db_segment_down", "Greenplum segment down", "The mirror took over"),
    ("db_channel_retrying", "IBM MQ channel retrying", "AMQ9202"),
    ("db_collation", "Postgres collation version mismatch", ""),
    ("db_semi_sync", "MySQL semi-sync off", ""),
    ("db_proxy_backend", "ProxySQL hostgroup empty", ""),
    ("db_shard_limit", "Elasticsearch shards", "This action would add 2 shards"),
    ("infra_nat_ports", "Cloud NAT", "Out of SNAT ports towards one destination"),
    ("infra_mesh_push", "IstiodPushErrors", "Push errors rise after the upgrade"),
    ("infra_dns_source", "ExternalDNSErrors", "It cannot access source Gateway"),
    ("infra_domain_payment", "Domain expires in 9 days", "Renewal: payment failed"),
    ("infra_domain_payment", "網域即將到期", "續約扣款失敗"),
    ("infra_bulk_refused", "FluentdRetriesFailed", "Elasticsearch answers 429 to bulk writes"),
    ("infra_api_member_down", "KubeAPIServerInstanceDown", "One kube-apiserver is down: cp-3"),
    ("infra_api_scrape", "KubeApiserverScrapeMissing", ""),
    ("db_ddl_queue", "PostgresLocks", "40 sessions wait for locks. ALTER TABLE waits for an access exclusive lock"),
    ("be_pool_leak", "HikariPool", "Connection leak detection triggered in OrderDao.list"),
    ("be_request_work", "Gunicorn worker timeout", "POST /imports parses the file inside the request"),
    ("be_login_second_factor", "Login check failed", "It got MFA required for an account without one"),
    ("be_settings_not_applied", "RatesSyncFailed", "The service cannot read its overrides file"),
    ("be_ruby_allocations", "RubyAllocationRate", "Ruby allocates objects at a high allocation rate"),
    ("fe_asset_size_change", "BundleSizeBudget", "Main bundle is 500 kB. Pull request 88 added a chart package"),
    ("be_sender_reputation", "SES bounce rate 7%", "Largest sender: newsletter"),
    ("be_device_payload", "TelemetryParseErrors", "Device payloads of one model are dropped"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[case[0] for case in CASES])
def test_the_fault_stated_is_the_cause(cause: str, name: str, text: str) -> None:
    expected = CAUSES[cause]
    for language in Language:
        judgement = judge(case_of(Example(expected.team, name, text)), language)
        assert judgement.primary_responsibility is expected.team
        assert judgement.action_title.endswith(expected.title[language])


@pytest.mark.parametrize(
    ("stated", "name", "text"),
    [
        ("infra_api_member_down", "KubeAPIServerDown", "The API server does not answer"),
        ("fe_asset_size_change", "BundleSizeBudget", "Main bundle is 500 kB"),
        ("be_login_second_factor", "Login failures", "MFA codes fail to arrive"),
        ("infra_domain_payment", "Payments declined", "Cards are declined by the bank"),
        ("db_ddl_queue", "PostgresLocks", "40 sessions wait for locks"),
        ("infra_bulk_refused", "Loki push refused", "A part of the lines is lost. The store answers 429"),
    ],
)
def test_what_is_not_stated_is_not_the_cause(stated: str, name: str, text: str) -> None:
    cause = CAUSES[stated]
    for language in Language:
        judgement = judge(case_of(Example(cause.team, name, text)), language)
        assert not judgement.action_title.endswith(cause.title[language])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("OtelCollectorDown", "Telemetry of the cluster is lost"),
        ("MailQueueTooLong", "Mails are deferred by many destinations"),
    ],
)
def test_the_monitoring_and_the_mail_server_stay_with_the_platform(name: str, text: str) -> None:
    assert judge(case_of(Example("INFRA", name, text)), Language.EN).primary_responsibility == "INFRA"
