"""Identity of an alert: its namespace, service, fingerprint and group key.

A label is recognised in each of its spellings: `service.name` and `service_name` are the same.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from urllib.parse import quote

import orjson

from openclaw_stream.text import Hidden, safe_text

_NAME_MAX = 200
_UNSAFE = re.compile(r"[%/#\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
# Most names. No vendor token consists of parts as short as these, so nothing is redacted or encoded.
_PLAIN = re.compile(r"[a-z0-9]{1,15}(?:[-.][a-z0-9]{1,15})*")

# Suffixes of pods of replica sets, cron jobs, daemon sets and jobs; Kubernetes uses only these characters in hashes.
_HASH_LETTERS = frozenset("bcdfghjklmnpqrstvwxz2456789")
_HASH_LENGTHS, _TIME_LENGTHS = range(7, 11), range(8, 11)
_HASH_LENGTH = 5
_ORDINAL = re.compile(r"(?<=[a-z0-9])-(?:\d{1,4}|\d{8,10})$")

# The service label of these names the exporter, not the service that fails.
_EXPORTER = re.compile(r"(?:^|-)(?:cadvisor|exporter|kube-state-metrics|kubelet)$")


def _spellings(*labels: str) -> tuple[str, ...]:
    every = (spelling for label in labels for spelling in (label, label.replace(".", "_"), label.replace("_", ".")))
    return tuple(dict.fromkeys(every))


# Prometheus renames a label of the series to exported_… if the scrape target has one of the same name.
_NAMESPACES = _spellings(
    "exported_namespace",
    "namespace",
    "k8s.namespace.name",
    "kubernetes_namespace",
    "kubernetes_namespace_name",
    "kube_namespace",
)
_SERVICES = _spellings("exported_service", "service", "service.name")
_WORKLOADS = _spellings(
    *(label for kind in ("deployment", "statefulset", "daemonset", "cronjob") for label in (kind, f"k8s.{kind}.name")),
    "workload",
    "app",
    "app.kubernetes.io/name",
    "app_kubernetes_io_name",
    "k8s-app",
    "k8s_app",
)
_PODS = _spellings("exported_pod", "pod", "pod_name", "k8s.pod.name", "kubernetes_pod_name", "job_name")
_POD_LABELS = frozenset(_PODS)
_VARYING = frozenset(
    _spellings(
        "severity",
        "priority",
        "threshold.name",
        "value",
        "pod-template-hash",
        "pod_template_hash",
        "controller-revision-hash",
        "controller_revision_hash",
        "k8s.pod.uid",
        "k8s.pod.ip",
        "pod_uid",
        "pod_ip",
        "container_id",
        "k8s.container.restart_count",
    )
)


# Copying takes a third of the time of creating a hasher.
_HASHER = blake2b(digest_size=8)


def workload_of_pod(pod: str) -> str:
    """Return the workload of a pod: its name without hashes or ordinal.

    `checkout-7d9f8b6c5-x2x4z`, `checkout-x2x4z` and `checkout-0` are pods of `checkout`; other names stay.
    """
    return _ORDINAL.sub("", pod) if _ORDINAL.search(pod) else _without_hash(pod)


def namespace_of(labels: Mapping[str, str]) -> str:
    """Return the Kubernetes namespace of the labels, empty if there is none."""
    return _first(labels, _NAMESPACES)


def service_of(labels: Mapping[str, str], target_resource: str = "") -> str:
    """Return the service of the labels, else the workload of labels, target or pod; empty if there is none.

    `target_resource` is KIND/NAME.
    """
    service = _first(labels, _SERVICES)
    if service and not _EXPORTER.search(service):
        return service
    return _first(labels, _WORKLOADS) or _workload(target_resource) or workload_of_pod(_first(labels, _PODS)) or service


def fingerprint_of(names: Iterable[str], target_resource: str, labels: Mapping[str, str]) -> str:
    """Return the fingerprint of an alert without one: 16 hex digits of its names, its target and its labels.

    What varies between repeats of an alert is left out: severity, value, and the hashes in pod names.
    """
    identity = [*names, _without_hash(target_resource)]
    for key in sorted(labels):
        if key not in _VARYING:
            identity += (key, _without_hash(labels[key]) if key in _POD_LABELS else labels[key])
    # JSON is unambiguous; a flat list, because sorting keys here is faster than in orjson.
    hasher = _HASHER.copy()
    hasher.update(orjson.dumps(identity))
    return hasher.hexdigest()


def _without_hash(name: str) -> str:
    """Return a pod's name without the hashes of a rollout. A regular expression takes three times as long."""
    head, _, suffix = name.rpartition("-")
    if len(suffix) != _HASH_LENGTH or not _HASH_LETTERS.issuperset(suffix) or not _ends_alphanumeric(head):
        return name
    front, _, middle = head.rpartition("-")
    hashed = len(middle) in _HASH_LENGTHS and _HASH_LETTERS.issuperset(middle)
    timed = len(middle) in _TIME_LENGTHS and middle.isascii() and middle.isdigit()
    return front if (hashed or timed) and _ends_alphanumeric(front) else head


