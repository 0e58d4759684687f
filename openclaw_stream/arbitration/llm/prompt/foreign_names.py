"""Names of services, hosts and teams in an answer that the evidence does not hold."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.arbitration.llm.prompt.evidence_text import render_evidence
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case

_KINDS: Final = (
    r"service|deployment|deploy|statefulset|daemonset|pod|container|host|node|server|namespace|cluster|database|instance"
    r"|broker|queue|team"
)
_ZH_KINDS: Final = r"服務|部署|主機|節點|伺服器|命名空間|叢集|資料庫|團隊|小組|容器"
_NAME: Final = r"[A-Za-z][A-Za-z0-9]*(?:[-.][A-Za-z0-9]+)+|[a-z]+[0-9]+"
_MENTIONS: Final = (
    re.compile(rf"\b(?:{_KINDS})s?/([a-z0-9][a-z0-9.-]*[a-z0-9])", re.ASCII | re.IGNORECASE),
    re.compile(rf"\b(?:{_KINDS})s?[/ ][`'\"]?({_NAME})", re.ASCII | re.IGNORECASE),
    re.compile(rf"\b({_NAME})[`'\"]? (?:{_KINDS})s?\b", re.ASCII | re.IGNORECASE),
    re.compile(rf"(?:{_ZH_KINDS})\s*[「`]?({_NAME})", re.ASCII),
    re.compile(rf"({_NAME})[」`]?\s*(?:{_ZH_KINDS})", re.ASCII),
    re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3})\b", re.ASCII),
    re.compile(r"\b([a-z][\w-]*(?:\.[\w-]+)*\.(?:internal|local|lan|corp|com|net|org|io|svc|tw))\b", re.ASCII),
    re.compile(r"\b([A-Za-z]\w*-\w+-(?=\w*\d)[\w-]+)\b", re.ASCII),
    re.compile(r"(?<!\w)([@#][a-z][\w-]{2,})", re.ASCII),
    re.compile(r"\b([A-Z][\w-]+)(?:'s)? [Tt]eam\b|\b[Tt]eam ([A-Z][\w-]+)\b", re.ASCII),
    re.compile(r"([A-Za-z][\w-]+)\s*(?:團隊|小組)", re.ASCII),
)
_IDENTIFIER: Final = re.compile(r"\w*[-_.0-9]\w[\w.-]*", re.ASCII)
_GENERIC_WORDS: Final = (
    "fe be infra db collab sre devops ops on-call oncall back-end backend front-end frontend platform database network "
    "infrastructure security application app development dev engineering support data storage product the this that "
    "each same other owning responsible service kubernetes k8s mysql postgres postgresql redis kafka nginx cloud "
    "e.g i.e node.js read-only read-write multi-node single-node high-load front-line third-party in-memory"
)
_GENERIC: Final = frozenset(_GENERIC_WORDS.split())


def evidence_names(case: Case, metrics: GoldenSignals | None) -> str:
    """Return every text of a case in lower case, to find names in."""
    alerts = (
        (each.name, each.service, each.namespace, each.target_resource, each.message, each.source, each.generator_url)
        for each in case.exemplars
    )
    pairs = (pair for each in case.exemplars for part in (each.labels, each.annotations) for pair in part.items())
    texts = [text for group in (*alerts, *pairs) for text in group]
    texts += [case.group_key, case.subject.name, *case.services, *case.alert_names, render_evidence(case, metrics)]
    owner = (case.owner.team, case.owner.contact) if case.owner else ()
    workloads = (workload_of_pod(text) for text in texts if "-" in text and " " not in text)
    return "\n".join((*texts, *owner, *workloads)).casefold()


def stated_numbers(case: Case) -> set[str]:
    """Return the whole numbers in the texts, labels and metrics of the alerts, without those within names."""
    texts = (
        " ".join((each.message, *each.labels.values(), *each.annotations.values(), *map(str, each.metrics.values())))
        for each in case.exemplars
    )
    return set(re.findall(r"(?<![\w.-])\d+(?![\w-])", " ".join(texts)))


def is_known(name: str, evidence: str) -> bool:
    """Return whether the evidence holds a name; kinds before it, and the word service after it, are left out."""
    plain = name.casefold().strip().rpartition("/")[2].strip("`'\"@#. ")
    spellings = {plain, plain.replace(" ", "-"), re.sub(r"[-_ ]?(?:service|svc|deployment|pod|team)$", "", plain)}
    return any(
        spelling and re.search(rf"(?<![a-z0-9]){re.escape(spelling)}(?![a-z0-9])", evidence) for spelling in spellings
    )


def foreign_names(text: str, evidence: str, others: Iterable[str] = ()) -> Iterator[str]:
    """Yield the names in prose that the evidence does not hold.

    Args:
        text: The prose.
        evidence: `evidence_names` of the case.
        others: Names that are known to be foreign, such as those of lists.
    """
    for name in others:
        if _IDENTIFIER.search(name) and name.casefold() in text.casefold():
            yield name
    for mention in _MENTIONS:
        for match in mention.finditer(text):
            name = next(filter(None, match.groups()))
            if name.casefold() not in _GENERIC and not is_known(name, evidence):
                yield name
