"""The causes that the rules find in alerts about the platform, and the advice that they give."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import Cause, Technology
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, case_of

pytestmark = pytest.mark.pure

RULE_SET = parse(sources())
CAUSES = {each.id: each for each in RULE_SET.causes_by_team[Responsibility.INFRA]}
TECHNOLOGIES = [each for each in RULE_SET.technologies if each.team is Responsibility.INFRA]
RISKY = ("restart", "delete", "remove", "drain", "fail over", "failover", "raise", "reboot", "kill", "unseal all")

CASES = [
    # Disks: space, inodes, errors, speed, read-only.
    ("infra_disk_full", "NodeFilesystemAlmostOutOfSpace", "Filesystem has 3% space left"),
    ("infra_disk_predicted", "HostDiskMayFillIn24Hours", ""),
    ("infra_inodes", "NodeFilesystemAlmostOutOfFiles", "4% inodes left"),
    ("infra_io_errors", "Disk I/O errors on sdc", ""),
    ("infra_io_load", "HostUnusualDiskWriteLatency", ""),
    ("infra_read_only", "File system turned read-only on app-4", ""),
    ("infra_volume_full", "KubePersistentVolumeFillingUp", "The claimed volume is filling up"),
    ("infra_claim_pending", "KubernetesPersistentvolumeclaimPending", ""),
    ("infra_disk_failure", "SmartCriticalWarning", ""),
    ("infra_raid", "NodeRAIDDegraded", ""),
    # Memory: of the host, of a process, the end of one; the node that evicts for it.
    ("infra_memory", "HostOutOfMemory", "Node memory is filling up"),
    ("infra_container_memory", "Prometheus high memory", ""),
    ("infra_oom_kill", "HostOomKillDetected", ""),
    ("infra_node_memory_pressure", "KubernetesNodeMemoryPressure", ""),
    ("infra_swap", "HostSwapIsFillingUp", ""),
    # Directions are read.
    ("infra_cpu", "HostHighCpuLoad", "CPU load is 95%"),
    ("infra_unused", "HostCpuIsUnderutilized", "CPU load is below 20% for a week"),
    ("infra_nodes_unneeded", "ClusterAutoscalerUnneededNodes", ""),
    ("infra_unattached", "Unattached EBS volume", ""),
    # Nodes, hosts, and services on them.
    ("infra_node_not_ready", "KubeNodeNotReady", "Node is not ready"),
    ("infra_node_flapping", "KubeNodeReadinessFlapping", ""),
    ("infra_node_cordoned", "KubernetesNodeSchedulingDisabled", ""),
    ("infra_host_down", "Server is unreachable by ICMP", ""),
    ("infra_rebooted", "Node worker-3 rebooted unexpectedly", ""),
    ("infra_reboot_required", "HostRequiresReboot", ""),
    ("infra_unit_failed", "HostSystemdServiceCrashed", ""),
    # Pods.
    ("infra_crash_loop", "KubePodCrashLooping in kube-system", ""),
    ("infra_image_pull", "ImagePullBackOff", "The registry refuses to hand out the image"),
    ("infra_pod_pending", "KubernetesPodsUnschedulable", ""),
    ("infra_quota", "KubeQuotaAlmostFull", "Namespace quota is nearly used"),
    ("infra_overcommit", "KubeCPUOvercommit", ""),
    # The control plane.
    ("infra_etcd_members", "etcdInsufficientMembers", ""),
    ("infra_etcd_leader", "etcdHighNumberOfLeaderChanges", ""),
    ("infra_etcd_slow", "etcdHighFsyncDurations", ""),
    ("infra_etcd_space", "etcdDatabaseQuotaLowSpace", ""),
    ("infra_etcd_backup", "ETCDBackupJobFailed", ""),
    ("infra_api_down", "KubeAPIDown", ""),
    ("infra_api_rejects", "KubeAPITerminatedRequests", ""),
    ("infra_kubelet_down", "KubeletDown", ""),
    # Networks, names, certificates, proxies.
    ("infra_link_flapping", "NodeNetworkInterfaceFlapping", ""),
    ("infra_interface_errors", "Interface Gi1/0/24: High error rate", ""),
    ("infra_packet_loss", "網路封包遺失率過高", ""),
    ("infra_bgp_down", "BGPNeighborDown", ""),
    ("infra_tunnel", "VPN 通道中斷", ""),
    ("infra_addresses", "CalicoIpPoolExhaustion", ""),
    ("infra_dns_errors", "CoreDNSErrorsHigh", "SERVFAIL for 4% of requests"),
    ("infra_dns_down", "CoreDNSDown", ""),
    ("infra_domain_expiry", "網域即將到期", ""),
    ("infra_certificate_expiry", "BlackboxSslCertificateWillExpireSoon", ""),
    ("infra_certificate_rotation", "憑證更新失敗", ""),
    ("infra_tls", "TLS handshake errors at the edge proxy", ""),
    ("infra_no_backend", "HAProxyHasNoAliveBackends", ""),
    ("infra_proxy_config", "TraefikConfigReloadFailure", ""),
    # Tools: what fails is told apart.
    ("infra_notify", "AlertmanagerNotificationsFailing", ""),
    ("infra_monitoring_config", "PrometheusFailedConfigReload", ""),
    ("infra_rules_failing", "PrometheusRuleFailures", ""),
    ("infra_scrape", "SnmpExporterScrapeFailed", ""),
    ("infra_no_metrics", "No metrics from cluster eu-2", ""),
    ("infra_monitoring_down", "GrafanaDown", ""),
    ("infra_probe_failed", "BlackboxProbeFailed", "Probe failed"),
    ("infra_agent_offline", "GitHub Actions runners offline", ""),
    ("infra_sync", "ArgoCDAppOutOfSync", ""),
    ("infra_vault_sealed", "VaultSealed", ""),
    ("infra_mail_queue", "PostfixQueueGrowing", "The mail queue holds 4000 mails"),
    ("infra_hypervisor_load", "ESXi host has high memory usage", ""),
    ("infra_datastore_full", "VsphereDatastoreAlmostFull", "6% free on the VMFS volume"),
    ("infra_ceph_osd", "CephOSDDown", ""),
    ("infra_system_check", "EC2 StatusCheckFailed_System", ""),
    ("infra_status_check", "EC2 StatusCheckFailed_Instance", ""),
    # Kinds that one ambiguous word would confuse.
    ("infra_storage_controller", "StorageControllerFailover", "Controller B is offline"),
    ("infra_failover", "VRRP failover on lb-2", ""),
    ("infra_ssh_host_key", "Git fetch fails", "Host key verification failed for git.example"),
    ("infra_many_leaders", "kube-scheduler has two leaders", ""),
    ("infra_backup", "Veeam job failed", "VM-Daily finished with failures"),
    ("infra_cloud_quota", "SnapshotQuotaNearLimit", "Snapshot quota of the project at 95 %"),
    ("infra_dns_controller", "ExternalDNSRegistryErrors", ""),
    ("infra_proxy_secret", "EnvoySDSInitFetchTimeout", "The proxy waits for its OAuth2 secret"),
    ("infra_proxy_conflict", "IstioPilotDuplicateEntry", ""),
    ("infra_aggregated_api", "KubeAggregatedAPIDown", ""),
    ("infra_network_agent", "NeutronAgentDown", ""),
    ("infra_hypervisor_down", "ESXi host disconnected", ""),
    ("infra_cloud_api", "vCenter API is down", ""),
    ("infra_instances", "AutoScalingGroupUnhealthy", "Four instances are unhealthy"),
    ("infra_provider_maintenance", "EC2 scheduled retirement", ""),
    ("infra_runners", "BuildAgentsStuck", ""),
    ("infra_build_queue", "CI 工作排隊過久", ""),
    ("infra_directory_replication", "AD Replication Failure", ""),
    ("infra_target_down", "TargetDown", "Scrape targets of the job node are down"),
    ("infra_alertmanager_unreachable", "PrometheusNotConnectedToAlertmanagers", ""),
    ("infra_ups_on_battery", "UPS on battery", "Runtime remaining 14 min"),
    ("infra_zombies", "ZombieProcesses", "120 zombie processes on app-3"),
    ("infra_device_cpu", "Firewall CPU 98%", ""),
    ("infra_optics", "OpticalRxPowerLow", "rx power -23 dBm"),
    ("infra_routing_calico", "CalicoBgpNeighborDown", ""),
    ("infra_certificate_not_ready", "CertManagerCertificateNotReady", ""),
    ("infra_cdn_errors", "Cloudflare 5xx spike", ""),
    ("infra_origin", "CloudFrontOriginErrors", ""),
    ("infra_vulnerability", "Critical vulnerability in image", ""),
    ("infra_volume_full", "KubernetesVolumeOutOfDiskSpace", ""),
    ("infra_etcd_network", "etcdMemberCommunicationSlow", ""),
    ("infra_quota_exceeded", "KubeQuotaExceeded", "Namespace ml has exceeded its quota"),
    ("infra_trust_anchor", "LinkerdTrustAnchorExpiry", ""),
    ("infra_gpu_temperature", "GPUThermalThrottle", "GPU 0 at 91 °C"),
    ("infra_security_agent", "CrowdStrike sensor offline", ""),
    ("infra_service_check", "ConsulServiceHealthcheckFailed", ""),
    ("infra_inodes", "KubePersistentVolumeInodesFillingUp", "Only 2 % of inodes are left"),
    ("infra_dns_upstream", "CoreDNSForwardHealthcheckFailureCount", "Upstream resolvers fail their health check"),
    ("infra_general", "CNI plugin failed to assign addresses", ""),
    ("infra_time_source", "NTP server unreachable", ""),
    ("infra_general", "RookOperatorDown", ""),
    ("infra_cilium_unreachable", "CiliumAgentUnreachableNodes", ""),
    ("infra_alertmanager_cluster", "AlertmanagerMembersInconsistent", ""),
    ("infra_general", "VeleroDown", ""),
    ("infra_reconcile_often", "CAPATooManyReconciliations", ""),
    ("infra_general", "IRSAClaimNotReady", ""),
    # Where no rule knows the cause, none is made up.
    ("infra_cilium_endpoints", "CiliumEndpointRegenerationFailures", ""),
    ("infra_general", "GatekeeperAuditStalled", ""),
    ("infra_dns_traffic", "DnsUnboundLowTraffic", "unbound gets 12% of the usual traffic"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
def test_an_alert_has_the_cause_that_it_states(cause: str, name: str, text: str) -> None:
    expected = CAUSES[cause]
    for language in Language:
        judgement = judge(case_of(Example("INFRA", name, text)), language)
        assert judgement.primary_responsibility is Responsibility.INFRA
        assert judgement.action_title.endswith(name if expected.is_unknown else expected.title[language])
        unknown = RULE_SET.phrases[language]["cause_unknown"]
        assert (unknown if expected.is_unknown else expected.explanation[language]) in judgement.description
        for number in (1, 2, 3):
            assert f"\n{number}. " in judgement.description


@pytest.mark.parametrize("advice", [*CAUSES.values(), *TECHNOLOGIES], ids=lambda advice: advice.id)
def test_a_check_is_a_sentence_that_changes_nothing(advice: Cause | Technology) -> None:
    for check in advice.checks[Language.EN]:
        assert check.endswith(".")
        assert not check.lower().startswith(RISKY)
    assert all(check.endswith("。") for check in advice.checks[Language.ZH_TW])


@pytest.mark.parametrize("cause", CAUSES.values(), ids=list(CAUSES))
def test_a_title_is_short_and_no_sentence(cause: Cause) -> None:
    for title in cause.title.values():
        assert len(title) <= 60
        assert not title.endswith((".", "。"))