def _ends_alphanumeric(text: str) -> bool:
    last = text[-1:]
    return last.isascii() and (last.islower() or last.isdigit())


def member_of(fingerprint: str) -> int:
    """Return a fingerprint as an unsigned 64-bit hash, equal in every process."""
    return _cached_hash(fingerprint) if len(fingerprint) <= _NAME_MAX else _hash(fingerprint)


def name_of(value: str) -> str:
    """Return a name to store and publish: at most 200 characters, without secrets.

    If that changes the name, a hash of the original is appended, so that different names stay different.
    """
    return _cached_name(value) if len(value) <= _NAME_MAX else _name(value)


class Grouping:
    """Grouping of alerts into incidents: alerts with equal values of the `group_by` labels.

    `namespace`, `service` and `alertname` are those of the alert, under any label.
    """

    __slots__ = ("_fingerprint_prefix", "_is_default", "_labels", "group_by")

    def __init__(self, group_by: tuple[str, ...] = ("namespace", "service")) -> None:
        """Compile the labels.

        Raises:
            ValueError: There is no label, one is given twice, or one is the severity, which changes during an incident.
        """
        if not group_by or len(set(group_by)) != len(group_by):
            raise ValueError("group_by must have one or more different labels")
        if "severity" in group_by:
            raise ValueError("group_by cannot contain severity: it changes during an incident")
        self.group_by = group_by
        self._is_default = group_by == ("namespace", "service")
        self._labels = tuple((_canonical(label), _spellings(label)) for label in group_by)
        # The value of a single label could equal a fingerprint; no key of values begins with a slash.
        self._fingerprint_prefix = "/" if len(group_by) == 1 else ""

    def key(self, name: str, namespace: str, service: str, labels: Mapping[str, str], fingerprint: str) -> str:
        """Return the group key: the values joined by `/`, percent-encoded where necessary.

        If any is missing, the key is the fingerprint of the alert. A key never begins with `#`.
        """
        if self._is_default and namespace and service:
            return _cached_pair(namespace, service)
        known = {"namespace": namespace, "service": service, "alertname": name}
        values = []
        for label, spellings in self._labels:
            value = known[label] if label in known else _first(labels, spellings)
            if not value:
                return self._fingerprint_prefix + _encoded(fingerprint)
            values.append(_encoded(value))
        return "/".join(values)


def _canonical(label: str) -> str:
    if label in _SERVICES:
        return "service"
    if label in _NAMESPACES:
        return "namespace"
    return "alertname" if label in {"alert_type", "alert_name"} else label


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in labels:
            value = labels[name].strip()
            if value:
                return value
    return ""


def _workload(target_resource: str) -> str:
    kind, _, name = target_resource.strip().rpartition("/")
    return workload_of_pod(name) if kind.rpartition("/")[2].lower() in {"pod", "pods", "po"} else name


def _hash(text: str) -> int:
    hasher = _HASHER.copy()
    hasher.update(text.encode())
    return int.from_bytes(hasher.digest(), "big")


def _name(value: str) -> str:
    if len(value) <= _NAME_MAX and _PLAIN.fullmatch(value):
        return value
    # Hidden characters stay, so that names that only look alike stay different.
    shown = safe_text(value, 2 * _NAME_MAX, hidden=Hidden.KEEP)
    if shown == value and len(value) <= _NAME_MAX:
        return value
    return f"{shown[: _NAME_MAX - 17]}~{_hash(value):016x}"


def _encode(value: str) -> str:
    if len(value) <= _NAME_MAX and _PLAIN.fullmatch(value):
        return value
    encoded = _UNSAFE.sub(lambda match: quote(match[0], safe=""), name_of(value))
    return encoded if len(encoded) <= _NAME_MAX else f"{encoded[: _NAME_MAX - 17]}~{_hash(value):016x}"


def _encoded(value: str) -> str:
    return _cached_encoded(value) if len(value) <= _NAME_MAX else _encode(value)


def _pair(namespace: str, service: str) -> str:
    return f"{_encode(namespace)}/{_encode(service)}"


# A system has few names, and its alerts repeat; longer values are not cached.
_cached_hash = lru_cache(maxsize=16384)(_hash)
_cached_name = lru_cache(maxsize=16384)(_name)
_cached_encoded = lru_cache(maxsize=16384)(_encode)
_cached_pair = lru_cache(maxsize=16384)(_pair)
