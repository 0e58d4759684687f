"""The conditions of each command: what the evidence must state for it, and what must not stand in the evidence."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from openclaw_stream.arbitration.kubectl import Command, Kind, RefusedCommand, Verb
from openclaw_stream.arbitration.kubectl.quantities import size
from openclaw_stream.arbitration.remedies.command_evidence import CommandEvidence, Quote
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.arbitration.remedies.remedy_texts import Ground

Grounds = list[tuple[Ground, Quote | None]]

GROWTH_MAX = 2
"""A command may at most double what the evidence states."""

_SCALE_IN_MIN = 2
_CPU_TARGET_MIN, _CPU_TARGET_MAX = 40, 90
"""A lower target always asks for the maximum, a higher one is never reached in time."""

_KEDA_PREFIX = "keda-hpa-"
_NO_CURE = (
    (Fact.CRASH_LOOP, "a crash loop"),
    (Fact.MISSING_SETTING, "a missing setting"),
    (Fact.IMAGE_PULL, "an image that cannot be pulled"),
    (Fact.OOM_KILL, "a kill for lack of memory"),
)
_NO_RESTART = (
    (Fact.NO_RESTART, "a restart"),
    (Fact.LASTING_CAUSE, "a restart, which leaves the cause in place"),
    (Fact.MIGRATION, "a restart, which would break off a migration"),
)
_NO_SCALE = ((Fact.NO_GROWTH, "more capacity"), (Fact.NO_SCALE, "more replicas"))
_SHORTAGES = (
    *((Fact.CPU_HIGH, "the CPU trouble"), (Fact.THROTTLED, "the throttling"), (Fact.LOAD, "the load of each replica")),
    *((Fact.MEMORY_HIGH, "the shortage of memory"), (Fact.OOM_KILL, "the shortage of memory")),
)
_AGAINST = "the evidence speaks against"
_DEPENDENCIES = (
    (Fact.DEPENDENCY, "a dependency"),
    (Fact.WAITING, "something it waits for: it is slow without load and with idle CPU"),
)


@dataclass(frozen=True, slots=True)
class NamedParts:
    """What belongs to the resource of a command by the alerts.

    `container` is the one that they name, empty where they name none, several or an invalid one. `has_controller`: they
    name the workload that replaces a deleted pod.
    """

    container: str
    any_container: bool
    has_controller: bool = False


def check_autoscale(command: Command, evidence: CommandEvidence, _parts: NamedParts) -> Grounds:
    """Check the bounds of a new autoscaler against what runs."""
    flags = dict(command.flags)
    quote, current = _current_replicas("autoscale", evidence)
    _refuse_autoscaler("autoscale", evidence)
    low, high = int(flags.get("min", "1")), int(flags["max"])
    if low != current:
        relation = "is below" if low < current else "is above"
        raise RefusedCommand(f"the minimum {low} {relation} the {current} replicas that run")
    limit = max(GROWTH_MAX * current, current + 2)
    if not current < high <= limit:
        raise RefusedCommand(f"the maximum {high} is not above the {current} replicas that run and at most {limit}")
    if not _CPU_TARGET_MIN <= int(flags.get("cpu", "80%").rstrip("%")) <= _CPU_TARGET_MAX:
        raise RefusedCommand(f"the CPU target is not within {_CPU_TARGET_MIN} and {_CPU_TARGET_MAX} percent")
    return [_demand("autoscale", evidence), (Ground.REPLICAS, quote), (Ground.NO_AUTOSCALER, None)]


def check_scale(command: Command, evidence: CommandEvidence, _parts: NamedParts) -> Grounds:
    """Check a number of replicas against what runs."""
    flags = dict(command.flags)
    expected = int(flags["current-replicas"]) if "current-replicas" in flags else None
    return _replicas(int(flags["replicas"]), evidence, expected)


def check_set_resources(command: Command, evidence: CommandEvidence, parts: NamedParts) -> Grounds:
    """Check limits and requests against the stated limits of the container."""
    flags = dict(command.flags)
    limits, requests = (_amounts(flags.get(part, "")) for part in ("limits", "requests"))
    named = flags.get("containers", "")
    if named != parts.container and (named or parts.any_container):
        missing = f"no alert names the container {named}" if named else "the command would change every container"
        raise RefusedCommand(f"{missing}: set resources needs the container that the alerts name")
    return _resources(limits, requests, evidence)


def check_patch(command: Command, evidence: CommandEvidence, parts: NamedParts) -> Grounds:
    """Check a patch as the command that changes the same."""
    flags = dict(command.flags)
    patch = json.loads(flags["patch"])
    if command.kind is Kind.HPA:
        if command.name.startswith(_KEDA_PREFIX):
            raise RefusedCommand(f"KEDA manages {command.target}: its bounds belong into the ScaledObject")
        return _hpa_bounds(_values(patch, "/spec/"), evidence)
    values = _values(patch, "/spec/")
    if "replicas" in values:
        return _replicas(values["replicas"], evidence, None)
    if isinstance(patch, list):
        raise RefusedCommand("the patch gives a container by its position, and no alert states positions")
    containers = patch["spec"]["template"]["spec"]["containers"]
    if len(containers) != 1 or containers[0]["name"] != parts.container:
        raise RefusedCommand("the patch is not of the one container that the alerts name")
    amounts = {part: _texts(each) for part, each in containers[0]["resources"].items()}
    return _resources(amounts.get("limits", {}), amounts.get("requests", {}), evidence)


def check_undo(command: Command, evidence: CommandEvidence, _parts: NamedParts) -> Grounds:
    """Check that the trouble began with a release of the workload, and that it can go back."""
    quote = evidence.states(Fact.RELEASE)
    if quote is None:
        raise RefusedCommand("rollout undo needs a release with which the trouble began, and no alert states one")
    if evidence.mentions(Fact.MIGRATION):
        raise RefusedCommand("a migration stands in the evidence: the previous release may not fit the data any more")
    _refuse(evidence, _AGAINST, ((Fact.NO_UNDO, "a rollback"),))
    revision = dict(command.flags).get("to-revision", "0")
    if revision != "0":
        raise RefusedCommand(f"no alert states that revision {revision} is the one before")
    return [(Ground.RELEASE, quote)]


def check_restart(_command: Command, evidence: CommandEvidence, _parts: NamedParts) -> Grounds:
    """Check that a restart clears what the evidence states, and that nothing in it speaks against one."""
    _refuse(evidence, "a restart does not cure", _NO_CURE)
    _refuse(evidence, "a restart does not help where the trouble lies with", _DEPENDENCIES)
    _refuse(evidence, _AGAINST, _NO_RESTART)
    quote = evidence.states(Fact.HANG)
    if quote is None:
        raise RefusedCommand(
            "a restart needs a hang, a deadlock, a leak, an exhausted pool or a stale configuration,"
            " and no alert states one"
        )
    return [(Ground.HANG, quote)]


def check_delete(command: Command, evidence: CommandEvidence, parts: NamedParts) -> Grounds:
    """Check that one pod is stuck, and that a controller replaces it."""
    _refuse(evidence, "deleting a pod does not cure", _NO_CURE)
    _refuse(evidence, _AGAINST, ((Fact.NO_RESTART, "deleting a pod"),))
    quote = evidence.states(Fact.STUCK_POD)
    if quote is None:
        raise RefusedCommand(f"no alert states that the pod {command.name} itself is stuck")
    if not parts.has_controller:
        raise RefusedCommand(f"no alert names the controller that would replace the pod {command.name}")
    return [(Ground.STUCK_POD, quote)]


Check = Callable[[Command, CommandEvidence, NamedParts], Grounds]
CONDITIONS: Mapping[Verb, Check] = {
    Verb.AUTOSCALE: check_autoscale,
    Verb.SCALE: check_scale,
    Verb.SET_RESOURCES: check_set_resources,
    Verb.PATCH: check_patch,
    Verb.ROLLOUT_UNDO: check_undo,
    Verb.ROLLOUT_RESTART: check_restart,
    Verb.DELETE: check_delete,
}


def _current_replicas(verb: str, evidence: CommandEvidence) -> tuple[Quote, int]:
    quote = evidence.number(Fact.REPLICAS)
    if quote is None:
        raise RefusedCommand(_unknown(verb, "current replicas", evidence.numbers(Fact.REPLICAS)))
    return quote, int(quote.statement.number)


def _unknown(verb: str, what: str, numbers: Sequence[float]) -> str:
    if not numbers:
        pronoun = "them" if what.endswith("s") else "it"
        return f"{verb} needs the {what}, and no alert states {pronoun}"
    return f"{verb} needs the {what}, and the alerts state different ones: {', '.join(f'{each:g}' for each in numbers)}"


def _refuse(evidence: CommandEvidence, why: str, facts: Sequence[tuple[Fact, str]]) -> None:
    for fact, what in facts:
        if quote := evidence.mentions(fact):
            raise RefusedCommand(f"{why} {what}: “{quote.statement.words}”")


def _refuse_autoscaler(verb: str, evidence: CommandEvidence) -> None:
    _refuse(evidence, f"{verb} would work against", ((Fact.AUTOSCALER, "the autoscaler that the evidence names"),))


def _demand(verb: str, evidence: CommandEvidence) -> tuple[Ground, Quote]:
    """Return what shows that the workload itself needs more: its CPU, or its load where nothing else explains it."""
    _refuse(evidence, _AGAINST, _NO_SCALE)
    if low := evidence.mentions(Fact.CPU_LOW, of_target=True):
        raise RefusedCommand(f"{verb} is for CPU trouble, and the CPU is low: “{low.statement.words}”")
    _refuse(evidence, f"{verb} does not help where the trouble lies with", _DEPENDENCIES)
    if quote := evidence.states(Fact.CPU_HIGH) or evidence.states(Fact.THROTTLED):
        return Ground.CPU, quote
    _refuse(evidence, f"{verb} does not help where the trouble lies with", ((Fact.QUEUE, "a queue"),))
    if quote := evidence.states(Fact.LOAD):
        return Ground.LOAD, quote
    raise RefusedCommand(f"{verb} needs CPU trouble or load of the workload itself, and no alert states it")


def _replicas(wanted: int, evidence: CommandEvidence, expected: int | None) -> Grounds:
    quote, current = _current_replicas("scale", evidence)
    _refuse_autoscaler("scale", evidence)
    if expected not in (None, current):
        raise RefusedCommand(f"the command expects {expected} replicas, and the alerts state {current}")
    if wanted == current:
        raise RefusedCommand(f"{current} replicas run already")
    if wanted < current:
        return [(Ground.OVERSIZED, _oversized("scaling in", evidence, wanted)), (Ground.REPLICAS, quote)]
    if wanted > GROWTH_MAX * current:
        raise RefusedCommand(f"{wanted} replicas are more than twice the {current} that run")
    return [_demand("scale", evidence), (Ground.REPLICAS, quote), (Ground.NO_AUTOSCALER, None)]


def _oversized(what: str, evidence: CommandEvidence, replicas: int = _SCALE_IN_MIN) -> Quote:
    quote = evidence.states(Fact.OVERSIZED)
    if quote is None:
        raise RefusedCommand(f"{what} needs evidence that the workload has more than it needs, and no alert states it")
    if replicas < _SCALE_IN_MIN:
        raise RefusedCommand(f"{what} leaves fewer than {_SCALE_IN_MIN} replicas")
    _refuse(evidence, f"{what} would add to", _SHORTAGES)
    _refuse(evidence, _AGAINST, ((Fact.NO_GROWTH, "another size"),))
    return quote


def _resources(limits: Mapping[str, str], requests: Mapping[str, str], evidence: CommandEvidence) -> Grounds:
    grounds: Grounds = []
    for resource in dict.fromkeys((*limits, *requests)):
        if resource not in _OF_RESOURCE:
            raise RefusedCommand(f"nothing in the evidence can ask for more {resource}")
        grounds += _resource(resource, limits.get(resource), requests.get(resource), evidence)
    return grounds


def _resource(resource: str, limit: str | None, request: str | None, evidence: CommandEvidence) -> Grounds:
    fact, ground, shortage = _OF_RESOURCE[resource]
    stated = evidence.number(fact)
    if stated is None:
        raise RefusedCommand(_unknown("set resources", f"current {resource} limit", evidence.numbers(fact)))
    current = stated.statement.number
    proposed = float(size(resource, limit)) if limit else current
    if request and size(resource, request) > proposed:
        raise RefusedCommand(f"the {resource} request {request} is above the limit")
    if request and size(resource, request) < current / GROWTH_MAX:
        raise RefusedCommand(f"the {resource} request {request} is below half of the limit")
    if proposed < current:
        return [(Ground.OVERSIZED, _oversized(f"a lower {resource} limit", evidence)), (ground, stated)]
    if proposed > GROWTH_MAX * current:
        raise RefusedCommand(f"{resource}={limit} is more than twice the current limit")
    _refuse(evidence, _AGAINST, ((Fact.NO_GROWTH, "more capacity"),))
    _refuse(evidence, "set resources would work against", ((Fact.VERTICAL_AUTOSCALER, "the autoscaler of its limits"),))
    if not limit:
        raise RefusedCommand(f"no alert states the current {resource} request")
    reason = shortage(evidence)
    if proposed == current and reason[0] is Ground.OOM_KILL:
        raise RefusedCommand(f"{resource}={limit} is the limit at which it was killed")
    return [reason, (ground, stated)]


def _memory_shortage(evidence: CommandEvidence) -> tuple[Ground, Quote]:
    if quote := evidence.states(Fact.OOM_KILL):
        return Ground.OOM_KILL, quote
    if quote := evidence.states(Fact.MEMORY_HIGH):
        return Ground.MEMORY, quote
    raise RefusedCommand("a memory limit needs memory trouble of the workload itself, and no alert states it")


def _cpu_shortage(evidence: CommandEvidence) -> tuple[Ground, Quote]:
    if quote := evidence.states(Fact.THROTTLED):
        return Ground.THROTTLED, quote
    if low := evidence.mentions(Fact.CPU_LOW, of_target=True):
        raise RefusedCommand(f"a CPU limit is for CPU trouble, and the CPU is low: “{low.statement.words}”")
    if quote := evidence.states(Fact.CPU_HIGH):
        return Ground.CPU, quote
    raise RefusedCommand(
        "a CPU limit needs throttling or a saturated CPU of the workload itself, and no alert states it"
    )


_OF_RESOURCE: Mapping[str, tuple[Fact, Ground, Callable[[CommandEvidence], tuple[Ground, Quote]]]] = {
    "memory": (Fact.MEMORY_LIMIT, Ground.MEMORY_LIMIT, _memory_shortage),
    "cpu": (Fact.CPU_LIMIT, Ground.CPU_LIMIT, _cpu_shortage),
}


def _hpa_bounds(bounds: Mapping[str, int], evidence: CommandEvidence) -> Grounds:
    _refuse(evidence, _AGAINST, _NO_SCALE)
    _refuse(evidence, "a higher maximum does not help where the trouble lies with", _DEPENDENCIES)
    at_maximum, stated = evidence.states(Fact.AT_MAXIMUM), evidence.number(Fact.HPA_MAX)
    if not (evidence.states(Fact.AUTOSCALER) and at_maximum):
        raise RefusedCommand("the bounds of an autoscaler need it at its maximum, and no alert states that")
    if stated is None:
        raise RefusedCommand(_unknown("the patch", "current maximum", evidence.numbers(Fact.HPA_MAX)))
    current, wanted = int(stated.statement.number), bounds.get("maxReplicas", 0)
    if not current < wanted <= GROWTH_MAX * current:
        raise RefusedCommand(f"the new maximum must be above the current {current} and at most twice that")
    if bounds.get("minReplicas", 1) > current:
        raise RefusedCommand(f"the new minimum is above the {current} replicas that run")
    return [(Ground.AT_MAXIMUM, at_maximum), (Ground.HPA_MAX, stated)]


def _values(patch: object, prefix: str) -> dict[str, int]:
    """Return the values of a patch under `spec`, by their names, in either notation."""
    if isinstance(patch, list):
        return {operation["path"].removeprefix(prefix): operation["value"] for operation in patch}
    return dict(patch["spec"])  # type: ignore[index]


def _amounts(text: str) -> dict[str, str]:
    return dict(item.split("=", 1) for item in text.split(",") if item)


def _texts(amounts: Mapping[str, object]) -> dict[str, str]:
    return {resource: str(amount) for resource, amount in amounts.items()}
