"""The causes that the rules find in alerts about data stores and brokers, and the advice that they give."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import Cause
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, before_list, case_of

pytestmark = pytest.mark.pure

CAUSES = {each.id: each for each in parse(sources()).causes_by_team[Responsibility.DB]}
RISKY = ("restart", "delete", "failover", "fail over", "truncate", "drop ", "purge", "promote", "kill")

CASES = [
    # The same symptom has other causes, and other checks, by product.
    ("db_replication_behind_postgresql", "PostgresReplicationLag", "Standby is 90 s behind"),
    ("db_replication_behind_mysql", "MySQLReplicationLag", "Replica is 90 s behind"),
    ("db_replication_behind_mongodb", "MongoReplicationLag", "Secondary is 90 s behind"),
    ("db_replication_behind", "Redis replica lag", "90 s"),
    ("db_connections_redis", "RedisTooManyConnections", ""),
    ("db_connections_memcached", "MemcachedConnectionLimitApproaching", ""),
    ("db_connections_broker", "RabbitMQ too many connections", ""),
    ("db_pool_waiting", "PgBouncerClientsWaiting", "Clients wait for a server connection"),
    ("db_read_only_elasticsearch", "Elasticsearch index read-only", ""),
    ("db_read_only_clickhouse", "ClickHouseReplicaReadonly", "Table is read-only"),
    # Behind, stopped, lost and split are different troubles.
    ("db_replication_stopped_mysql", "MySQL slave SQL thread not running", ""),
    ("db_redis_replica_lost", "RedisDisconnectedReplica", "A replica is missing"),
    ("db_replica_missing", "PostgresReplicaMissing", "A standby is missing"),
    ("db_split_brain", "PostgresSplitBrain", "Two primaries"),
    ("db_mongo_no_primary", "MongoDB has no primary", ""),
    ("db_no_primary", "Redis has no master", ""),
    ("db_failover", "PostgresFailover", "pg-2 was promoted"),
    ("db_slot", "Replication slot inactive", "Slot cdc keeps WAL"),
    # Disks: space, inodes, speed, and no word of it.
    ("db_disk_postgresql", "PostgresDiskAlmostFull", ""),
    ("db_inodes", "MySQLVolumeInodesExhausted", "No free inodes"),
    ("db_disk_io", "MySQLDiskLatencyHigh", ""),
    ("db_storage", "MySQL disk 93%", ""),
    ("db_tablespace", "OracleTablespaceFull", ""),
    ("db_wal_archive", "WalArchivingFailing", "WAL files of postgres are not archived"),
    # Memory: of the server, of the cache, the end of the process.
    ("db_maxmemory", "RedisMemoryHigh", "92 % of maxmemory"),
    ("db_memcached_memory", "MemcachedMemoryHigh", ""),
    ("db_memory", "PostgresMemoryHigh", ""),
    ("db_oom", "MySQLOomKill", "mysqld was OOM killed"),
    ("db_heap", "ElasticsearchHeapHigh", "Old generation at 93 %"),
    ("db_evictions", "RedisEvictions", ""),
    ("db_hit_ratio", "MemcachedLowHitRate", ""),
    # Directions are read.
    ("db_connections_few", "PostgresNotEnoughConnections", ""),
    ("db_quiet", "PostgresCommitRateLow", ""),
    ("db_unneeded", "RDSLowCpuUtilization", "CPU below 5 % for 14 days"),
    ("db_cpu", "RDSCpuUtilizationHigh", "95 % for 20 minutes"),
    ("db_cpu_credits", "RDS CPUCreditBalance low", ""),
    # Backups: failed, missing, not restorable; the disk of backups is a disk.
    ("db_backup_failed", "MongoBackupFailed", ""),
    ("db_backup_old", "PostgresBackupMissing", "No base backup for 30 hours"),
    ("db_backup_verification", "MariaDBBackupVerificationFailed", ""),
    ("db_disk", "ClickHouseDiskSpaceLowOnBackups", ""),
    # Brokers.
    ("db_broker_offline", "KafkaOfflinePartitions", "Partitions have no leader"),
    ("db_broker_under_replicated", "KafkaUnderReplicatedPartitions", ""),
    ("db_broker_isr", "KafkaUnderMinIsr", ""),
    ("db_broker_controller", "KafkaNoActiveController", ""),
    ("db_broker_down", "KafkaBrokerDown", ""),
    ("db_broker_alarm", "RabbitMQ memory alarm", "rabbit-1 blocks publishers"),
    ("db_broker_net_partition", "RabbitMQ network partition detected", ""),
    ("db_disk_kafka", "KafkaDiskUsageHigh", ""),
    # Pods of a data store.
    ("db_crash_loop", "postgresql-0 CrashLoopBackOff", ""),
    ("db_not_ready", "MariaDB pod not ready", ""),
    # One word does not decide: what is stated does.
    ("db_quiet", "PostgresqlLowXidConsumption", "Transaction IDs are consumed very slowly"),
    ("db_storage", "KafkaLogDirUsage", "Log dir of broker 3 at 93 %"),
    ("db_broker_log_dirs", "KafkaOfflineLogDirectory", "Log directory of broker 3 has failed"),
    ("db_broker_isr_moves", "KafkaIsrShrinks", ""),
    ("db_broker_offline_replicas", "KafkaOfflineReplicas", "3 offline replicas on kafka-2"),
    ("db_snapshot_failed", "OpenSearchSnapshotFailed", ""),
    ("db_swap", "ElastiCacheSwapUsage", "800 MB"),
    ("db_broker_no_leader", "JetStreamNoLeader", "The meta group has no quorum"),
    ("db_oracle_down", "OracleDown", "Oracle instance is down"),
    ("db_head_blocker", "SQL Server blocked sessions", "12 blocked sessions. Head blocker SPID 77"),
    ("db_lock_waits", "SQL Server blocked sessions", "12 blocked sessions"),
    ("db_sequences", "MysqlAutoIncrementNearLimit", "orders.id at 91 % of INT"),
    ("db_undo", "OracleQueryFailed", "ORA-01555: snapshot too old"),
    ("db_crashed", "PostgresCoreDump", "pg-1 left a core dump"),
    ("db_pool_full", "PgBouncerActiveConnections", "Pools are filling up"),
    ("db_ingestion", "ClickHouseIngestionStopped", "No new rows since 02:00"),
    ("db_no_master_elasticsearch", "ElasticsearchMasterNotDiscovered", ""),
    ("db_no_replicas", "ClickHouseNoLiveReplicas", ""),
    ("db_ranges_unavailable", "CockroachUnavailableRanges", "18 ranges are unavailable"),
    ("db_backup_quota", "PostgresBackupQuotaExceeded", ""),
    ("db_backup_slow", "PgBackRestStuck", "The full backup is stuck"),
    ("db_rejections", "ElasticsearchTooManyRequests", "429 from bulk writes"),
    ("db_shard_limit", "ElasticsearchShardLimit", "Too many shards"),
    ("db_recovery_area", "OracleRecoveryAreaFull", ""),
    ("db_tempdb", "MssqlTempdbFull", ""),
    # The details say why: the cause is what they state.
    ("db_replication_gap", "DataGuardApplyLag", "Apply lag 3 h, gap sequence 88213-88219"),
    ("db_replication_conflict", "MySQLReplicaSqlThreadStopped", "Error 1062: duplicate entry"),
    ("db_connections_in_transaction", "PostgresTooManyConnections", "141 are idle in transaction"),
    ("db_connections_rejected", "PostgresTooManyConnections", "FATAL: sorry, too many clients already"),
    ("db_flushed", "MemcachedHitRateLow", "cmd_flush +1"),
    ("db_failover_oom", "RDSFailover", "The writer was out of memory"),
    ("db_shards_node", "ElasticsearchUnassignedShards", "es-5 is offline"),
    ("db_shards_disk", "ElasticsearchUnassignedShards", "Disk watermark exceeded"),
    ("db_scans", "MySQLSlowQueries", "Full table scan of coupons"),
    ("db_maxmemory_reached", "RedisMemoryHigh", "OOM command not allowed when used memory > maxmemory"),
    ("db_disk_full", "PostgresWritesFail", "No space left on device"),
    ("db_disk_claim", "MetisDatabasePVCUsage", "The PVC is almost full"),
    ("db_index_dropped", "MySQLSlowQueries", "1,200 per minute; a migration at 09:10 dropped index by_member"),
    (
        "db_recovery_conflict",
        "PostgresReplicationLag",
        "Standby is behind; canceling statement due to conflict with recovery",
    ),
    (
        "db_replica_buffer",
        "RedisMasterLinkDown",
        "Link lost again. client-output-buffer-limit of replicas was exceeded",
    ),
    ("db_backup_destination_full", "PostgresBackupFailed", "base backup stopped; no space left on device"),
    ("db_backup_denied", "MongoBackupFailed", "upload: AccessDenied"),
    ("db_lock_table", "PostgresTooManyLocks", "out of shared memory; raise max_locks_per_transaction"),
    ("db_connection_yields", "MemcachedConnectionsThrottled", ""),
    ("db_couchdb_atoms", "CouchDBAtomMemoryUsage", "91 % of the limit"),
    ("db_couchdb_open_databases", "CouchDBOpenDatabases", "480 of 500"),
    ("db_ssl_compression", "PostgresqlSslCompressionActive", ""),
    ("db_restarted_oom", "PostgresRestarted", "The process was killed by the system: out of memory"),
    ("db_failover_failed", "MongoDBFailoverFailed", "No candidate was close enough"),
    ("db_failover_failed", "主從切換失敗", "mysql 候選節點落後 2 GB"),
    ("db_errant_transactions", "MySQLReplicaErrantTransactions", "2 errant transactions on db-3"),
    ("db_availability_group", "SQLServerDatabaseNotSynchronizing", "suspended by redo"),
    ("db_keeper_session", "ClickHouseZooKeeperSessionExpired", "Tables turned read-only"),
    ("db_reactor_stalls", "ScyllaReactorStalls", "Over 300 ms"),
    ("db_table_cache", "MySQLOpenedTablesHigh", "table_open_cache overflows 40 per second"),
    ("db_binlog_size", "MySQLDiskAlmostFull", "binlogs take 400 GB of disk"),
    ("db_checkpoints", "PostgresWritesSlow", "checkpoints are occurring too frequently"),
    ("db_persistence", "RedisAofWriteError", "fork: cannot allocate memory"),
    ("db_index_build", "MySQLSlowQueries", "An index build runs on invoices since 10:05"),
    ("db_index_build", "MilvusSearchTimeouts", "while the HNSW index of faces is being built"),
    ("db_replica_bulk_change", "MySQLReplicationLag", "db-4 is 900 s behind; it applies a bulk delete of carts"),
    (
        "db_archive_unreachable",
        "PostgresWalArchivingFailing",
        "archive command: connect to host bk-1: Connection refused",
    ),
    ("db_broker_disk_alarm", "RabbitMQ disk alarm", "rabbit-2 blocks publishers"),
    # Where no rule knows the cause, none is made up.
    ("db_unknown", "MongodbAsserts", "Asserts increase"),
    ("db_unknown", "Oracle: shared pool free is too low", ""),
    ("db_unknown", "PostgresTableWithoutPrimaryKey", ""),
    ("db_unknown", "CassandraReadRepair", ""),
    ("db_unknown", "KafkaPartitionCount", ""),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_an_alert_has_the_cause_that_it_states(cause: str, name: str, text: str) -> None:
    case = case_of(Example("DB", name, text))
    judgement = judge(case, Language.EN)
    assert judgement.primary_responsibility is Responsibility.DB
    title = CAUSES[cause].title[Language.EN]
    assert title in judgement.action_title or (CAUSES[cause].is_unknown and judgement.action_title.endswith(name))
    for check in CAUSES[cause].checks[Language.EN]:
        assert before_list(check) in judgement.description


@pytest.mark.parametrize("language", Language)
def test_every_decision_has_three_checks(language: Language) -> None:
    for _, name, text in CASES:
        description = judge(case_of(Example("DB", name, text)), language).description
        assert all(f"\n{number}. " in description for number in (1, 2, 3)), name
        assert "\n4. " not in description


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_no_check_tells_to_change_data_or_to_restart(cause: Cause) -> None:
    for check in cause.checks[Language.EN]:
        first = check.lower().split(maxsplit=1)[0]
        assert not first.startswith(RISKY), check


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_checks_are_sentences_in_both_languages(cause: Cause) -> None:
    assert all(check.endswith(".") for check in cause.checks[Language.EN])
    assert all(check.endswith("。") for check in cause.checks[Language.ZH_TW])
    assert not cause.title[Language.EN].endswith(".")
