"""Tests of causes that alerts of networks, certificates and tools state themselves, often in their second sentence."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import Cause, Technology
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, case_of, check_cause

pytestmark = pytest.mark.pure

RULE_SET = parse(sources())
CAUSES = {cause.id: cause for cause in RULE_SET.causes}
CASES = [
    # Hardware, storage and quotas whose state is stated exactly.
    ("infra_power_supply", "HardwareAlarm", "PSU 1 of web-9 failed, redundancy lost"),
    ("infra_phase_current", "PDU phase current zero", ""),
    ("infra_disk_temperature", "SmartTemperature", "Temperature of sdb is above its threshold"),
    ("infra_inlet_temperature", "RackTooHot", "Inlet temperature 41 C"),
    ("infra_temperature", "機房溫度過高", ""),
    ("infra_disk_controller_fault", "DiskRedfishState", "Hardware error of web-9"),
    ("infra_array_volume_full", "NetappFlexvolUsage", "Flexvol vol9 is 93% full"),
    ("infra_cloud_limit_reached", "VcpuLimitExceeded", "Launch refused"),
    ("infra_node_group_max", "Pod pending", "Insufficient memory. Max node group size reached"),
    ("infra_backup_access", "VeleroBackupFailed", "The bucket answers InvalidAccessKeyId"),
    ("infra_idle_pool", "PoolUnused", "12 machines idle for 9 h"),
    # Named parts of the platform.
    ("infra_envoy_memory", "EnvoyMemoryHigh", "Memory usage 93%"),
    ("infra_ingress_memory", "IngressControllerMemoryUsage", "Memory usage is high"),
    ("infra_gitaly_throttled", "GitalyCpuThrottled", ""),
    ("infra_exporter_cpu", "NetExporterHighCPU", "CPU usage is high"),
    ("infra_telemetry_restarts", "LokiRestarts", "Containers restart too often"),
    ("infra_autoscaling_restarts", "VPARestartsTooOften", ""),
    ("infra_dns_replicas_max", "CoreDNSMaxReplicasReached", "Deployment is at its maximum replica count"),
    ("infra_dns_restarts", "CoreDNSRestarts", "Pods restart too often"),
    ("infra_crossplane", "CrossplaneResourcesNotReady", ""),
    ("infra_object_phase", "Machine in unhealthy phase", "Cluster API"),
    ("infra_etcd_backup_old", "EtcdBackupTooOld", "The last one is 3 days old"),
    ("infra_webhook_slow", "AdmissionWebhookTimeout", "The API server waits for the webhook"),
    ("infra_container_oom", "GatewayOOMKilled", "The ingress nginx container was OOMKilled"),
    # Certificates: where they are, and why they are not renewed.
    ("infra_acme_challenge", "CertManagerCertExpirySoon", "web-tls ends in 5 days. HTTP-01 challenge got status 404"),
    ("infra_certificate_limit", "Certificate not renewed", "Order failed. Too many certificates for these names"),
    ("infra_certificate_secret", "WebhookCertificateExpiring", "Certificate stored in Secret hooks/ca expires"),
    ("infra_certificate_node", "ControlPlaneCertificateExpiring", "Certificate on node cp-2 expires in 20 days"),
    ("infra_certificate_missing", "MeshCertificateMissing", ""),
    ("infra_trust_anchor", "MeshCertExpiry", "Root certificate expires in 12 days"),
    # Answers of name servers.
    ("infra_dns_servfail", "ResolverServfailRatio", "dns-1 answers SERVFAIL to 7% of queries"),
    ("infra_dns_upstream", "CoreDNSErrorsHigh", "SERVFAIL for 9% of names. The forwarder does not answer"),
    ("infra_dns_nxdomain", "DNS check failed", "pay.example is NXDOMAIN from all places"),
    ("infra_dns_zone", "DNSZoneMissing", ""),
    ("infra_dns_throttled", "ExternalDNSErrors", "No record was written. Throttling: rate exceeded"),
    # Lines, sites, devices and ranges.
    ("infra_wan_probe", "WanLinkProbesFailing", ""),
    ("infra_site_down", "分行路由器無回應", ""),
    ("infra_poe", "Access point unreachable", "Its switch port has PoE power denied"),
    ("infra_faulty_link", "Uplink packet loss 6%", "CRC errors rise on both sides"),
    ("infra_netconf", "RouterNetconfUnreachable", ""),
    ("infra_port_disabled", "Switch port down", "Gi1/0/3 is err-disabled by bpduguard"),
    ("infra_fabric_controller", "ApicUnhealthy", ""),
    ("infra_blackhole", "TransitGatewayBlackholeDrops", ""),
    ("infra_segments", "NetworkSegmentsExhaustion", ""),
    ("infra_node_cidr", "NodeCIDRNotAvailable", ""),
    ("infra_cni_missing", "CalicoScrapeMissing", "Calico is not running on all nodes"),
    ("infra_virtual_link", "InterfaceDown", "ens192 is down. Check the host in vCenter"),
    # Proxies and what is behind them.
    ("infra_no_endpoints", "IngressControllerHasNoEndpoints", ""),
    ("infra_zone_backends", "ALB unhealthy hosts", "6 of 6 targets fail. The other availability zone is healthy"),
    ("infra_proxy_draining", "EnvoyServerNotLive", ""),
    ("infra_proxy_warming", "EnvoyListenersStuckWarming", ""),
    # Telemetry on its way, and the monitoring of itself.
    ("infra_ring_member", "LokiIngesterUnhealthy", "Two ingesters are unhealthy"),
    ("infra_telemetry_export", "OTLPLogForwardingErrors", "The collector fails to send to its destination"),
    ("infra_remote_write", "MetricForwardingErrors", "The agent fails to send samples to remote storage"),
    ("infra_ingest_limit", "Loki push refused", "A part of the lines is lost. The store answers 429"),
    ("infra_inflight_limit", "MimirMaxInflightPushRequests", ""),
    ("infra_receiver_refused", "OtelCollectorRefusedSpans", ""),
    ("infra_sending_queue", "OtelExporterQueueFull", "The sending queue is full"),
    ("infra_rules_slow", "PrometheusMissingRuleEvaluations", ""),
    ("infra_scrape_limit", "PrometheusTargetLimitHit", ""),
    ("infra_config_differs", "AlertmanagerConfigInconsistent", ""),
    ("infra_compaction", "MimirCompactorFailed", "Compaction failed"),
    ("infra_compaction_halted", "ThanosCompactHalted", ""),
    ("infra_compaction_overlap", "ThanosCompactHalted", "It is halted. Pre compaction overlap check: overlaps found"),
    ("infra_alertmanager_config", "AlertmanagerFailedReload", "The configuration reload has failed"),
    ("infra_rules_failing", "PrometheusRuleFailures", ""),
    ("infra_jaeger_agent", "JaegerAgentHttpServerErrors", "4% server errors"),
    ("infra_telemetry_requests", "LokiRequestErrors", "6% of push requests fail with 5xx"),
    ("infra_kube_state_metrics", "KubeStateMetricsScrapeFailed", ""),
    ("infra_monitoring_no_space", "PrometheusNotIngestingSamples", "Write failed. No space left on device"),
    ("infra_monitoring_object_store", "LokiFlushFailures", "Flushes fail. The object storage answers SlowDown"),
    ("infra_exporter_collector", "NodeExporterCollectorFailed", "Collector nfs has failed"),
    ("infra_ipmi_collector", "IpmiCollectorDown", ""),
    ("infra_job_missing", "PrometheusAlertmanagerJobMissing", ""),
    ("infra_forwarder_down", "TempoExporterDown", ""),
    ("infra_agent_slow", "AlloySlowComponents", "Evaluations take too long"),
    # Delivery, secrets and mail.
    ("infra_no_runner", "Builds queued", "32 jobs are queued. The CI has 0 runners"),
    ("infra_git_overload", "GitalyResourceExhausted", ""),
    ("infra_git_slow", "GitalyHighLatency", ""),
    ("infra_git_errors", "GitalyHighGrpcErrorRate", "7% of the calls return errors"),
    ("infra_concourse_worker", "ConcourseWorkerStalled", ""),
    ("infra_agent_offline", "JenkinsNodeOffline", ""),
    ("infra_gitops_stuck", "FluxReconcileStuck", ""),
    ("infra_immutable", "ArgoCDSyncFailed", "Sync of shop failed. spec.selector: field is immutable"),
    ("infra_git_source", "GitProxyFailing", "Git fetch fails for all pipelines"),
    ("infra_git_stuck", "GitProxyWorkerStalled", ""),
    ("infra_state_lock", "TerraformApplyFailed", "Apply failed. Error acquiring the state lock"),
    ("infra_token_expires", "VaultTokenExpiring", ""),
    ("infra_secret_denied", "ExternalSecretNotReady", "pay/keys is not ready. AccessDenied for GetSecretValue"),
    ("infra_registry_storage", "RegistryPullLatency", "Harbor is slow. Its S3 backend takes 8 s"),
    ("infra_mail_blocklist", "Deferred mail", "900 mails are deferred. Client host blocked using zen"),
    # Services and resources of a cloud.
    ("infra_nova_down", "NovaComputeDown", ""),
    ("infra_nova_stuck", "NovaInstanceStuck", "Instances are stuck"),
    ("infra_nova_building", "NovaInstanceStuckBuilding", ""),
    ("infra_nova_stopping", "NovaInstanceStuckStopping", ""),
    ("infra_nova_deleting", "NovaInstanceStuckDeleting", ""),
    ("infra_openstack_vcpu", "OpenstackHypervisorVcpuUsage", "vCPU usage of hypervisor kvm-3 is 94%"),
    ("infra_openstack_memory", "OpenstackHypervisorMemoryUsage", "Memory usage of hypervisor kvm-3 is 94%"),
    ("infra_cinder_down", "CinderVolumeDown", ""),
    ("infra_octavia_agent", "OctaviaAgentHeartbeat", ""),
    ("infra_octavia_error", "OctaviaLoadbalancerFailed", ""),
    ("infra_ironic_node", "IronicNodeError", "The node is in error state"),
    ("infra_ironic_deploy", "IronicNodeDeployFailed", ""),
    ("infra_system_check", "StatusCheckFailed_System", ""),
    ("infra_hypervisor_memory", "ESXi DIMM error", "Host not in maintenance"),
    ("infra_hypervisor_memory_maintained", "ESXi DIMM error", "DIMM 4. Host in maintenance"),
    # A node of a ring, and the API of a cloud.
    ("db_members_ring", "ScyllaNodeDown", ""),
    ("infra_cloud_api_busy", "NeutronApiOverloaded", "Request queue > 80"),
    # What is another party's, or a service's own collection.
    ("be_partner_certificate", "Outbound TLS fails", "settlement: certificate has expired at api.bank.example"),
    ("be_unknown_type", "VolumesWithUnknownVolumeType", "A project has volumes of an unknown volume type"),
    ("be_mail_filter", "MailHeldBack", "The relay intercepted the email body due to an error"),
    ("be_resource_collection", "Asset scraping fails", "The quota service cannot read assets"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[case[0] for case in CASES])
def test_the_stated_cause_is_found(cause: str, name: str, text: str) -> None:
    check_cause(CAUSES[cause], name, text)


def test_an_expired_certificate_of_our_own_is_not_that_of_another_party() -> None:
    example = Example("INFRA", "CertificateExpired", "The certificate of shop.example has expired", "service=shop")
    assert judge(case_of(example), Language.EN).primary_responsibility is Responsibility.INFRA


def test_no_runner_is_worse_than_one_that_is_offline() -> None:
    titles = [
        judge(case_of(Example("INFRA", name)), Language.EN).action_title
        for name in ("GitlabRunnerOffline", "JenkinsNoExecutors")
    ]
    assert [title.endswith("No build agent is available") for title in titles] == [False, True]


@pytest.mark.parametrize("advice", [*RULE_SET.causes, *RULE_SET.technologies], ids=lambda advice: advice.id)
def test_no_check_looks_like_a_secret(advice: Cause | Technology) -> None:
    """A word such as `secret` before a colon would be redacted in the ticket."""
    for language in Language:
        for check in advice.checks[language]:
            assert "[redacted" not in safe_text(check, 2000)
