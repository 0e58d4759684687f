"""Names of metrics exporters: programs that report on something else, which is the subject of their alerts.

Names are those of the exporters' own charts and of the usual scrape jobs, with any prefix of a chart; lists of
exporters: Prometheus' documentation "Exporters and integrations", Grafana Alloy's `integrations/…` jobs.
"""

import re
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

from openclaw_stream.alerts.resource_names import NAME_MAX, workload_of_pod

_START = r"(?:^|[-_./])"
_STATE_METRICS = r"(?:kube|openshift)[-_]?state[-_]?metrics"
_END = (
    r"(?:[-_.](?:headless|metrics|svc|service|https?|main|self|linux|windows|amd64|arm64|prod|production|staging|dev|test|"
    r"v?\d+))*$"
)
_KNOWN = (
    rf"{_START}(?:cadvisor{_END}|kubelet{_END}|{_STATE_METRICS}(?:$|[-_.])|(?:node|blackbox|redis|valkey|postgres|"
    r"postgresql|mysqld?|mariadb|mongodb|kafka|nginx|haproxy|memcached|elasticsearch|rabbitmq|snmp|process|windows|wmi|"
    r"statsd|jmx|cloudwatch|consul|apache|x509-certificate|ssl|dcgm|ipmi|smartctl|systemd|pgbouncer|oracledb|mssql|"
    r"sql)[-_]?exporter(?:$|[-_.]))"
)
_KNOWN_EXPORTER = re.compile(_KNOWN, re.IGNORECASE)
_EXPORTER = re.compile(
    rf"{_KNOWN}|{_START}(?:[a-z0-9]*exporter|ksm|push-?gateway|node-problem-detector){_END}|{_START}blackbox(?:$|[-_])",
    re.IGNORECASE,
)
# Names of pods in examples and of old clusters have hashes that Kubernetes does not generate today.
_POD_HASHES = re.compile(r"(?:-[a-z0-9]{7,10})?-[a-z0-9]{4,5}$")
_CLUSTER = re.compile(rf"{_STATE_METRICS}|{_START}ksm(?:$|[-_.])|push-?gateway", re.IGNORECASE)
_NODE = re.compile(
    r"(?:node|windows|wmi|process|systemd|ipmi|smartctl|dcgm)[-_]?exporter|cadvisor|kubelet|node-problem-detector",
    re.IGNORECASE,
)
_NODE_JOBS = frozenset(("node", "nodes", "linux", "windows", "integrations/unix", "kubernetes-nodes"))
_PROBE_JOBS = frozenset(("snmp", "icmp", "ping", "probe", "http_2xx"))
_GENERIC_JOB = re.compile(r"kubernetes-|integrations/|probe/|federat|static", re.IGNORECASE)
_REPORTER_LABELS = (
    "job",
    "service",
    "app",
    "app_kubernetes_io_name",
    "app.kubernetes.io/name",
    "k8s_app",
    "k8s-app",
    "container",
    "pod",
    "service.name",
    "service_name",
    "kube_service",
    "kube_daemon_set",
    "kube_deployment",
    "k8s.daemonset.name",
    "k8s.deployment.name",
)


class Reporter(Enum):
    """What an exporter's own labels say of its subject.

    NODE: its node and its address are those of the subject. CLUSTER: neither its address nor its namespace is.
    PROBE: it asks a target; its node is not the subject's.
    """

    NODE = "node"
    CLUSTER = "cluster"
    PROBE = "probe"


def is_exporter(name: str) -> bool:
    """Return whether a name is that of a metrics exporter, with any prefix of a chart."""
    return _cached_is_exporter(name) if len(name) <= NAME_MAX else _is_exporter(name)


def is_known_exporter(name: str) -> bool:
    """Return whether a name is that of one of the usual exporters: no application of the user's is called so."""
    return _KNOWN_EXPORTER.search(name) is not None


def is_exporter_pod(pod: str) -> bool:
    """Return whether a pod is an exporter's."""
    return is_exporter(workload_of_pod(pod)) or is_exporter(_POD_HASHES.sub("", pod))


def is_cluster_exporter(name: str) -> bool:
    """Return whether an exporter reports on objects of other namespaces."""
    return _CLUSTER.search(name) is not None


def is_service_job(job: str) -> bool:
    """Return whether a scrape job is named after what it scrapes."""
    return not (is_exporter(job) or job in _NODE_JOBS or job in _PROBE_JOBS or _GENERIC_JOB.match(job))


def reporter_of(labels: Mapping[str, str]) -> Reporter | None:
    """Return what reports an alert of these labels, None where it is no exporter."""
    job = labels.get("job", "").strip()
    if job in _NODE_JOBS:
        return Reporter.NODE
    if job in _PROBE_JOBS or job.startswith("probe/"):
        return Reporter.PROBE
    for label in _REPORTER_LABELS:
        name = labels.get(label, "").strip()
        if name and (is_exporter_pod(name) if label == "pod" else is_exporter(name)):
            if is_cluster_exporter(name):
                return Reporter.CLUSTER
            return Reporter.NODE if _NODE.search(name) else Reporter.PROBE
    return None


def _is_exporter(name: str) -> bool:
    return _EXPORTER.search(name) is not None


# The names of a system are few, and its alerts repeat.
_cached_is_exporter = lru_cache(maxsize=16384)(_is_exporter)
