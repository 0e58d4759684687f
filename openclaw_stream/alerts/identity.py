"""Who an alert is about and which incident it joins: namespace, service, fingerprint, group key.

A label counts in each of its spellings: `service.name` and `service_name` are the same.
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
# Most names; no token of any vendor is made of words as short as these, so there is nothing to redact or to encode.
_PLAIN = re.compile(r"[a-z0-9]{1,15}(?:[-.][a-z0-9]{1,15})*")

# A pod of a replica set, cron job, daemon set or job; Kubernetes draws hashes from letters that spell no words.
_HASH_LETTERS = frozenset("bcdfghjklmnpqrstvwxz2456789")
_HASH_LENGTHS, _TIME_LENGTHS = range(7, 11), range(8, 11)
_HASH_LENGTH = 5
_ORDINAL = re.compile(r"(?<=[a-z0-9])-(?:\d{1,4}|\d{8,10})$")

# Its service label says who measured, not who ails.
_EXPORTER = re.compile(r"(?:^|-)(?:cadvisor|exporter|kube-state-metrics|kubelet)$")


def _spellings(*labels: str) -> tuple[str, ...]:
    every = (spelling for label in labels for spelling in (label, label.replace(".", "_"), label.replace("_", ".")))
    return tuple(dict.fromkeys(every))


# Prometheus keeps a series' own label as exported_… where the scrape target has one of that name.
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


# A copy takes a third of the time of a new hasher.
_HASHER = blake2b(digest_size=8)


def workload_of_pod(pod: str) -> str:
    """Return the name of the workload a pod's name was made from: without its hashes or ordinal.

    `checkout-7d9f8b6c5-x2x4z`, `checkout-x2x4z` and `checkout-0` are all of `checkout`; any other name is its own.
    """
    return _ORDINAL.sub("", pod) if _ORDINAL.search(pod) else _without_hash(pod)


def namespace_of(labels: Mapping[str, str]) -> str:
    """Return the Kubernetes namespace that the labels name, else an empty text."""
    return _first(labels, _NAMESPACES)


def service_of(labels: Mapping[str, str], target_resource: str = "") -> str:
    """Return the service that the labels name, else the workload they, the target or a pod's name tell; or nothing.

    `target_resource` is KIND/NAME.
    """
    service = _first(labels, _SERVICES)
    if service and not _EXPORTER.search(service):
        return service
    return _first(labels, _WORKLOADS) or _workload(target_resource) or workload_of_pod(_first(labels, _PODS)) or service


def fingerprint_of(names: Iterable[str], target_resource: str, labels: Mapping[str, str]) -> str:
    """Return the fingerprint of an alert that brings none: 16 hex digits of its names, its target and its labels.

    What varies between repeats of one alert stays out: severity, value, and the hashes in the names of pods.
    """
    identity = [*names, _without_hash(target_resource)]
    for key in sorted(labels):
        if key not in _VARYING:
            identity += (key, _without_hash(labels[key]) if key in _POD_LABELS else labels[key])
    # As JSON, so that no text can be taken for two; flat, since sorting here is cheaper than there.
    hasher = _HASHER.copy()
    hasher.update(orjson.dumps(identity))
    return hasher.hexdigest()


def _without_hash(name: str) -> str:
    """Return a pod's name without what every roll-out draws anew; by hand: a pattern takes thrice as long."""
    head, _, drawn = name.rpartition("-")
    if len(drawn) != _HASH_LENGTH or not _HASH_LETTERS.issuperset(drawn) or not _ends_a_word(head):
        return name
    front, _, middle = head.rpartition("-")
    hashed = len(middle) in _HASH_LENGTHS and _HASH_LETTERS.issuperset(middle)
    timed = len(middle) in _TIME_LENGTHS and middle.isascii() and middle.isdigit()
    return front if (hashed or timed) and _ends_a_word(front) else head


def _ends_a_word(text: str) -> bool:
    last = text[-1:]
    return last.isascii() and (last.islower() or last.isdigit())


def member_of(fingerprint: str) -> int:
    """Return a fingerprint as an unsigned 64-bit hash, equal in every process."""
    return _cached_hash(fingerprint) if len(fingerprint) <= _NAME_MAX else _hash(fingerprint)


def name_of(value: str) -> str:
    """Return a name fit to be kept and published: at most 200 characters, without secrets.

    Where that takes something away a hash of the whole is added, so that different names stay different.
    """
    return _cached_name(value) if len(value) <= _NAME_MAX else _name(value)


class Grouping:
    """Which alerts make one incident: those with equal values of the `group_by` labels.

    `namespace`, `service` and `alertname` mean those of the alert, however it names them.
    """

    __slots__ = ("_labels", "_orphan", "_plain", "group_by")

    def __init__(self, group_by: tuple[str, ...] = ("namespace", "service")) -> None:
        """Compile the labels.

        Raises:
            ValueError: none, one twice, or the severity, which changes during an incident.
        """
        if not group_by or len(set(group_by)) != len(group_by):
            raise ValueError("alerts are grouped by one or more different labels")
        if "severity" in group_by:
            raise ValueError("alerts cannot be grouped by severity: it changes during an incident")
        self.group_by = group_by
        self._plain = group_by == ("namespace", "service")
        self._labels = tuple((_meaning(label), _spellings(label)) for label in group_by)
        # A single label's value and a fingerprint could be equal; no key of values begins with a slash.
        self._orphan = "/" if len(group_by) == 1 else ""

    def key(self, name: str, namespace: str, service: str, labels: Mapping[str, str], fingerprint: str) -> str:
        """Return the group key: the values joined by `/`, each percent-encoded where it must be.

        An alert that lacks any of them is a group of its own: the key is its fingerprint. A key never begins with `#`.
        """
        if self._plain and namespace and service:
            return _cached_pair(namespace, service)
        known = {"namespace": namespace, "service": service, "alertname": name}
        values = []
        for label, spellings in self._labels:
            value = known[label] if label in known else _first(labels, spellings)
            if not value:
                return self._orphan + _encoded(fingerprint)
            values.append(_encoded(value))
        return "/".join(values)


def _meaning(label: str) -> str:
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


# The names of a system are few, and its alerts repeat; what is longer than a name is not kept.
_cached_hash = lru_cache(maxsize=16384)(_hash)
_cached_name = lru_cache(maxsize=16384)(_name)
_cached_encoded = lru_cache(maxsize=16384)(_encode)
_cached_pair = lru_cache(maxsize=16384)(_pair)
