"""The subject of an alert: the object it is about, found before alerts are grouped.

In this order: the alert's own fields; labels that name a Kubernetes object; labels that name an application; the
workload of a pod; a host; a data source; the alert's name. A metrics exporter reports on something else, so a label
that names one is passed over; only an alert that a scrape target is down is about the exporter.

Labels are read in every spelling that is in use: `k8s.deployment.name`, `kube_deployment` (Datadog), `exported_pod`
(Prometheus renames a label of the series to `exported_…` where the scrape target has a label of that name).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from openclaw_stream.alerts.names import NAME_MAX, job_without_time, name_of, workload_of_pod

SERVICE, HOST, DATASOURCE, ALERT = "service", "host", "datasource", "alert"

_OBJECTS = {
    "service": ("service", "service.name", "k8s.service.name", "kube_service"),
    "deployment": ("deployment", "k8s.deployment.name", "kube_deployment"),
    "statefulset": ("statefulset", "k8s.statefulset.name", "kube_stateful_set"),
    "daemonset": ("daemonset", "k8s.daemonset.name", "kube_daemon_set"),
    "cronjob": ("cronjob", "k8s.cronjob.name", "kube_cronjob"),
    "job": ("job_name", "k8s.job.name", "kube_job"),
    "horizontalpodautoscaler": ("horizontalpodautoscaler", "hpa", "k8s.hpa.name"),
    "persistentvolumeclaim": ("persistentvolumeclaim", "k8s.persistentvolumeclaim.name", "pvc"),
    "poddisruptionbudget": ("poddisruptionbudget", "pdb"),
    "ingress": ("ingress", "kube_ingress", "k8s.ingress.name"),
    "workload": ("workload", "app", "app.kubernetes.io/name", "app_kubernetes_io_name", "k8s-app", "k8s_app"),
    "pod": ("pod", "pod_name", "k8s.pod.name", "kubernetes_pod_name"),
    "node": ("node", "nodename", "k8s.node.name", "kubernetes_node"),
    HOST: ("host", "host.name", "hostname", "instance", "target"),
    DATASOURCE: ("datasource_uid",),
}
_NAMESPACES = (
    "namespace",
    "k8s.namespace.name",
    "kubernetes_namespace",
    "kubernetes_namespace_name",
    "kube_namespace",
    "service.namespace",
)
WORKLOAD_KINDS = frozenset(
    ("service", "deployment", "statefulset", "daemonset", "cronjob", "job", "workload", "pod", "replicaset")
)
_HOST_KINDS = frozenset(("node", HOST))
_KINDS = {"po": "pod", "pods": "pod", "deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "svc": "service"}

_EXPORTER = re.compile(
    r"(?:^|[-_./])(?:cadvisor|exporter|kube-state-metrics|ksm|kubelet)(?:[-_.](?:headless|metrics|svc|v\d+))?$"
)
_KNOWN_EXPORTER = re.compile(
    r"(?:^|[-_./])(?:cadvisor|kube-state-metrics|kubelet|(?:node|blackbox|redis|postgres|postgresql|mysqld?|mongodb|kafka|"
    r"nginx|haproxy|memcached|elasticsearch|rabbitmq|snmp|process|windows|statsd|jmx|cloudwatch|consul|apache|pushgateway|"
    r"x509-certificate|ssl|dcgm|ipmi|smartctl|systemd|pgbouncer|oracledb|mssql|sql)[-_]exporter)$"
)
_METRICS_SUFFIXES = ("-metrics", "_metrics")
_TARGET_DOWN = re.compile(
    r"(?:^|_)(?:target|instance|endpoint|scrape)_?(?:down|missing)|exporter_?(?:down|missing|absent)|absent",
    re.IGNORECASE,
)
DATASOURCE_ALERTS = frozenset(("DatasourceError", "DatasourceNoData"))
# A stateful set names its claims TEMPLATE-SET-ORDINAL; these are the usual names of templates.
_CLAIM = re.compile(r"^(?:data|datadir|storage|db|pgdata|www|logs?|redis-data|mysql-data|postgres-data)-(.+)-\d+$")


def _spellings(label: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((label, label.replace(".", "_"), label.replace("_", "."))))


def _every_spelling(labels: tuple[str, ...]) -> list[str]:
    prefixed = [prefix + spelling for prefix in ("exported_", "") for label in labels for spelling in _spellings(label)]
    return list(dict.fromkeys(prefixed))


# By label its rank: the lower, the sooner it is taken. The kind of a rank is in _KIND_OF.
_RANKS: dict[str, int] = {}
_KIND_OF: list[str] = []
for _each, _labels in {"namespace": _NAMESPACES, **_OBJECTS}.items():
    for _label in _every_spelling(_labels):
        _RANKS.setdefault(_label, len(_KIND_OF))
        _KIND_OF.append(_each)
_FIRST_OBJECT = len(_every_spelling(_NAMESPACES))
SERVICE_LABELS = frozenset(spelling for label in _OBJECTS["service"] for spelling in _spellings(label))
NAMESPACE_LABELS = frozenset(spelling for label in _NAMESPACES for spelling in _spellings(label))
POD_LABELS = frozenset(label for label, rank in _RANKS.items() if _KIND_OF[rank] in {"pod", "job"})


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
        subject = _cached_service(namespace, service)
        if subject:
            return subject.namespace, subject
    ranked = _ranked(labels)
    namespace = name_of(namespace or _namespace(ranked))
    found = (
        _service(namespace, service)
        or _target(target_resource, namespace)
        or _datasource(alert_name, labels)
        or _first(ranked, namespace, labels)
        or _about_target(alert_name, namespace, labels)
    )
    return namespace, found._replace(name=name_of(found.name)) if found else Subject(ALERT, namespace, alert_name)


def is_exporter(name: str) -> bool:
    """Return whether a name is that of a metrics exporter, with any prefix of a chart."""
    return _cached_is_exporter(name) if len(name) <= NAME_MAX else _is_exporter(name)


def _is_exporter(name: str) -> bool:
    return _EXPORTER.search(name) is not None


def _ranked(labels: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return rank and value of the labels that name something, lowest rank first."""
    ranked = []
    for label, value in labels.items():
        rank = _RANKS.get(label)
        if rank is not None and value:
            ranked.append((rank, value))
    ranked.sort()
    return ranked


