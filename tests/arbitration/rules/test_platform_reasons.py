"""Tests of causes that the platform's alerts state in a later sentence, or by the kind of what is full or slow."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import Example, case_of, check_cause

pytestmark = pytest.mark.pure

CAUSES = {cause.id: cause for cause in parse(sources()).causes}
CASES = [
    ("infra_disk_predicted", "NodeFilesystemSpaceFillingUp", "Filesystem is predicted to run out of space."),
    ("infra_disk_logs", "DiskAlmostFull", "Root file system is 98% used. /var/log/audit holds 90 GB"),
    ("infra_disk_build", "GitlabRunnerJobFailures", "Jobs fail: write error, no space left on device"),
    ("infra_disk_images", "HostOutOfDiskSpace", "Disk space of /var/lib/docker on build-2 is low"),
    ("infra_disk_windows", "D: Disk space is critically low", "Space used: 98 %"),
    ("infra_device_disk", "BigIpDiskUsage", "Disk usage of /var/log on the BIG-IP is 95%"),
    ("infra_etcd_disk", "EtcdDiskSpaceLow", "Disk space of the etcd volume is low"),
    ("infra_zfs_full", "ZpoolCapacityHigh", "zpool tank is almost full"),
    ("infra_ceph_full", "CephPoolNearFull", "Pool volumes is nearly full"),
    ("infra_array_full", "OntapVolumeFull", "NetApp volume vol7 is almost full"),
    ("infra_backup_target", "VM backup failed", "Job ended with errors. There is not enough space on the disk"),
    ("infra_snapshot_quota", "Veeam job failed", "Snapshot of vm-7 failed. Error: snapshot quota exceeded"),
    ("infra_gpu_off_bus", "NvidiaGpuError", "GPU 2 has fallen off the bus"),
    ("infra_many_nodes", "Many nodes are NotReady", ""),
    ("infra_node_not_ready", "KubeNodeNotReady", "Node worker-3 is not ready"),
    ("infra_control_plane_node", "ControlPlaneNodeMissing", ""),
    ("infra_pod_insufficient", "KubePodPending", "Pod is pending. 0/9 nodes are available: 9 Insufficient memory"),
    ("infra_scale_down", "ClusterUnderutilized", "Nodes are hardly used. Scale-down is blocked by a disruption budget"),
    ("infra_cloud_limit_reached", "InstanceLimitExceeded", "Launch of node refused"),
    ("infra_shell", "Falco alert", "A shell was spawned in a container"),
    ("infra_security_blocked", "Malware detected", "Trojan on laptop-7 was quarantined"),
    ("infra_antivirus_load", "High CPU usage", "MsMpEng.exe uses 80% of the CPU"),
    ("infra_etcd_member_slow", "etcdHighFsyncDurations", "fsync takes 900 ms. The other members take 3 ms"),
    ("infra_cloud_capacity", "Scaling group cannot launch", "Launch failed. InsufficientInstanceCapacity in zone b"),
    ("infra_cloud_limit", "Cluster autoscaler failed", "Scale up failed. Error: QuotaExceeded for cores"),
    ("infra_node_join", "NodeCreationFailure", "Instances did not join the Kubernetes cluster"),
    ("infra_node_repaired", "Node auto-repair", "Node pool-7 was recreated after 10 unhealthy minutes"),
    ("infra_pid_pressure", "KubeNodePressure", "Node has the active condition PIDPressure"),
    ("infra_cluster_operator", "ClusterOperatorDegraded", "Cluster operator ingress is degraded"),
    ("infra_gpu_memory", "GpuEccErrors", "DCGM reports double-bit ECC errors"),
    ("infra_credential_use", "GuardDuty finding", "Credentials used from an external address"),
    ("infra_ceph_pgs", "CephPGsInconsistent", "2 PGs are down"),
    ("infra_zfs_degraded", "ZpoolDegraded", "Pool tank is degraded"),
    ("infra_longhorn", "LonghornVolumeDegraded", "Volume is degraded"),
    ("infra_multi_attach", "FailedAttachVolume", "Multi-Attach error: volume is already exclusively attached"),
    ("infra_stale_handle", "FailedMount", "MountVolume.SetUp failed. Error: stale NFS file handle"),
    ("infra_node_drain", "NodeClaimTerminationStuck", "Node has been terminating for 2 hours"),
    ("infra_pod_taint", "KubePodPending", "Pod is pending. 5 nodes had an untolerated taint"),
    ("infra_pull_limit", "ImagePullBackOff", "Failed to pull the image: toomanyrequests"),
    ("infra_exposed", "Secret exposed", "A kubeconfig was found in a public repository"),
    ("infra_policy_denied", "Gatekeeper denied", "The admission webhook denied the request: missing label"),
    ("infra_runtime_down", "Docker daemon is not running", ""),
    ("infra_bridge_filter", "NodeBridgeFilter", "Bridged traffic passes iptables"),
]


@pytest.mark.parametrize(("cause", "name", "text"), CASES, ids=[case[0] for case in CASES])
def test_the_stated_reason_is_the_cause(cause: str, name: str, text: str) -> None:
    check_cause(CAUSES[cause], name, text)


def test_a_claim_makes_a_full_disk_a_full_volume() -> None:
    example = Example(
        "INFRA", "Storage space is nearly used up", "97% used", "namespace=mail persistentvolumeclaim=files"
    )
    title = CAUSES["infra_volume_full"].title
    for language in Language:
        assert judge(case_of(example), language).action_title.endswith(title[language])


def test_a_masked_service_does_not_join_the_words_around_it() -> None:
    example = Example("BE", "Cloud Figs API is down", "", "service=figs")
    judgement = judge(case_of(example), Language.EN)
    assert judgement.primary_responsibility is Responsibility.BE
