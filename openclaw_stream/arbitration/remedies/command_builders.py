"""Builds commands from the numbers in the evidence; each is an empty text where the evidence lacks its number."""

import json
import math

from openclaw_stream.arbitration.remedies.command_evidence import CommandEvidence
from openclaw_stream.arbitration.remedies.conditions import GROWTH_MAX
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.resources import SCALABLE, ResourceRef

GROWTH = 1.5
"""By how much a command raises what the evidence states: by half, so that a second step stays possible."""

_MIB = 2**20
_REPLICAS_MAX = 100
_CPU_TARGET = 70


def raise_memory_limit(workload: ResourceRef, evidence: CommandEvidence, container: str) -> str:
    """Return a command that raises the memory limit of a container by half."""
    stated = evidence.number(Fact.MEMORY_LIMIT)
    if stated is None or not container:
        return ""
    return _set_limit(workload, container, f"memory={math.ceil(stated.statement.number * GROWTH / _MIB)}Mi")


def raise_cpu_limit(workload: ResourceRef, evidence: CommandEvidence, container: str) -> str:
    """Return a command that raises the CPU limit of a container by half."""
    stated = evidence.number(Fact.CPU_LIMIT)
    if stated is None or not container:
        return ""
    return _set_limit(workload, container, f"cpu={math.ceil(round(stated.statement.number * GROWTH * 1000, 3))}m")


def scale_out(workload: ResourceRef, evidence: CommandEvidence, growth: float = GROWTH) -> str:
    """Return a command that multiplies the replicas by `growth`, at most doubles them, and adds one at least."""
    current = current_replicas(evidence)
    if current is None or workload.kind not in SCALABLE:
        return ""
    wanted = min(_REPLICAS_MAX, max(current + 1, math.ceil(current * min(growth, GROWTH_MAX))))
    return _on("scale", workload, f"--replicas={wanted} --current-replicas={current}")


def autoscale(workload: ResourceRef, evidence: CommandEvidence) -> str:
    """Return a command that adds an autoscaler from the current replicas up to twice as many, two more at least."""
    current = current_replicas(evidence)
    if current is None or workload.kind not in SCALABLE:
        return ""
    high = min(_REPLICAS_MAX, max(GROWTH_MAX * current, current + 2))
    return _on("autoscale", workload, f"--min={current} --max={high} --cpu={_CPU_TARGET}%")


def raise_hpa_maximum(autoscaler: ResourceRef, evidence: CommandEvidence) -> str:
    """Return a command that raises the maximum of an autoscaler by half."""
    stated = evidence.number(Fact.HPA_MAX)
    if stated is None:
        return ""
    wanted = min(_REPLICAS_MAX, math.ceil(stated.statement.number * GROWTH))
    patch = json.dumps({"spec": {"maxReplicas": wanted}}, separators=(",", ":"))
    return _on("patch", autoscaler, f"--patch='{patch}'")


def restart(workload: ResourceRef) -> str:
    """Return a command that restarts the pods of a workload one by one."""
    return _on("rollout restart", workload)


def undo(workload: ResourceRef) -> str:
    """Return a command that returns a workload to its previous revision."""
    return _on("rollout undo", workload)


def delete(pod: ResourceRef) -> str:
    """Return a command that deletes a pod."""
    return _on("delete", pod)


def current_replicas(evidence: CommandEvidence) -> int | None:
    """Return the current replicas, None where they are not known."""
    stated = evidence.number(Fact.REPLICAS)
    return int(stated.statement.number) if stated else None


def _set_limit(workload: ResourceRef, container: str, amount: str) -> str:
    return _on("set resources", workload, f"--containers={container} --limits={amount}")


def _on(verb: str, resource: ResourceRef, flags: str = "") -> str:
    return " ".join(filter(None, ("kubectl", verb, resource.target, flags, "-n", resource.namespace)))
