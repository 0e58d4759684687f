"""The workloads that a case's alerts name, in their namespaces: what a command may be about, and nothing else."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from openclaw_stream.alerts.identity import namespace_of, workload_of_pod
from openclaw_stream.arbitration.kubectl import Kind, is_label, kind_of
from openclaw_stream.incidents.case import Case, Exemplar

OWNERS = (Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET)
SCALABLE = (Kind.DEPLOYMENT, Kind.STATEFULSET)
_ANY_KIND = ("workload", "app", "app_kubernetes_io/name", "app_kubernetes_io", "k8s-app")
_PREFIX = re.compile(r"^(?:exported_)?(?:k8s_|kubernetes_|kube_)?")
_ORDINAL = re.compile(r"-\d{1,4}")
_REPLICA_SET_POD = re.compile(r"-[a-z0-9]+-[a-z0-9]+")
_POD_HASH = "-x2x4z"
_WORD = re.compile(r"[\w*][\w*.:@+-]*")


@dataclass(frozen=True, slots=True)
class Named:
    """A resource that an alert names or that derives from one it names; `namespace` is empty where none is told."""

    kind: Kind
    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Workloads:
    """What the alerts of a case name.

    `resources` are in the order of the alerts, those whose kind is told before those whose kind is open; `names` are
    all the texts that may name a target of any other kind, such as a node or a certificate.
    """

    resources: tuple[Named, ...]
    namespaces: frozenset[str]
    names: frozenset[str]

    def namespaces_of(self, kind: Kind, name: str) -> frozenset[str]:
        """Return the namespaces a resource is named in, "" standing for an untold one; empty if it is not named."""
        return frozenset(named.namespace for named in self.resources if (named.kind, named.name) == (kind, name))

    def word_for(self, name: str) -> str:
        """Return the kind of a bare name where the alerts tell one, else `workload`, else `resource`."""
        kinds = {named.kind for named in self.resources if named.name == name} - {Kind.HPA}
        return kinds.pop() if len(kinds) == 1 else "workload" if kinds else "resource"


def workloads_of(case: Case) -> Workloads:
    """Collect the workloads of a case from its scope and from the labels and targets of its exemplars.

    A namespace counts with the alert that names it; an alert without one is in the case's. One that is no Kubernetes
    name places nothing, for it would be written into commands. A pod's name tells its workload. A service or app is
    taken as the name of a workload, of any kind where no label tells its kind. A workload may have an HPA of its name.
    Names are only compared, never repaired, and such as a shell would not take as they stand are left out.
    """
    told: dict[Named, None] = {}
    open_names: dict[tuple[str, str], None] = {}
    names: set[str] = set()
    namespaces = {case.namespace}
    for exemplar in case.exemplars:
        said = exemplar.namespace or namespace_of(exemplar.labels) or case.namespace
        namespaces.add(said)
        namespace = said if is_label(said) else ""
        labels = _plain(exemplar.labels)
        told |= dict.fromkeys(Named(kind, name, namespace) for kind, name in _told_by(exemplar, labels))
        open_names |= dict.fromkeys((name, namespace) for name in _open_names_of(exemplar, labels))
        names |= {exemplar.service, exemplar.target_resource.rpartition("/")[2], *exemplar.labels.values()}
    if case.service:
        open_names[case.service, case.namespace if is_label(case.namespace) else ""] = None
    resources = told | dict.fromkeys(_of_any_kind(told, open_names))
    scalers = (Named(Kind.HPA, named.name, named.namespace) for named in resources if named.kind in SCALABLE)
    resources |= dict.fromkeys(scalers)
    names |= {named.name for named in resources}
    fit = tuple(named for named in resources if _WORD.fullmatch(named.name))
    return Workloads(fit, _fit(namespaces), _fit(names))


def _fit(names: Iterable[str]) -> frozenset[str]:
    """Return the names of one plain word, which a shell takes as it stands."""
    return frozenset(filter(_WORD.fullmatch, names))


def _told_by(exemplar: Exemplar, labels: Mapping[str, str]) -> Iterator[tuple[Kind, str]]:
    """Return the names whose kind an alert tells."""
    word, _, target = exemplar.target_resource.strip().rpartition("/")
    if labels.get("replicaset"):
        yield Kind.DEPLOYMENT, workload_of_pod(labels["replicaset"] + _POD_HASH)
    for kind, name in ((kind_of(word), target), *((kind_of(key), value) for key, value in labels.items())):
        if kind and name:
            yield kind, name
            if kind is Kind.POD:
                yield from _owner(name)


def _open_names_of(exemplar: Exemplar, labels: Mapping[str, str]) -> Iterator[str]:
    """Return the names of workloads whose kind is not told."""
    target = exemplar.target_resource.strip()
    candidates = (exemplar.service, "" if "/" in target else target, *(labels.get(key, "") for key in _ANY_KIND))
    yield from filter(None, candidates)


def _of_any_kind(told: Mapping[Named, None], open_names: Mapping[tuple[str, str], None]) -> Iterator[Named]:
    for name, namespace in open_names:
        kinds = [named.kind for named in told if named.name == name and named.kind in OWNERS]
        yield from (Named(kind, name, namespace) for kind in kinds or OWNERS)


def _plain(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels by plain keys: `exported_pod`, `k8s.pod.name` and `pod_name` are `pod`; exported ones prevail."""
    ordered = sorted(labels.items(), key=lambda item: item[0].startswith("exported_"))
    return {_PREFIX.sub("", key.replace(".", "_")).removesuffix("_name"): value.strip() for key, value in ordered}


def _owner(pod: str) -> Iterator[tuple[Kind, str]]:
    """Return what made a pod: its name ends with an ordinal, a replica set's two hashes, or one hash."""
    name = workload_of_pod(pod)
    ending = pod.removeprefix(name)
    if _ORDINAL.fullmatch(ending):
        yield Kind.STATEFULSET, name
    elif _REPLICA_SET_POD.fullmatch(ending):
        yield Kind.DEPLOYMENT, name
    elif ending:
        yield Kind.DAEMONSET, name
