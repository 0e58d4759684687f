"""The labels that name something, in the order in which they are believed."""

import re

_OBJECTS = {
    "service": ("service", "service.name", "k8s.service.name", "kube_service", "destination_service_name"),
    "deployment": (
        "deployment",
        "k8s.deployment.name",
        "kube_deployment",
        "kubernetes.deployment.name",
        "deployment_name",
        "k8s_deployment",
    ),
    "statefulset": (
        "statefulset",
        "k8s.statefulset.name",
        "kube_stateful_set",
        "kubernetes.statefulset.name",
        "statefulset_name",
    ),
    "daemonset": ("daemonset", "k8s.daemonset.name", "kube_daemon_set", "kubernetes.daemonset.name", "daemonset_name"),
    "cronjob": ("cronjob", "k8s.cronjob.name", "kube_cronjob"),
    "job": ("job_name", "k8s.job.name", "kube_job"),
    "horizontalpodautoscaler": ("horizontalpodautoscaler", "hpa", "k8s.hpa.name"),
    "persistentvolumeclaim": ("persistentvolumeclaim", "k8s.persistentvolumeclaim.name", "pvc"),
    "poddisruptionbudget": ("poddisruptionbudget", "pdb"),
    "ingress": ("ingress", "kube_ingress", "k8s.ingress.name"),
    "workload": (
        "workload",
        "app",
        "app.kubernetes.io/name",
        "app_kubernetes_io_name",
        "kube_app_name",
        "k8s-app",
        "k8s_app",
        "destination_workload",
        "workload_name",
        "label_app_kubernetes_io_name",
        "label_app",
        "app_name",
        "application",
    ),
    "replicaset": ("replicaset", "k8s.replicaset.name", "kube_replica_set"),
    "pod": ("pod", "pod_name", "k8s.pod.name", "kubernetes_pod_name", "container_label_io_kubernetes_pod_name"),
    "resourcequota": ("resourcequota", "k8s.resourcequota.name"),
    "persistentvolume": ("persistentvolume",),
}
_DEVICES = ("devicename", "device_name", "sysname")
"""Labels of devices of the network."""

_HOSTS = {
    "node": ("node", "nodename", "k8s.node.name", "kubernetes_node", "kubernetes.node.name", "kube_node", "node_name"),
    "host": (
        *(
            "host",
            "host.name",
            "hostname",
            *_DEVICES,
            "instance",
            "target",
            "server",
            "server_name",
            "url",
            "fqdn",
            "machine",
        ),
        *("vm", "vm_name", "ip", "ip_address", "address"),
    ),
}
_OTHERS = {
    "datasource": ("datasource_uid",),
    "container": ("container", "container_name", "k8s.container.name", "kube_container_name"),
}
DEVICE_LABELS = frozenset(_DEVICES)
MACHINE_LABELS = frozenset(
    each for label in (*_HOSTS["node"], *_DEVICES, "server_name") for each in (label, label.replace(".", "_"))
)
"""Labels that name one node or device, and not what measures it."""

_NAMESPACES = (
    "namespace",
    "k8s.namespace.name",
    "kubernetes_namespace",
    "kubernetes_namespace_name",
    "kube_namespace",
    "service.namespace",
    "pod_namespace",
    "container_label_io_kubernetes_pod_namespace",
    "k8s_namespace",
    "namespace_name",
    "destination_service_namespace",
    "destination_workload_namespace",
)
# Discovery of scrape targets puts these on every series of a target, and names the target with them.
_OF_TARGETS = frozenset(("service", "pod", "workload"))
_LABELS_MAX = 4096


def spellings(label: str) -> tuple[str, ...]:
    """Return the spellings of a label, itself first."""
    return tuple(dict.fromkeys((label, label.replace(".", "_"), label.replace("_", "."))))


def _of(prefix: str, kinds: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(kind, prefix + each) for kind, labels in kinds.items() for label in labels for each in spellings(label)]


_EXPORTED_NAMESPACES = _of("exported_", {"namespace": _NAMESPACES})
_IN_ORDER = [
    *_EXPORTED_NAMESPACES,
    *_of("", {"namespace": _NAMESPACES}),
    *_of("exported_", _OBJECTS),
    *_of("", _OBJECTS),
    *_of("exported_", _HOSTS),
    *_of("", _HOSTS),
    *_of("", {"datasource": _OTHERS["datasource"]}),
    *_of("exported_", {"container": _OTHERS["container"]}),
    *_of("", {"container": _OTHERS["container"]}),
]
_RANKS = {label: rank for rank, (_, label) in reversed(list(enumerate(_IN_ORDER)))}

KIND_OF = tuple(kind for kind, _ in _IN_ORDER)
LABEL_OF = tuple(label for _, label in _IN_ORDER)
NAMES_TARGET = tuple(kind in _OF_TARGETS and not label.startswith("exported") for kind, label in _IN_ORDER)
"""Whether a label names the scrape target where another one has `exported_namespace`."""

FIRST_OBJECT = next(rank for rank, kind in enumerate(KIND_OF) if kind != "namespace")
FIRST_HOST = next(rank for rank, kind in enumerate(KIND_OF) if kind in _HOSTS)
FIRST_OTHER = next(rank for rank, kind in enumerate(KIND_OF) if kind in _OTHERS)
EXPORTED_NAMESPACES = len(_EXPORTED_NAMESPACES)
"""Ranks below this one are of `exported_namespace`."""

SERVICE_LABELS = frozenset(each for label in _OBJECTS["service"] for each in spellings(label))
NAMESPACE_LABELS = frozenset(each for label in _NAMESPACES for each in spellings(label))
POD_LABELS = frozenset(
    spelling
    for kind, label in _IN_ORDER
    if kind in {"pod", "job", "replicaset"}
    for spelling in (label, label.replace("_", "-"), label.title(), label.title().replace("_", ""), label.upper())
) | {"podName", "jobName"}

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class _RanksBySpelling(dict[str, int | None]):
    """Ranks by label, where case and separators do not count: `Namespace`, `podName`, `Host-Name`."""

    def __missing__(self, label: str) -> int | None:
        spelled = _WORD_START.sub("_", label).lower().replace("-", "_")
        rank = _RANKS.get(spelled, _RANKS.get(label.lower()))
        if len(self) < _LABELS_MAX:
            self[label] = rank
        return rank


RANKS: dict[str, int | None] = _RanksBySpelling(_RANKS)
"""The rank of a label, None where it names nothing: the lower, the sooner it is taken. Read by `RANKS[label]`."""
