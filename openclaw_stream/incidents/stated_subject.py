"""The object that the alerts of an incident state, where it is more precise than the subject by which they are grouped.

Alerts are grouped by labels that name a service, a workload or a host. Rules for a whole platform put its name there
(`service=kubernetes`) or nothing at all, and name the object in the sentence: "Prometheus `main` has missed …". Such a
name counts only if it is the value of a label too, or that of a service with the word of a data store after it
("keystone-percona has …"), so that no wording can invent an object; and only where all alerts of the incident state the
same one. The group key never depends on it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import ALERT, HOST, NODE, SERVICE, Subject
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.incidents.object_labels import (
    ATTRIBUTES,
    DIMENSIONS,
    MEASURED,
    NAMED,
    OBJECT_WORDS,
    PRODUCTS,
    STATED,
)
from openclaw_stream.text import Hidden, safe_text

_NAME_MAX, _VALUE_MIN = 200, 2
_NO_NAME = re.compile(
    r"[\d\W]*|true|false|none|null|default|unknown|[^@\s]*\s.*|[0-9a-f]{12,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?-i:[A-Z]+(?:_[A-Z]+)+)|(?:requests|limits)\..*"
    r"|(?:master|primary|standby|replica|leader|worker|server|client|admin)s?",
    re.IGNORECASE | re.DOTALL,
)
"""Numbers, sentences, missing values, hashes, constants, resources of quotas, and roles of a cluster's members."""

_DATA_STORE_WORDS = frozenset(
    (
        "db",
        "database",
        "pg",
        "postgres",
        "postgresql",
        "mysql",
        "mariadb",
        "percona",
        "galera",
        "pxc",
        "mongo",
        "mongodb",
    )
)
_SENTENCE_START = r"(?m:^)(?:(?:[Aa]t least one|[Nn]o|[Tt]he|[Aa]ll|[Oo]ne|[Ss]ome|[Aa]n?) )?"
_UNNAMED_KIND = "resource"
_PLATFORM_SERVICES = frozenset(
    ("kubernetes", "k8s", "baremetal", "bare-metal", "hardware", "network", "infra", "platform")
)
_CLOUD_SERVICES = frozenset(
    ("cinder", "designate", "glance", "heat", "ironic", "keystone", "manila", "neutron", "nova", "octavia", "swift")
)
"""Services of OpenStack: an alert that names one of their nodes, routers or volumes is about that."""
_SEPARATOR = re.compile(r"[^a-z0-9]")
_TEST = re.compile(r"test[ _-]?(?:alert|notification)", re.IGNORECASE)
_IN_NAMESPACE = re.compile(r"(?:the )?`?([a-z0-9]+(?:-[a-z0-9]+)*)`? in (?:the )?namespace `?([a-z0-9-]+)\b")
_STAGE = r"(?:PROD|PRODUCTION|STAGING|STAGE|CODE|UAT|TEST|DEV)"
_TITLE = re.compile(
    rf"(?:^|\bfrom |\b{_STAGE} )(?P<name>[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+)-?"
    rf"(?: (?P<kind>lambda|queue|service|API)\b|(?: in)? {_STAGE}\b| is | has | No | \()"
)
_LEADING = re.compile(r"([A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+) ")
_IS_DOWN = re.compile(r"(?P<name>[A-Z][\w-]{1,40}(?: [A-Z][\w-]{1,40}){0,3}) is (?:down|unavailable|not available)\b")
_ANY_PART = re.compile(
    r"(?:(?:target|instance|host|node|service|server|database|endpoint|website|site|api|device|link|interface|network"
    r"|application|app|cluster|job|probe|pod|container|exporter|system|port|gateway|back-?end|front-?end|db) ?)+"
)
"""Words that name a kind of thing and no thing."""
_MEMBER = re.compile(r"(?P<service>[a-z0-9-]+)-\d+\.(?P=service)(?:\.|$)")
_INSTANCE = re.compile(r"\(instance [^()\n]{0,200}\)")
"""What templates append to any summary: the address of the exporter."""
_ANY = re.compile("")
_PARTS = re.compile(r"\w[-_./]\w")
_PLACE = re.compile(r"\b(?:in|of|from)(?: the)?(?: cluster)? [\"'`]?$", re.IGNORECASE)
_CONDITIONS = {
    "device": re.compile(
        r"^(?!/dev/|[a-z]{2,3}\d*$|(?:eth|ens|eno|bond|nvme|dm-|md)\d|(?:mobile|desktop|tablet|phone|low-\w+)$)",
        re.IGNORECASE,
    ),
    "package": re.compile(r"^\w+(?:\.\w+){2,}$"),
    "zone": re.compile(r"\."),
    "cluster": re.compile(
        r"(?:^|[-_.\d])(?:es|elastic\w*|opensearch|kafka|redis|valkey|mongo\w*|pg|postgres\w*|mysql|maria\w*|\w*db|rabbit\w*"
        r"|cass\w*|clickhouse|aurora)(?:$|[-_.\d])",
        re.IGNORECASE,
    ),
}
"""What the value of a label must look like: no disk, interface or class of phones; an app; no zone of a cloud."""


