"""The subject of an alert: the object it is about, found before alerts are grouped.

In this order: the alert's own fields; labels that name a Kubernetes object; labels that name an application; the
workload of a pod; a host; a data source; a container; the scrape job; the alert's name. A metrics exporter reports on
something else, so a label that names one is passed over, unless the alert is about the exporter's own pod or says that
a scrape target is down.

Labels are read in every spelling that is in use: `k8s.deployment.name`, `kube_deployment` (Datadog), `podName`,
`exported_pod` (Prometheus renames a label of the series to `exported_…` where the scrape target has a label of that
name: then the plain one is the target's).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from openclaw_stream.alerts.exporters import (
    Reporter,
    is_cluster_exporter,
    is_exporter,
    is_exporter_pod,
    is_known_exporter,
    is_service_job,
    reporter_of,
)
from openclaw_stream.alerts.hosts import host_of, in_cluster_service, is_identifier
from openclaw_stream.alerts.resource_names import (
    NAME_MAX,
    job_without_time,
    name_of,
    workload_of_claim,
    workload_of_pod,
    workload_of_replica_set,
)
from openclaw_stream.alerts.subject_labels import (
    DEVICE_LABELS,
    EXPORTED_NAMESPACES,
    FIRST_HOST,
    FIRST_OBJECT,
    FIRST_OTHER,
    KIND_OF,
    LABEL_OF,
    MACHINE_LABELS,
    NAMES_TARGET,
    RANKS,
)

SERVICE, NODE, HOST, DATASOURCE, ALERT = "service", "node", "host", "datasource", "alert"

WORKLOAD_KINDS = frozenset(
    ("service", "deployment", "statefulset", "daemonset", "cronjob", "job", "workload", "pod", "replicaset")
)
_CONTROLLERS = frozenset(("deployment", "statefulset", "daemonset", "replicaset"))
_KINDS = {
    "po": "pod",
    "deploy": "deployment",
    "sts": "statefulset",
    "ds": "daemonset",
    "svc": "service",
    "no": "node",
    "rs": "replicaset",
    "cj": "cronjob",
    "ing": "ingress",
    "ingresse": "ingress",
    "hpa": "horizontalpodautoscaler",
    "pvc": "persistentvolumeclaim",
    "pdb": "poddisruptionbudget",
}
_KIND = re.compile(r"[a-z][a-z0-9]{0,62}")
_PLURAL_LOOKING = frozenset(("ingress", "sts", "ds", "rs"))
_METRICS_SUFFIXES = ("-metrics", "_metrics")
_SIDECARS = ("kube-rbac-proxy", "metrics", "POD")
_PLACEHOLDERS = frozenset(
    (
        "-",
        "null",
        "None",
        "none",
        "nil",
        "N/A",
        "n/a",
        "undefined",
        "unknown",
        "<none>",
        "<no value>",
        "[no value]",
        "<nil>",
    )
)
"""What templates and instrumentation write for a value that is missing."""

_PLATFORMS = frozenset(
    (
        *("kubernetes", "k8s", "kube", "node", "nodes", "baremetal", "bare-metal", "hardware", "server", "servers"),
        *("host", "hosts", "network", "infra", "infrastructure", "platform", "os", "linux", "windows", "vmware"),
    )
)
"""What rules put into the label `service` of alerts about the parts of a platform."""

_TARGET_DOWN = re.compile(
    r"(?:^|_)(?:targets?|instance|endpoint|scrape|prometheus_?job)_?(?:down|missing|unreachable)|"
    r"(?:exporter|metrics|cadvisor|kubelet|pushgateway)_?(?:down|missing|absent)|absent",
    re.IGNORECASE,
)
_OF_PROCESS = re.compile(
    r"(?:Pod|Container|Deployment|StatefulSet|DaemonSet|ReplicaSet)(?!s|Disruption)|Crash|OOM|Throttl|Restart",
    re.IGNORECASE,
)
DATASOURCE_ALERTS = frozenset(("DatasourceError", "DatasourceNoData"))


class Subject(NamedTuple):
    """What an alert is about; `kind` in lower case, as Kubernetes names it, or `host`, `datasource` or `alert`.

    `namespace` is empty where there is none: for a host it is the exporter's own, and says nothing about the host.
    """

    kind: str
    namespace: str
    name: str


NO_SUBJECT = Subject(ALERT, "", "")
"""Of a group that never had an incident."""


def namespace_of(labels: Mapping[str, str]) -> str:
    """Return the Kubernetes namespace that the labels name, else an empty text."""
    return _namespace(_ranked(labels))


def service_of(labels: Mapping[str, str], target_resource: str = "") -> str:
    """Return the service or workload that the labels or the target name, else an empty text."""
    _, subject = subject_of("-", "", "", target_resource, labels)
    return subject.name if subject.kind in WORKLOAD_KINDS else ""


def subject_of(
    alert_name: str, namespace: str, service: str, target_resource: str, labels: Mapping[str, str]
) -> tuple[str, Subject]:
    """Return the namespace of an alert, and its subject.

    Args:
        alert_name: The alert's name: the subject where nothing else is known.
        namespace: The alert's own field, empty where it has none.
        service: The same.
        target_resource: The same: KIND/NAME, NAMESPACE/KIND/NAME or NAME.
        labels: All its labels.
    """
    if service and namespace and len(service) <= NAME_MAX >= len(namespace):
        subject = _cached_own_fields(namespace, service)
        if subject:
            return subject.namespace, subject
    service, ranked = service.strip(), _ranked(labels)
    namespace = name_of(namespace.strip() or _namespace(ranked))
    found = (
        _service(namespace, service)
        or _target(alert_name, target_resource, namespace)
        or _datasource(alert_name, labels)
        or _object(alert_name, ranked, namespace, labels)
        or _host(alert_name, ranked, namespace, labels)
        or _other(ranked, namespace)
        or _scraped(alert_name, namespace, service, labels)
    )
    if found is None:
        return namespace, Subject(ALERT, namespace, alert_name)
    return namespace, Subject(found.kind, name_of(found.namespace), name_of(found.name))


def _ranked(labels: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return rank and value of the labels that name something, lowest rank first."""
    ranked = []
    for label, value in labels.items():
        rank = RANKS[label]
        if rank is not None and value:
            ranked.append((rank, value))
    ranked.sort()
    return ranked


