"""The title of a decision: what it is about, and the trouble."""

from openclaw_stream.alerts.subject import ALERT, Subject
from openclaw_stream.text import safe_text

TITLE_MAX = 200
_HEAD_MIN = 80
"""Characters that stay for the subject, however long the trouble is."""

_KINDS = {
    "api": "API",
    "autoscalinggroup": "Auto Scaling group",
    "backupjob": "Backup job",
    "consumergroup": "Consumer group",
    "cronjob": "CronJob",
    "daemonset": "DaemonSet",
    "dag": "DAG",
    "datasource": "Data source",
    "externalsecret": "ExternalSecret",
    "filesystem": "File system",
    "helmrelease": "HelmRelease",
    "horizontalpodautoscaler": "HorizontalPodAutoscaler",
    "loadbalancer": "Load balancer",
    "natgateway": "NAT gateway",
    "persistentvolume": "PersistentVolume",
    "persistentvolumeclaim": "PersistentVolumeClaim",
    "poddisruptionbudget": "PodDisruptionBudget",
    "replicaset": "ReplicaSet",
    "resourcequota": "ResourceQuota",
    "statefulset": "StatefulSet",
    "statemachine": "State machine",
    "transitgateway": "Transit gateway",
    "vpn": "VPN",
}
"""Kinds of several words or capitals, as Kubernetes or their product writes them."""


def subject_title(subject: Subject, trouble: str) -> str:
    """Return `NAME (Kind, namespace): trouble`, such as `cart (Deployment, shop): CrashLoopBackOff`.

    The result has at most 200 characters on one line: of a long title the name is cut first. An alert that is its own
    subject has no kind, and no name where that is the trouble.
    """
    trouble = _line(trouble)
    name = _line(subject.name)
    if not name or name == trouble:
        return trouble
    kind = "" if subject.kind == ALERT else _KINDS.get(subject.kind, subject.kind.capitalize())
    parts = ", ".join(filter(None, (kind, safe_text(subject.namespace, TITLE_MAX, one_line=True))))
    separator = ": " if trouble else ""
    room = max(_HEAD_MIN, TITLE_MAX - len(trouble) - len(separator))
    head = _head(name, f" ({parts})" if parts else "", room) + separator
    return head + _cut(trouble, TITLE_MAX - len(head))


def _line(text: str) -> str:
    """Return a text on one line; the title of an alarm may end as a sentence does."""
    return safe_text(text, TITLE_MAX, one_line=True).rstrip(".。 ")


def _head(name: str, where: str, room: int) -> str:
    """Return the name with its kind and namespace; a namespace that takes most of the room is cut too."""
    where = _cut(where, room // 2)
    return _cut(name, room - len(where)) + where


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