def _namespace(ranked: list[tuple[int, str]]) -> str:
    for rank, value in ranked:
        if rank >= _FIRST_OBJECT:
            break
        if namespace := value.strip():
            return namespace
    return ""


def _service(namespace: str, service: str) -> Subject | None:
    """Return the service that the alert's own field names, if it is surely no exporter of something else."""
    if not service or _KNOWN_EXPORTER.search(service):
        return None
    return Subject(SERVICE, name_of(namespace), name_of(service))


def _datasource(alert_name: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the data source of an alert of Grafana's about a query that failed or found nothing."""
    uid = labels.get("datasource_uid", "").strip() if alert_name in DATASOURCE_ALERTS else ""
    return Subject(DATASOURCE, "", uid) if uid else None


def _first(ranked: list[tuple[int, str]], namespace: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the first that names no exporter; the service of a metrics endpoint only if there is no other object."""
    metrics_service: Subject | None = None
    for rank, value in ranked:
        kind = _KIND_OF[rank]
        if kind == "namespace":
            continue
        name = _name(kind, value.strip())
        if not name or is_exporter(name):
            continue
        if kind in _HOST_KINDS:
            return metrics_service or Subject(kind, "" if _is_from_exporter(labels) else namespace, name)
        if kind == SERVICE and name.endswith(_METRICS_SUFFIXES):
            metrics_service = metrics_service or Subject(kind, namespace, name)
            continue
        return Subject(kind, "" if kind == DATASOURCE else namespace, name)
    return metrics_service


def _is_from_exporter(labels: Mapping[str, str]) -> bool:
    return any(
        is_exporter(workload_of_pod(labels[label].strip()))
        for label in ("service", "job", "pod", "container", "app", "app_kubernetes_io_name", "app.kubernetes.io/name")
        if label in labels
    )


def _about_target(alert_name: str, namespace: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the scrape target of an alert that says that one is down or absent."""
    if not _TARGET_DOWN.search(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", alert_name)):
        return None
    for label in ("service", "job"):
        if name := labels.get(label, "").strip():
            return Subject(SERVICE, namespace, name)
    return None


def _target(target_resource: str, namespace: str) -> Subject | None:
    if not target_resource:
        return None
    path, _, name = target_resource.strip().rpartition("/")
    own_namespace, _, kind = path.rpartition("/")
    kind = kind.lower()
    kind = (
        _KINDS.get(kind, kind.removesuffix("s") if kind.endswith("s") and kind not in _OBJECTS else kind) or "workload"
    )
    name = _name(kind, name)
    return Subject(kind, namespace or own_namespace, name) if name and not _KNOWN_EXPORTER.search(name) else None


def _kind(word: str) -> str:
    """Return the kind that a word means: in the singular, abbreviations written out."""
    singular = word if word in _OBJECTS or not word.endswith("s") else word.removesuffix("s")
    return _KINDS.get(word, singular) or "workload"


def _name(kind: str, value: str) -> str:
    if kind == "pod":
        return workload_of_pod(value)
    if kind == "job":
        return job_without_time(value)
    if kind in _HOST_KINDS:
        return host_of(value)
    if kind == "persistentvolumeclaim":
        return _CLAIM.sub(r"\1", value)
    return value


def host_of(address: str) -> str:
    """Return the host of `host:port`, `[v6]:port` or a URL; any other text as it is."""
    if "://" in address:
        try:
            return urlsplit(address).hostname or address
        except ValueError:
            return address
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, colon, port = address.rpartition(":")
    return host if colon and port.isdigit() and ":" not in host else address.partition("/")[0] or address


# The names of a system are few, and its alerts repeat.
_cached_service = lru_cache(maxsize=16384)(_service)
_cached_is_exporter = lru_cache(maxsize=16384)(_is_exporter)
