"""The labels that name an object which a decision's title and quotes do not name."""

import re
from collections.abc import Iterable, Mapping
from itertools import islice

from openclaw_stream.alerts.exporters import Reporter, is_exporter, is_service_job, reporter_of
from openclaw_stream.alerts.hosts import host_of
from openclaw_stream.alerts.resource_names import job_without_time, without_hash
from openclaw_stream.arbitration.rules.quoting import mentions, single_line

_LABELS_MAX = 4
_VALUE_MAX = 60
_SEPARATOR = re.compile(r"[^a-z0-9]")

_PODS = ("pod", "podname", "k8spodname", "kubernetespodname")
_JOBS = ("jobname", "kubejob", "k8sjobname")
_HOSTS = ("host", "hostname", "server", "servername", "machine", "vm", "vmname", "target", "instance")
_OF_TARGETS = frozenset((*_PODS, "container", "node", "instance", "job"))
"""Labels that name the exporter where one reports on the objects of a whole cluster."""

_IDENTIFYING = (
    *("table", "tablespace", "collection", "keyspace", "index", "schema", "relname", "slotname", "replicaset", "rs"),
    *("topic", "partition", "queue", "queuename", "taskqueue", "consumergroup", "consumergroupid", "groupid"),
    *("subscription", "subscriptionid", "connector", "vhost", "database", "datname", "db", "warehouse", "stanza"),
    *("metric", "metricname", "check", "monitorname", "policy", "schedule", "dagid", "taskid", "pipeline", "taskname"),
    *("drive", "disk", "device", "mountpoint", "volume", "zpool", "pool", "aggr", "diskgroup", "datastore", "filer"),
    *("persistentvolumeclaim", "claimname", "pvc", "persistentvolume", "bucket"),
    *("interface", "ifname", "ifdescr", "neighbor", "peer", "peerip", "tunnel", "vlan", "devicename", "sensor"),
    *("zone", "domain", "proxy", "lb", "loadbalancer", "targetgroup", "ingress", "url", "route", "path", "page"),
    *("cronjob", *_JOBS, "horizontalpodautoscaler", "hpa", "nodegroup", "resourcequota", "quota"),
    *("dbinstanceidentifier", "dbclusteridentifier", "cacheclusterid", "tablename", "functionname", "topicname"),
    *("streamname", "autoscalinggroupname", "natgatewayid", "volumeid", "filesystemid", "distributionid", "vpnid"),
    *("bucketname", "certificatename", "subjectcn", "secretname", "project", "projectid", "account", "accountid"),
    *("name", "exportedname", "application", "component", "controller", "breaker", "provider", "integration"),
    *(*_PODS, "container", "node", "nodename", *_HOSTS, "job"),
)
"""Labels that name one object, what is most precise first; those for routing (team, env, cluster) are none."""

_TOPIC = re.compile(r"[._\d]")
"""In a topic's name; rules of some platforms call the part of the platform to which they route `topic`."""

_BROKER_LABELS = frozenset(("partition", "consumergroup", "consumergroupid", "groupid", "broker", "brokerid"))
_NO_NAME = re.compile(
    r"\W*|none|null|app|main|server|value|default|n/a|unknown|undefined|true|false|<.*>|/|[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.IGNORECASE,
)
"""Missing values, the root of a path, and hashes."""


def unsaid_labels(labels: Mapping[str, str], said: str) -> dict[str, str]:
    """Return at most four labels that name an object, in a fixed order: their values by name, safe to display.

    Args:
        labels: The labels of an alert.
        said: All that the title and the quotes say; a value in it is not repeated.
    """
    by_word = {_SEPARATOR.sub("", label.lower()): label for label in sorted(labels, reverse=True)}
    is_of_cluster = reporter_of(labels) is Reporter.CLUSTER
    found: dict[str, str] = {}
    for word in _IDENTIFYING:
        label = by_word.get(word)
        if label is None or (is_of_cluster and word in _OF_TARGETS):
            continue
        name = single_line(_without_extras(word, labels[label].strip()))
        if _is_name(word, name, by_word) and not _is_said(word, name, said):
            found[single_line(label)] = name
            said = f"{said}\n{name}"
    return dict(islice(found.items(), _LABELS_MAX))


def _without_extras(word: str, value: str) -> str:
    """Return the value of a label without the port of a host, the hash of a pod or the time of a job."""
    if word in _PODS:
        return without_hash(value)
    if word in _JOBS:
        return job_without_time(value)
    return host_of(value) if word in _HOSTS else value


def _is_name(word: str, value: str, words: Iterable[str]) -> bool:
    """Return whether a value names an object; `words` are the names of all labels."""
    if len(value) > _VALUE_MAX or _NO_NAME.fullmatch(value) or is_exporter(value):
        return False
    if word == "topic":
        return _TOPIC.search(value) is not None or not _BROKER_LABELS.isdisjoint(words)
    return word != "job" or is_service_job(value)


def _is_said(word: str, value: str, said: str) -> bool:
    """Return whether the texts have a value; of a pod that is no numbered member the workload is enough."""
    if mentions(said, value):
        return True
    workload, _, suffix = value.rpartition("-")
    return word in _PODS and bool(workload) and not suffix.isdecimal() and mentions(said, workload)
