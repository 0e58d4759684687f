"""The identity of an alert and the incident it joins: fingerprint, member, group key.

A label counts in each of its spellings: `service.name` and `service_name` are the same.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

import orjson

from openclaw_stream.alerts.resource_names import HASHER, NAME_MAX, PLAIN, hash_of, name_of, without_hash
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.alerts.subject_labels import NAMESPACE_LABELS, POD_LABELS, SERVICE_LABELS, spellings

_UNSAFE = re.compile(r"[%/#\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

# What differs between repeats of one alert, in every spelling.
_VARYING = frozenset(
    spelling
    for label in (
        "severity",
        "Severity",
        "alert_severity",
        "severity_level",
        "priority",
        "Priority",
        "threshold.name",
        "pod-template-hash",
        "controller-revision-hash",
        "k8s.pod.uid",
        "k8s.pod.ip",
        "pod_uid",
        "pod_ip",
        "container_id",
        "k8s.container.restart_count",
    )
    for spelling in (label, label.replace("-", "_"), label.replace(".", "_"), label.replace("_", "."))
)
_MEASURED_WORDS = (
    "value",
    *(f"{which} value" for which in ("current", "metric", "measured", "last", "latest", "actual", "observed", "alert")),
    *(f"{which} value" for which in ("sample", "query", "item", "trigger", "evaluation", "reading")),
    "values",
    "value string",
    "current usage",
    "last seen",
    "timestamp",
    "starts at",
    "description",
    "summary",
)


def _cases(words: str) -> tuple[str, ...]:
    """Return the spellings of a label of some words, such as `current_value`, `current-value` and `currentValue`."""
    title = words.title().replace(" ", "")
    camel = title[0].lower() + title[1:]
    joined = tuple(words.replace(" ", separator) for separator in ("_", "-", ".", ""))
    return (*joined, camel, title, *(each.upper() for each in joined))


MEASURED = frozenset(spelling for words in _MEASURED_WORDS for spelling in _cases(words))
"""Labels that hold a measured value, or a text with one: a sender's fingerprint over them differs in every repeat."""


def fingerprint_of(names: Iterable[str], target_resource: str, labels: Mapping[str, str]) -> str:
    """Return the fingerprint of an alert that brings none: 16 hex digits of its names, its target and its labels.

    What varies between repeats of one alert stays out: severity, value, and the hashes in the names of pods.
    """
    identity = [*names, without_hash(target_resource)]
    for key in sorted(labels):
        if key not in _VARYING and key not in MEASURED:
            identity += (key, without_hash(labels[key]) if key in POD_LABELS else labels[key])
    # As JSON, so that no text can be taken for two; flat, since sorting here is cheaper than there.
    hasher = HASHER.copy()
    hasher.update(orjson.dumps(identity))
    return hasher.hexdigest()


class Grouping:
    """Which alerts make one incident: those with equal values of the `group_by` labels.

    `namespace` means that of the subject, `service` the name of the subject, `alertname` the name of the alert.
    """

    __slots__ = ("_is_default", "_labels", "_orphan_prefix", "group_by")

    def __init__(self, group_by: tuple[str, ...] = ("namespace", "service")) -> None:
        """Compile the labels.

        Raises:
            ValueError: none, one twice, or the severity, which changes during an incident.
        """
        if not group_by or len(set(group_by)) != len(group_by):
            raise ValueError("group_by must have one or more different labels")
        if "severity" in group_by:
            raise ValueError("group_by cannot contain severity: it changes during an incident")
        self.group_by = group_by
        self._is_default = group_by == ("namespace", "service")
        self._labels = tuple((_meaning(label), spellings(label)) for label in group_by)
        # A single label's value and a fingerprint could be equal; no key of values of one label begins with a slash.
        self._orphan_prefix = "/" if len(group_by) == 1 else "//"

    def key(self, name: str, subject: Subject, labels: Mapping[str, str]) -> str:
        """Return the group key: the values joined by `/`, each percent-encoded where it must be.

        A missing value counts as empty. An alert that has none of them is a group of its own: the key is a fingerprint
        of its name and labels, not the sender's. A key never begins with `#`.
        """
        if self._is_default:
            return _cached_pair(subject.namespace, subject.name)
        known = {"namespace": subject.namespace, "service": subject.name, "alertname": name}
        values = [known[label] if label in known else _first(labels, names) for label, names in self._labels]
        if not any(values):
            return self._orphan_prefix + fingerprint_of((name,), "", labels)
        return "/".join(map(_encoded, values))


def _meaning(label: str) -> str:
    if label in SERVICE_LABELS:
        return "service"
    if label in NAMESPACE_LABELS:
        return "namespace"
    return "alertname" if label in {"alert_type", "alert_name"} else label


def _first(labels: Mapping[str, str], names: tuple[str, ...]) -> str:
    for name in names:
        if name in labels:
            value = labels[name].strip()
            if value:
                return value
    return ""


def _encode(value: str) -> str:
    if len(value) <= NAME_MAX and PLAIN.fullmatch(value):
        return value
    encoded = _UNSAFE.sub(lambda match: quote(match[0], safe=""), name_of(value))
    return encoded if len(encoded) <= NAME_MAX else f"{encoded[: NAME_MAX - 17]}~{hash_of(value):016x}"


def _encoded(value: str) -> str:
    return _cached_encoded(value) if len(value) <= NAME_MAX else _encode(value)


def _pair(namespace: str, service: str) -> str:
    return f"{_encode(namespace)}/{_encode(service)}"


# The names of a system are few, and its alerts repeat; what is longer than a name is not kept.
_cached_encoded = lru_cache(maxsize=16384)(_encode)
_cached_pair = lru_cache(maxsize=16384)(_pair)