def _namespace(ranked: list[tuple[int, str]]) -> str:
    for rank, value in ranked:
        if rank >= FIRST_OBJECT:
            break
        if (namespace := value.strip()) and not _is_placeholder(namespace):
            return namespace
    return ""


def _own_fields(namespace: str, service: str) -> Subject | None:
    """Return the subject of an alert with both fields; None where labels are needed."""
    namespace = namespace.strip()
    return _service(namespace, service.strip()) if namespace else None


def _service(namespace: str, service: str) -> Subject | None:
    """Return the service that the alert's own field names, if it is surely no exporter of something else."""
    if not service or is_known_exporter(service) or _is_placeholder(service):
        return None
    return Subject(SERVICE, name_of(namespace), name_of(service))


def _datasource(alert_name: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the data source of an alert of Grafana's about a query that failed or found nothing."""
    if alert_name not in DATASOURCE_ALERTS:
        return None
    uid = labels.get("datasource_uid", "").strip()
    return Subject(DATASOURCE, "", uid) if uid else Subject(ALERT, "", alert_name)


def _object(
    alert_name: str, ranked: list[tuple[int, str]], namespace: str, labels: Mapping[str, str]
) -> Subject | None:
    """Return the first object that is no exporter; what only names the scrape target if there is no other."""
    of_target: Subject | None = None
    is_exported = bool(ranked) and ranked[0][0] < EXPORTED_NAMESPACES
    for rank, value in ranked:
        if rank < FIRST_OBJECT:
            continue
        if rank >= FIRST_HOST:
            break
        kind = KIND_OF[rank]
        name, is_measuring = _cached_workload(kind, value) if len(value) <= NAME_MAX else _workload(kind, value)
        if not name or (is_measuring and not _is_own_process(alert_name, kind, name, labels)):
            continue
        if not MACHINE_LABELS.isdisjoint(labels) and (
            name.lower() in _PLATFORMS or not DEVICE_LABELS.isdisjoint(labels)
        ):
            continue  # the node or device is what the alert is about
        subject = Subject(kind, "" if kind == "persistentvolume" else namespace, name)
        if not (is_exported and NAMES_TARGET[rank]) and not (kind == SERVICE and name.endswith(_METRICS_SUFFIXES)):
            return subject
        of_target = of_target or subject
    return (_custom_resource(namespace, labels) if is_exported else None) or of_target


def _workload(kind: str, value: str) -> tuple[str, bool]:
    """Return the name of the workload of an object, empty where it has none, and whether it is an exporter's."""
    value = value.strip()
    name = _NAMED_BY[kind](value) if kind in _NAMED_BY else value
    if _is_placeholder(name):
        return "", False
    return name, is_exporter_pod(value) if kind == "pod" else is_exporter(name)


def _is_own_process(alert_name: str, kind: str, name: str, labels: Mapping[str, str]) -> bool:
    """Return whether an alert is about the exporter itself: its pods, or its deployment, crash or are not ready.

    Discovery names a target's pod, but not its deployment. A pod of kube-state-metrics is never the subject: where the
    labels of its objects are renamed to `exported_…`, sums by pod are named after it.
    """
    if kind == "pod":
        return bool(_OF_PROCESS.search(alert_name)) and not is_cluster_exporter(name)
    if kind in _CONTROLLERS:
        return bool(_OF_PROCESS.search(alert_name)) or reporter_of(labels) is Reporter.CLUSTER
    return False


def _custom_resource(namespace: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the object of a controller that exports `exported_namespace`, `name` and its kind (Flux, cert-manager)."""
    name = labels.get("name", "").strip()
    kind = (labels.get("customresource_kind") or labels.get("kind") or "").strip().lower()
    return Subject(kind if _KIND.fullmatch(kind) else "resource", namespace, name) if name else None


def _host(alert_name: str, ranked: list[tuple[int, str]], namespace: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the host, or the service that a host's name means within the cluster."""
    hosts = [each for each in ranked if FIRST_HOST <= each[0] < FIRST_OTHER]
    if not hosts:
        return None
    reporter = reporter_of(labels)
    if reporter is Reporter.CLUSTER:
        of_target = {"instance"}
        if labels.get("job", "").startswith("kubernetes-") and "node" not in alert_name.lower():
            of_target.add("node")  # the usual scrape configuration adds the target's own
        hosts = [each for each in hosts if LABEL_OF[each[0]] not in of_target]
    elif reporter is Reporter.PROBE:
        hosts.sort(key=_probed_first)
    for rank, value in hosts:
        name = host_of(value.strip())
        if not name or _is_placeholder(name) or is_identifier(name) or is_exporter(name.partition(".")[0]):
            continue
        if service := in_cluster_service(name):
            pod, service_name, service_namespace = service
            return Subject("pod" if pod else SERVICE, service_namespace, workload_of_pod(pod) or service_name)
        kind = KIND_OF[rank]
        return Subject(kind, "" if reporter or kind == NODE else namespace, name)
    return None


def _probed_first(ranked: tuple[int, str]) -> tuple[int, int]:
    """Order what a probe asks before where the probe itself runs."""
    rank = ranked[0]
    label = LABEL_OF[rank]
    return (
        0 if label in {"target", "server"} else 2 if KIND_OF[rank] == NODE and not label.startswith("exported") else 1
    ), rank


def _other(ranked: list[tuple[int, str]], namespace: str) -> Subject | None:
    for rank, value in ranked:
        name = value.strip()
        if rank < FIRST_OTHER or not name or _is_placeholder(name):
            continue
        kind = KIND_OF[rank]
        if kind == DATASOURCE:
            return Subject(kind, "", name)
        if not is_exporter(name) and not name.startswith(_SIDECARS):
            return Subject(kind, namespace, name)
    return None


def _scraped(alert_name: str, namespace: str, service: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the scrape target of an alert that says that one is down or absent, else the scrape job."""
    job = (labels.get("exported_job") or labels.get("job", "")).strip()
    if _TARGET_DOWN.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", alert_name)):
        name = service or labels.get("service", "").strip() or job
        return Subject(SERVICE, namespace, name) if name else None
    if not job or not is_service_job(job) or _is_placeholder(job):
        return None
    # OpenTelemetry writes service.namespace/service.name, the Prometheus operator NAMESPACE/POD-MONITOR.
    own_namespace, _, name = job.rpartition("/")
    return Subject(SERVICE, namespace or own_namespace, name) if name else None


def _target(alert_name: str, target_resource: str, namespace: str) -> Subject | None:
    if not target_resource:
        return None
    target = target_resource.strip()
    if "://" in target:
        return Subject(HOST, namespace, host_of(target))
    path, _, name = target.rpartition("/")
    own_namespace, _, kind = path.rpartition("/")
    kind = _kind(kind.lower().partition(".")[0])
    if kind in (NODE, HOST):
        return Subject(kind, "" if kind == NODE else namespace or own_namespace, host_of(name)) if name else None
    name = _NAMED_BY[kind](name) if kind in _NAMED_BY else name
    if not name or (is_known_exporter(name) and not _is_own_process(alert_name, kind, name, {})):
        return None
    return Subject(kind, namespace or own_namespace, name)


def _kind(word: str) -> str:
    """Return the kind that a word means: in the singular, abbreviations written out."""
    singular = word if word in _PLURAL_LOOKING or not word.endswith("s") else word.removesuffix("s")
    return _KINDS.get(word) or _KINDS.get(singular) or (singular if _KIND.fullmatch(singular) else "workload")


def _is_placeholder(name: str) -> bool:
    return name in _PLACEHOLDERS or name.startswith("unknown_service")


def _hpa(name: str) -> str:
    return name.removeprefix("keda-hpa-")


_NAMED_BY = {
    "pod": workload_of_pod,
    "job": job_without_time,
    "persistentvolumeclaim": workload_of_claim,
    "replicaset": workload_of_replica_set,
    "horizontalpodautoscaler": _hpa,
}
"""How the name of a workload is made of the name of an object of a kind."""

# The names of a system are few, and its alerts repeat.
_cached_own_fields = lru_cache(maxsize=16384)(_own_fields)
_cached_workload = lru_cache(maxsize=16384)(_workload)
