"""The Kubernetes resources that the alerts of a case name, with their namespaces: only these may be changed."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from openclaw_stream.alerts.exporters import is_exporter
from openclaw_stream.alerts.resource_names import workload_of_pod
from openclaw_stream.alerts.subject import namespace_of
from openclaw_stream.arbitration.kubectl import Kind, is_label, kind_of
from openclaw_stream.incidents.case import Case, Exemplar

WORKLOAD_KINDS = (Kind.DEPLOYMENT, Kind.STATEFULSET, Kind.DAEMONSET)
SCALABLE = (Kind.DEPLOYMENT, Kind.STATEFULSET)
_WORKLOAD_LABELS = ("workload", "app", "app_kubernetes_io/name", "app_kubernetes_io", "k8s-app")
_PAUSE = ("", "POD", "pause")
"""The container that holds the network of a pod, in labels of cAdvisor."""

_PREFIX = re.compile(r"^(?:exported_)?(?:k8s_|kubernetes_|kube_)?")
_ORDINAL = re.compile(r"-\d{1,4}")
_REPLICA_SET_POD = re.compile(r"-[a-z0-9]+-[a-z0-9]+")
_POD_HASH = "-x2x4z"
_SAFE_NAME = re.compile(r"[\w*][\w*.:@+-]*")


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """A resource that an alert names or that derives from one; `namespace` is empty where it is unknown."""

    kind: Kind
    name: str
    namespace: str

    @property
    def target(self) -> str:
        """KIND/NAME."""
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class EvidenceResources:
    """The resources, namespaces and names in the alerts of a case.

    `resources` are in the order of the alerts, those of a named kind before those of an unknown kind. `names` are all
    texts that may name a target of another kind, such as a node or a certificate.
    """

    resources: tuple[ResourceRef, ...]
    namespaces: frozenset[str]
    names: frozenset[str]

    def namespaces_of(self, kind: Kind, name: str) -> frozenset[str]:
        """Return the namespaces of a resource, "" for an unknown one; empty if the alerts do not name the resource."""
        return frozenset(each.namespace for each in self.resources if (each.kind, each.name) == (kind, name))

    def kind_label(self, name: str) -> str:
        """Return the kind of a name if it is unique, `workload` if there are several, `resource` if there is none."""
        kinds = {each.kind for each in self.resources if each.name == name} - {Kind.HPA}
        return kinds.pop() if len(kinds) == 1 else "workload" if kinds else "resource"


def evidence_resources(case: Case) -> EvidenceResources:
    """Collect the resources of a case from its namespace and service and from the labels and targets of its exemplars.

    The resources of an alert are in the namespace of that alert, or of the case if it has none. A namespace that is not
    a valid Kubernetes name counts as unknown, because it would be written into commands. Metrics exporters
    are left out unless the alert is about one. The name of a pod also names
    its workload. A service or app names a workload, of any kind if no label has its kind. A scalable workload may have
    an HPA with the same name. Names are only compared, never corrected; names that a shell would interpret are dropped.
    """
    of_known_kind: dict[ResourceRef, None] = {}
    of_unknown_kind: dict[tuple[str, str], None] = {}
    names: set[str] = set()
    namespaces = {case.namespace}
    for exemplar in case.exemplars:
        scope = exemplar.namespace or namespace_of(exemplar.labels) or case.namespace
        namespaces.add(scope)
        namespace = scope if is_label(scope) else ""
        labels = _normalized(exemplar.labels)
        named = _names_with_kind(exemplar, labels)
        of_known_kind |= dict.fromkeys(ResourceRef(kind, name, namespace) for kind, name in named)
        of_unknown_kind |= dict.fromkeys((name, namespace) for name in _names_without_kind(exemplar, labels))
        names |= {exemplar.service, exemplar.target_resource.rpartition("/")[2], *exemplar.labels.values()}
    if case.service:
        of_unknown_kind[case.service, case.namespace if is_label(case.namespace) else ""] = None
    resources = of_known_kind | dict.fromkeys(_of_possible_kinds(of_known_kind, of_unknown_kind))
    hpas = (ResourceRef(Kind.HPA, each.name, each.namespace) for each in resources if each.kind in SCALABLE)
    resources |= dict.fromkeys(hpas)
    names |= {each.name for each in resources}
    safe = tuple(
        each for each in resources if _SAFE_NAME.fullmatch(each.name) and not _measures_another(each.name, case)
    )
    return EvidenceResources(safe, _safe_names(namespaces), _safe_names(names))


def known_workloads(resources: EvidenceResources) -> list[ResourceRef]:
    """Return the workloads whose kind and namespace are known, without names of several kinds or namespaces."""
    by_name: dict[str, list[ResourceRef]] = {}
    for each in resources.resources:
        if each.kind in WORKLOAD_KINDS and _is_valid(each):
            by_name.setdefault(each.name, []).append(each)
    return [refs[0] for refs in by_name.values() if len(refs) == 1]


def workload_of(case: Case, resources: EvidenceResources) -> ResourceRef | None:
    """Return the one known workload of a case, of several the subject of the case; None where there is none."""
    found = known_workloads(resources)
    if len(found) > 1:
        found = [each for each in found if each.name == case.subject.name]
    return found[0] if len(found) == 1 else None


def autoscaler_of(case: Case, resources: EvidenceResources) -> ResourceRef | None:
    """Return the one HPA that labels or targets of a case name as such, with its namespace; else None."""
    named = [each for exemplar in case.exemplars for each in _names_with_kind(exemplar, _normalized(exemplar.labels))]
    found = [each for each in resources.resources if (Kind.HPA, each.name) in named and each.kind is Kind.HPA]
    return found[0] if len(found) == 1 and _is_valid(found[0]) else None


def _is_valid(resource: ResourceRef) -> bool:
    return bool(resource.namespace) and all(map(is_label, resource.name.split(".")))


def container_of(case: Case) -> tuple[str, bool]:
    """Return the one valid name of a container in the alerts of a case, else empty, and whether any is named."""
    named = (_normalized(exemplar.labels).get("container", "") for exemplar in case.exemplars)
    names = {name for name in named if name not in _PAUSE and not is_exporter(name)}
    valid = next(filter(is_label, names), "")
    return (valid if len(names) == 1 else ""), bool(names)


def _measures_another(name: str, case: Case) -> bool:
    """Return whether a name is that of a metrics exporter that reports on something else."""
    workload = workload_of_pod(name)
    return is_exporter(workload) and workload != case.subject.name


def _safe_names(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are one word to a shell, without characters that it interprets."""
    return frozenset(filter(_SAFE_NAME.fullmatch, names))


