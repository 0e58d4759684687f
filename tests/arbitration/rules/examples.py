"""Alerts as different producers send them, each with the responsible team."""

from typing import NamedTuple

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.rule_set import Cause
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from


class Example(NamedTuple):
    """One alert: the responsible team, its name, its summary, and labels as `key=value` separated by blanks."""

    team: str
    name: str
    text: str = ""
    labels: str = ""

    @property
    def label_map(self) -> dict[str, str]:
        """The labels of `key=value` words."""
        return dict(pair.split("=", 1) for pair in self.labels.split())


KSM = "job=kube-state-metrics prometheus=monitoring/k8s container=kube-state-metrics endpoint=http"
NODE = "job=node-exporter instance=10.2.7.31:9100 container=node-exporter prometheus=monitoring/k8s"

EXAMPLES = [
    # --- browser, web and mobile
    Example("FE", "LCP above budget", "75th percentile of LCP on /product pages is 4.8 s", "app=storefront"),
    Example("FE", "WebVitalsClsPoor", "Cumulative layout shift is poor for 31% of page views"),
    Example(
        "FE", "HighJsErrorRate", "Uncaught TypeError seen by 4% of sessions since release 2026.11.3", "app=web-shop"
    ),
    Example("FE", "[RUM] Interaction to Next Paint degraded", "INP p75 = 620 ms on Chrome mobile", "env=prod"),
    Example("FE", "ChunkLoadError spike", "Browsers fail to load script chunks after the deployment"),
    Example("FE", "CrashFreeSessionsLow", "Crash-free sessions of the Android app fell to 97.1%", "platform=android"),
    Example("FE", "iOS ANR / app hang rate", "App hang rate on iOS 19 is three times the baseline"),
    Example("FE", "PageLoadTimeAnomaly", "Page load time deviates from its baseline", "pageUrl=/checkout"),
    Example("FE", "Website down", "https://www.shop.example does not show the home page"),
    Example("FE", "SsrRenderFailures", "Server-side rendering of the Next.js web app fails for 3% of pages"),
    Example("FE", "前端 JavaScript 錯誤率過高", "結帳頁面的 JS 錯誤在 10 分鐘內增加五倍", "service=shop-web"),
    Example("FE", "頁面載入時間過長", "首頁 LCP 的 75 百分位達 6 秒"),
    Example("FE", "行動應用閃退率上升", "Android 版 5.2.0 閃退率 3%"),
    Example("FE", "StaticAssetsMissing", "The web client cannot find its CSS and scripts (404)"),
    Example("FE", "Blank page detected", "Session replays show a white screen for users of Safari"),
    # --- application services
    Example(
        "BE", "CheckoutHighErrorRate", "checkout answers 7.3% of requests with 5xx", "service=checkout namespace=shop"
    ),
    Example("BE", "OrdersApiLatencyP99", "P99 latency of orders-api is 2.4 s", "service=orders-api"),
    Example(
        "BE", "ErrorBudgetBurn", "14x burn rate on the availability SLO of the cart service", "slo=cart-availability"
    ),
    Example("BE", "[P2] High p95 latency on service:recommendations env:prod", "p95 over 800ms for 10 minutes"),
    Example("BE", "PaymentProviderTimeouts", "Calls to the payment provider time out"),
    Example("BE", "Apdex score low (payments)", "Apdex fell below 0.7 in the last 5 minutes", "appName=payments"),
    Example("BE", "LoginFailuresSpike", "Login attempts fail ten times as often as usual"),
    Example("BE", "UnhandledExceptions", "NullPointerException in InvoiceController, 120 events", "service=billing"),
    Example("BE", "GrpcServerErrors", "gRPC method Reserve returns Internal for 5% of calls", "service=inventory"),
    Example(
        "BE", "JvmHeapAlmostFull", "Old generation at 95% after full GC", "app=pricing instance=pricing-7d9f8:8080"
    ),
    Example("BE", "LongGcPauses", "Garbage collection pauses exceed 2 s", "application=search-api"),
    Example("BE", "NodejsEventLoopLag", "Event loop lag p99 is 900 ms", "job=bff"),
    Example("BE", "GoroutineLeak", "Number of goroutines keeps growing", "job=notifier"),
    Example("BE", "HikariPoolExhausted", "Threads wait for a connection from HikariPool-1", "service=orders"),
    Example(
        "BE",
        "KafkaConsumerLagHigh",
        "Consumer group invoices lags 120000 messages on topic orders",
        "consumergroup=invoices",
    ),
    Example("BE", "RabbitMQ queue backlog", "Queue email.outbound has 54000 messages ready", "queue=email.outbound"),
    Example("BE", "SQS oldest message age", "ApproximateAgeOfOldestMessage above one hour", "queue=thumbnails"),
    Example("BE", "DeadLetterQueueNotEmpty", "Messages arrived in orders-dlq"),
    Example("BE", "NightlySettlementJobFailed", "The nightly settlement batch job ended with exit code 1"),
    Example("BE", "CronJobMissedRun", "The report scheduler has not run for 26 hours", "service=reporting"),
    Example("BE", "CeleryWorkersStuck", "Celery workers have not finished a task for 20 minutes"),
    Example("BE", "SidekiqQueueLatency", "Sidekiq queue latency is 15 minutes"),
    Example("BE", "FlinkJobRestarts", "Flink job enrich-clicks restarted 8 times; checkpoint failed"),
    Example("BE", "SparkStageFailures", "Spark application daily-aggregates has failed stages"),
    Example("BE", "LambdaErrors", "image-resizer Lambda function errors over 5%", "metric=Errors namespace=AWS/Lambda"),
    Example("BE", "StepFunctionExecutionsFailed", "State machine order-fulfilment: 12 executions failed"),
    Example("BE", "WebhookDeliveryFailing", "Outgoing webhooks to partners fail"),
    Example("BE", "Traefik: service catalog returns 5xx", "Backend service catalog@kubernetes answers 9% with 502"),
    Example("BE", "服務錯誤率過高", "order-service 5xx 錯誤率達 12%", "service=order-service namespace=shop"),
    Example("BE", "API 回應時間過長", "會員 API 的 P99 延遲超過 3 秒", "service=member-api"),
    Example("BE", "付款失敗率上升", "信用卡付款成功率降至 91%"),
    Example("BE", "Kafka 消費者延遲", "群組 billing 落後 8 萬筆訊息"),
    Example("BE", "後端服務無回應", "inventory 服務健康檢查失敗"),
    Example("BE", "DotnetThreadPoolStarvation", "Thread pool queue length grows, requests wait"),
    Example("BE", "PhpFpmMaxChildrenReached", "php-fpm pool www reached max children"),
    Example("BE", "DataFreshness", "Table of daily metrics has not been refreshed by the ETL for 9 h"),
    Example("BE", "TooManyRetriesToPartnerApi", "The partner API answers 429 to our requests", "service=shipping"),
    Example("BE", "orders: throughput dropped", "Requests per second fell by 80% against last week", "service=orders"),
    # --- platform
    Example(
        "INFRA",
        "KubeNodeNotReady",
        "ip-10-2-7-31 has been unready for more than 15 minutes.",
        KSM + " node=ip-10-2-7-31",
    ),
    Example("INFRA", "KubeletDown", "Kubelet has disappeared from target discovery", "severity=critical"),
    Example("INFRA", "KubeAPIErrorBudgetBurn", "The API server is burning too much error budget", "long=1h short=5m"),
    Example("INFRA", "KubePersistentVolumeFillingUp", "The volume claimed by uploads has 2% left", "namespace=media"),
    Example(
        "INFRA", "KubeCPUOvercommit", "Cluster has overcommitted CPU resource requests", "prometheus=monitoring/k8s"
    ),
    Example("INFRA", "NodeFilesystemAlmostOutOfSpace", "File system on /dev/sda1 at host-4 has 2% left", NODE),
    Example("INFRA", "NodeClockSkewDetected", "Clock on host-4 is out of sync by more than 50 ms", NODE),
    Example("INFRA", "HostHighCpuLoad", "CPU load on app-host-3 is over 90%", "instance=app-host-3:9100"),
    Example("INFRA", "Zabbix: lack of free swap space on web01", "Swap is almost used up"),
    Example("INFRA", "High memory utilization (>90% for 5m)", "Linux server lin-22 is short of memory"),
    Example("INFRA", "SmartDiskFailure", "SMART reports a failing drive", "device=/dev/sdc instance=stor-1:9633"),
    Example("INFRA", "RaidArrayDegraded", "md0 lost a disk"),
    Example("INFRA", "IpmiTemperatureCritical", "Inlet temperature 48 °C"),
    Example("INFRA", "PowerSupplyFailed", "PSU 2 of rack-7-node-12 has no input"),
    Example("INFRA", "CoreDNSErrorsHigh", "CoreDNS answers SERVFAIL for 3% of queries", "job=kube-dns"),
    Example("INFRA", "CertificateExpiresSoon", "TLS certificate for shop.example ends in 6 days", "namespace=shop"),
    Example("INFRA", "PostgresTlsCertificateExpiry", "The server certificate of orders-db expires in 3 days"),
    Example("INFRA", "CertManagerRenewalFailing", "ACME challenge does not complete"),
    Example("INFRA", "IngressControllerConfigReloadFailed", "nginx ingress could not load its configuration"),
    Example("INFRA", "HAProxyServerDown", "All servers of pool static are down", "proxy=static"),
    Example("INFRA", "ALB UnHealthyHostCount", "Two targets are unhealthy", "namespace=AWS/ApplicationELB"),
    Example("INFRA", "IstioPilotConflicts", "Istiod rejects endpoints, sidecars keep old configuration"),
    Example("INFRA", "CloudFront cache hit rate low", "CDN serves only 40% from cache"),
    Example("INFRA", "BgpSessionDown", "Peer 192.0.2.1 not established", "device=leaf-3"),
    Example("INFRA", "PacketLossHigh", "Ping to branch-4 loses 12% of packets"),
    Example("INFRA", "VPN tunnel down", "IPsec tunnel to the data centre is gone"),
    Example("INFRA", "ConntrackTableFull", "Connection tracking table is at 95%", NODE),
    Example("INFRA", "CephOSDDown", "3 OSDs are down, placement groups degraded"),
    Example("INFRA", "CephHealthError", "Cluster is in HEALTH_ERR"),
    Example("INFRA", "LonghornVolumeDegraded", "Volume pvc-8a1 has one replica only"),
    Example("INFRA", "NfsMountStale", "NFS share /export/home does not answer"),
    Example("INFRA", "EtcdNoLeader", "etcd member infra2 has no leader"),
    Example("INFRA", "etcdDatabaseQuotaLowSpace", "etcd database size exceeds the quota"),
    Example("INFRA", "PrometheusRuleFailures", "Prometheus monitoring/k8s failed to evaluate rules"),
    Example("INFRA", "TargetDown", "10% of the kubelet targets are down", "job=kubelet"),
    Example("INFRA", "AlertmanagerFailedToSendAlerts", "Alertmanager failed to send notifications to Slack"),
    Example("INFRA", "LokiRequestErrors", "Loki push requests fail", "job=loki/distributor"),
    Example("INFRA", "OtelCollectorDroppingSpans", "The collector refuses spans because of memory pressure"),
    Example("INFRA", "Watchdog", "An alert meant to always fire, so that the alerting pipeline is known to work"),
    Example("INFRA", "FluentBitOutputErrors", "Fluent Bit cannot deliver log chunks"),
    Example("INFRA", "ThanosCompactHalted", "Thanos compactor halted"),
    Example("INFRA", "ArgoCDAppOutOfSync", "Argo CD application web has been out of sync for 2 h"),
    Example("INFRA", "GitLabRunnerJobsPending", "GitLab runners do not pick up CI jobs"),
    Example("INFRA", "JenkinsAgentOffline", "Build agent linux-3 is offline"),
    Example("INFRA", "VaultSealed", "Vault instance is sealed"),
    Example("INFRA", "ExternalSecretSyncError", "External secret shop/api-keys is not synced"),
    Example("INFRA", "ConsulRaftLeaderMissing", "Consul has no cluster leader"),
    Example("INFRA", "PostfixQueueGrowing", "The mail queue holds 4000 mails"),
    Example("INFRA", "EC2 StatusCheckFailed", "Instance i-0a1 failed its system status check"),
    Example("INFRA", "ESXi host disconnected", "vCenter lost the hypervisor esx-12"),
    Example("INFRA", "ClusterAutoscalerUnschedulablePods", "Pods cannot be scheduled, no node group can grow"),
    Example("INFRA", "KubeHpaMaxedOut", "HPA shop/web runs at max replicas", KSM),
    Example("INFRA", "UPS on battery", "The UPS of room 2 lost mains power"),
    Example("INFRA", "節點未就緒", "節點 worker-3 已離線 10 分鐘"),
    Example("INFRA", "磁碟空間不足", "主機 app-02 的 /var 只剩 3%"),
    Example("INFRA", "憑證即將到期", "shop.example 的 TLS 憑證將於 5 天後到期"),
    Example("INFRA", "網路封包遺失率過高", "交換器 sw-7 與核心之間封包遺失 8%"),
    Example("INFRA", "DNS 解析失敗", "叢集內名稱解析錯誤率上升"),
    Example("INFRA", "主機 CPU 使用率過高", "app-07 的 CPU 已達 96%"),
    # --- data stores
    Example("DB", "PostgreSQLTooManyConnections", "PostgreSQL uses 95% of max_connections", "datname=orders"),
    Example(
        "DB", "PostgresReplicationLag", "Standby is 5 minutes behind its primary", "namespace=data pod=orders-pg-1"
    ),
    Example("DB", "MySQLSlowQueries", "MySQL server db-3 has new slow queries", "instance=db-3:9104"),
    Example("DB", "MysqlDown", "MySQL instance is down on db-3", "job=mysqld-exporter"),
    Example("DB", "InnoDB deadlocks", "Deadlocks on table order_items"),
    Example("DB", "MongoReplicaSetMemberUnhealthy", "Member rs0-2 of the MongoDB replica set is not reachable"),
    Example("DB", "RedisMemoryHigh", "Redis uses 93% of maxmemory", "instance=redis-master-0:6379"),
    Example("DB", "RedisKeyEvictions", "Keys are evicted from the session cache", "job=redis"),
    Example("DB", "ElasticsearchClusterRed", "Cluster status is red, 4 primary shards unassigned", "cluster=logs"),
    Example("DB", "OpenSearchJvmPressure", "JVM memory pressure of the OpenSearch domain is 92%"),
    Example("DB", "CassandraPendingCompactions", "Node cass-4 has 300 pending compactions"),
    Example("DB", "ClickHouseReplicaReadonly", "Replicated table is read-only", "pod=chi-main-0-1-0"),
    Example("DB", "CockroachRangesUnavailable", "CockroachDB has unavailable ranges"),
    Example(
        "DB",
        "RDS FreeStorageSpace low",
        "orders-prod has 4 GiB left",
        "namespace=AWS/RDS DBInstanceIdentifier=orders-prod",
    ),
    Example("DB", "Aurora replica lag", "AuroraReplicaLag above 2 s", "metric=AuroraReplicaLag"),
    Example("DB", "DynamoDBThrottledRequests", "Table carts throttles reads", "TableName=carts"),
    Example("DB", "SQL Server: blocked processes", "12 sessions are blocked for over 60 s"),
    Example("DB", "OracleTablespaceFull", "Tablespace USERS is 97% full"),
    Example("DB", "PgBouncerClientsWaiting", "Clients wait for a server connection in pool orders"),
    Example("DB", "DatabaseBackupFailed", "Last good backup of orders-db is 3 days old"),
    Example("DB", "WalArchivingFailing", "WAL files are not archived", "cluster=orders-pg"),
    Example("DB", "TransactionIdWraparound", "Age of the oldest transaction id is 1.8 billion"),
    Example(
        "DB",
        "DbVolumeAlmostFull",
        "The persistent volume of mariadb-0 is 96% full",
        "persistentvolumeclaim=data-mariadb-0",
    ),
    Example("DB", "MemcachedLowHitRate", "Memcached hit rate is 41%"),
    Example("DB", "KafkaUnderReplicatedPartitions", "14 partitions are under-replicated", "job=kafka-exporter"),
    Example("DB", "KafkaOfflinePartitions", "Partitions without a leader"),
    Example("DB", "PulsarBookieReadonly", "Bookie 2 is read-only, ledgers cannot be written"),
    Example("DB", "Neo4jStoreLocksHigh", "Neo4j transactions wait for locks"),
    Example("DB", "TiKVRegionUnavailable", "TiKV store lost regions"),
    Example("DB", "Database CPU saturated", "orders-db CPU has been at 100% for 15 min"),
    Example("DB", "資料庫連線數過高", "orders 資料庫連線使用率 95%"),
    Example("DB", "MySQL 主從延遲", "從庫落後主庫 600 秒"),
    Example("DB", "Redis 記憶體使用率過高", "快取節點記憶體達 92%"),
    Example("DB", "資料庫慢查詢增加", "每分鐘慢查詢超過 200 筆"),
    Example("DB", "PostgreSQL 備份失敗", "昨晚的備份未完成"),
]


def before_list(check: str) -> str:
    """Return the part of a check before its list of alternatives: the rest depends on the alert."""
    return check.partition("{")[0].rstrip(" (（:：")


def case_of(example: Example) -> Case:
    """Return the case of one example."""
    return case_from(alert(example.name, example.text, example.label_map))


def check_cause(expected: Cause, name: str, text: str) -> None:
    """Check that an alert of this name and summary is decided with this cause, in each language."""
    for language in Language:
        judgement = judge(case_of(Example(expected.team, name, text)), language)
        assert judgement.primary_responsibility is expected.team
        assert judgement.action_title.endswith(expected.title[language])
        for number, check in enumerate(map(before_list, expected.checks[language]), start=1):
            assert f"\n{number}. {check}" in judgement.description