def stated_subject(subject: Subject, exemplars: Sequence[Exemplar]) -> Subject:
    """Return the object that all alerts of an incident state, `subject` where they state none or several.

    Args:
        subject: The subject by which the alerts are grouped.
        exemplars: The alerts.
    """
    stated = {_of_alert(subject, each) for each in exemplars}
    return stated.pop() if len(stated) == 1 else subject


def _of_alert(subject: Subject, alert: Exemplar) -> Subject:
    if _TEST.fullmatch(alert.name):
        return Subject(ALERT, "", alert.name)
    if subject.kind == HOST and (service := _service_of_member(subject.name, alert.labels)):
        return service
    labels = {_SEPARATOR.sub("", label.lower()): value.strip() for label, value in sorted(alert.labels.items())}
    labels["unit"] = labels.get("unit", "").removesuffix(".service")  # of systemd
    text = _text(alert)
    if subject.kind == ALERT:
        found = (
            _secret(labels)
            or _stated(labels, text)
            or _dimension(alert.labels)
            or _in_namespace(text, subject.namespace)
            or _in_title(alert.name, labels)
            or _down(alert.name, text)
            or _in_text(labels, text)
            or _named(labels, subject.namespace)
        )
    elif subject.kind == SERVICE and (store := _data_store_of(subject.name, text)):
        found = store
    elif subject.kind in (HOST, NODE) and any(_occurrence(labels.get("subnet", ""), text)):
        found = Subject("subnet", "", labels["subnet"])
    elif subject.kind == SERVICE and (subject.name.lower() in _CLOUD_SERVICES or not _occurs(subject.name, text)):
        found = _secret(labels) or _of_platform(subject.name, labels, text)
    elif subject.kind == HOST and not _occurs(subject.name, text):
        found = (
            _secret(labels)
            or _measured(labels, text)
            or next(_named_by_word(labels, text), None)
            or _whole_cluster(labels, text)
        )
    elif subject.kind == _UNNAMED_KIND:
        found = _named_kind(subject.name, text)
    else:
        found = None
    namespace = "" if "/" in subject.namespace else subject.namespace  # AWS/RDS is none of Kubernetes
    if found is None:
        return subject._replace(namespace=namespace)
    return Subject(found.kind, found.namespace or namespace, safe_text(found.name, _NAME_MAX, hidden=Hidden.KEEP))


def _text(alert: Exemplar) -> str:
    annotations = {key.lower(): value for key, value in alert.annotations.items()}
    texts = (alert.message, *(annotations.get(key, "") for key in ("summary", "description", "title", "message")))
    return _INSTANCE.sub("", "\n".join(filter(None, texts)))