def _names_with_kind(exemplar: Exemplar, labels: Mapping[str, str]) -> Iterator[tuple[Kind, str]]:
    """Return the names with a kind in the target or the labels of an alert."""
    prefix, _, target = exemplar.target_resource.strip().rpartition("/")
    if labels.get("replicaset"):
        yield Kind.DEPLOYMENT, workload_of_pod(labels["replicaset"] + _POD_HASH)
    for kind, name in ((kind_of(prefix), target), *((kind_of(key), value) for key, value in labels.items())):
        if kind and name:
            yield kind, name
            if kind is Kind.POD:
                yield from _owner(name)


def _names_without_kind(exemplar: Exemplar, labels: Mapping[str, str]) -> Iterator[str]:
    """Return the names of workloads of unknown kind."""
    target = exemplar.target_resource.strip()
    candidates = (exemplar.service, "" if "/" in target else target, *(labels.get(key, "") for key in _WORKLOAD_LABELS))
    yield from filter(None, candidates)


def _of_possible_kinds(
    of_known_kind: Mapping[ResourceRef, None], of_unknown_kind: Mapping[tuple[str, str], None]
) -> Iterator[ResourceRef]:
    """Yield each name of unknown kind with the kinds that another label gives it, else with every workload kind."""
    for name, namespace in of_unknown_kind:
        kinds = [each.kind for each in of_known_kind if each.name == name and each.kind in WORKLOAD_KINDS]
        yield from (ResourceRef(kind, name, namespace) for kind in kinds or WORKLOAD_KINDS)


def _normalized(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels by normalized keys: `exported_pod`, `k8s.pod.name` and `pod_name` are `pod`; exported ones win."""
    ordered = sorted(labels.items(), key=lambda item: item[0].startswith("exported_"))
    return {_PREFIX.sub("", key.replace(".", "_")).removesuffix("_name"): value.strip() for key, value in ordered}


def _owner(pod: str) -> Iterator[tuple[Kind, str]]:
    """Yield the owner of a pod by the ending of its name: an ordinal, the two hashes of a replica set, or one hash."""
    name = workload_of_pod(pod)
    ending = pod.removeprefix(name)
    if _ORDINAL.fullmatch(ending):
        yield Kind.STATEFULSET, name
    elif _REPLICA_SET_POD.fullmatch(ending):
        yield Kind.DEPLOYMENT, name
    elif ending:
        yield Kind.DAEMONSET, name