def _service_of_member(host: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the service of `SERVICE-0.SERVICE`, a pod's name in the domain of its headless service."""
    member = _MEMBER.match(host)
    if member and labels.get("job", "").strip() == member["service"]:
        return Subject(SERVICE, "", member["service"])
    return None


def _data_store_of(service: str, text: str) -> Subject | None:
    """Return the data store of a service with whose name a text begins: the label is that of who uses it."""
    match = re.search(rf"{_SENTENCE_START}(?P<name>{re.escape(service)}(?P<rest>(?:-[a-z0-9]+)+))(?![\w-])", text)
    if match is None or _DATA_STORE_WORDS.isdisjoint(match["rest"].split("-")) or len(match["name"]) > _NAME_MAX:
        return None
    return Subject("database", "", match["name"])


def _secret(labels: Mapping[str, str]) -> Subject | None:
    """Return the secret that holds a certificate."""
    name = labels.get("secretname", "")
    return Subject("secret", labels.get("secretnamespace", ""), name) if name and "secretnamespace" in labels else None


def _stated(labels: Mapping[str, str], text: str) -> Subject | None:
    """Return the object whose name stands first in the text."""
    found = [
        (start, Subject(kind or word or _UNNAMED_KIND, "", labels[label]))
        for label, kind in (MEASURED | STATED).items()
        for start, word in _occurrence(labels.get(label, ""), text)
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _dimension(labels: Mapping[str, str]) -> Subject | None:
    for label, kind in DIMENSIONS.items():
        value = labels.get(label, "").strip()
        if value and _CONDITIONS.get(label, _ANY).search(value):
            return Subject(kind, "", _balancer(value) if kind == "loadbalancer" else value)
    return None


def _named(labels: Mapping[str, str], namespace: str) -> Subject | None:
    """Return the object of the most precise label, where no text says which one the alert is about.

    Within a namespace a cluster is no object, but the place of one.
    """
    for label, kind in NAMED.items():
        if namespace and kind == "cluster":
            continue
        value = labels.get(label, "")
        if _VALUE_MIN < len(value) <= _NAME_MAX and not _NO_NAME.fullmatch(value):
            return Subject(kind or label, "", value)
    return None


def _in_text(labels: Mapping[str, str], text: str) -> Subject | None:
    """Return the object whose name, of several parts, stands first in the text, whatever its label is called."""
    found = [
        (start, Subject(NAMED.get(label) or label, "", value))
        for label, value in labels.items()
        if label not in ATTRIBUTES and _PARTS.search(value) and not _NO_NAME.fullmatch(value)
        for start, _ in _occurrence(value, text)
    ]
    return min(found)[1] if found else None


def _whole_cluster(labels: Mapping[str, str], text: str) -> Subject | None:
    """Return the cluster that the text is about, where the host only reports it; "in cluster X" is the place."""
    for label in ("cluster", "clusterid", "clustername"):
        value = labels.get(label, "")
        for start, _ in _occurrence(value, text):
            if not _PLACE.search(text[:start]):
                return Subject("cluster", "", value)
    return None


def _balancer(name: str) -> str:
    """Return the name of a load balancer without the hash in `app/NAME/HASH`."""
    parts = name.split("/")
    return parts[1] if len(parts) == 3 else name  # noqa: PLR2004 - kind, name, hash


def _measured(labels: Mapping[str, str], text: str) -> Subject | None:
    """Return the object that an exporter, which the labels name as the host, measures."""
    for label, kind in MEASURED.items():
        value = labels.get(label, "")
        if any(_occurrence(value, text)) and _CONDITIONS.get(label, _ANY).search(value):
            return Subject(kind, "", value)
    return None


def named_as_down(alert_name: str, text: str) -> str:
    """Return what a text says is down, if the alert's name begins with it: "Acme Mail is down", of AcmeMailDown."""
    match = _IS_DOWN.match(text)
    if match is None or _ANY_PART.fullmatch(match["name"].lower()):
        return ""
    return match["name"] if _joined(alert_name).startswith(_joined(match["name"])) else ""


def _joined(name: str) -> str:
    return _SEPARATOR.sub("", name.lower())


def _down(alert_name: str, text: str) -> Subject | None:
    name = named_as_down(alert_name, text)
    return Subject("application", "", name) if name else None


def _in_title(name: str, labels: Mapping[str, str]) -> Subject | None:
    """Return the hyphenated name in the title of an alarm, such as "payment-api PROD High 5XX rate".

    At its start the value of a label is one, whatever follows.
    """
    leading = _LEADING.match(name)
    if leading and leading[1].lower() in map(str.lower, labels.values()):
        return Subject("application", "", leading[1])
    match = _TITLE.search(name) if " " in name else None
    if match is None:
        return None
    return Subject(
        "function" if (match["kind"] or "").lower() == "lambda" else "application", "", match["name"].strip("-")
    )


def _in_namespace(text: str, namespace: str) -> Subject | None:
    """Return what the text names first, if it places it in the namespace of the labels."""
    match = _IN_NAMESPACE.match(text)
    return Subject("component", namespace, match[1]) if match and match[2] == namespace else None


def _of_platform(service: str, labels: Mapping[str, str], text: str) -> Subject | None:
    """Return the object of an alert that names a platform or product as its service."""
    if "usagetype" in labels and (account := labels.get("linkedaccount", "")):
        return Subject("account", "", account)  # who pays for a service of the cloud
    for product in PRODUCTS:
        if any(_occurrence(labels.get(product, ""), text)):
            return Subject(product, "", labels[product])
    if any(_occurrence(labels.get("filer", ""), text)):
        return Subject("filer", "", labels["filer"])
    named = next(_named_by_word(labels, text), None)
    if named or service.lower() not in _PLATFORM_SERVICES:
        return named
    if any(_occurrence(labels.get("pod", ""), text)):
        return Subject("pod", "", workload_of_pod(labels["pod"]))
    return _stated(labels, text)


def _named_by_word(labels: Mapping[str, str], text: str) -> Iterator[Subject]:
    """Yield the objects whose name follows a word for their kind, or stands in backticks."""
    for label in ("name", "exportedname", "kubernetesname", "servername", "device", "volume"):
        value = labels.get(label, "")
        for _, word in _occurrence(value, text):
            if word or f"`{value}`" in text:
                yield Subject(word or STATED[label] or _UNNAMED_KIND, "", value)


def _named_kind(name: str, text: str) -> Subject | None:
    """Return a custom resource of an unknown kind with the kind that the text names: "Argo CD application X"."""
    return next((Subject(word, "", name) for _, word in _occurrence(name, text) if word), None)


def _occurrence(value: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield where a text has a value first, with the kind that the word before it means, empty where it means none."""
    if len(value) <= _VALUE_MIN or len(value) > _NAME_MAX or not re.search(r"[^\W\d]", value):
        return
    match = re.search(rf"(?:(\w+)\W{{1,3}}(?:[a-z0-9-]+/)?)?(?<![\w-]){re.escape(value)}(?![\w-])", text)
    if match:
        word = (match[1] or "").lower()
        yield match.end() - len(value), (OBJECT_WORDS[word] or word) if word in OBJECT_WORDS else ""


def _occurs(name: str, text: str) -> bool:
    spelled = "[-_ ]?".join(re.escape(part) for part in re.split(r"[-_ ]", name))
    return re.search(rf"(?<!\w){spelled}(?!\w)", text, re.IGNORECASE) is not None
