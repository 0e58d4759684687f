"""The grammar: the kinds and flags of each verb; `parse` returns a checked command."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from openclaw_stream.arbitration.kubectl.command import Command, Kind, RefusedCommand, Verb
from openclaw_stream.arbitration.kubectl.names import label, resource_name
from openclaw_stream.arbitration.kubectl.patches import check_patch, patch_json, patch_type
from openclaw_stream.arbitration.kubectl.quantities import check_requests, number, percentage, resource_list
from openclaw_stream.arbitration.kubectl.tokens import tokenise

_SCALABLE = frozenset({Kind.DEPLOYMENT, Kind.STATEFULSET})
_WORKLOADS = _SCALABLE | {Kind.DAEMONSET}
_REPLICAS = number(1, 100)

_Flags = Mapping[str, str]


def _check_autoscale(_kind: Kind, flags: _Flags) -> None:
    if int(flags.get("min", "1")) > int(flags["max"]):
        raise RefusedCommand(f"--min {flags['min']} is above --max {flags['max']}")


def _check_resources(_kind: Kind, flags: _Flags) -> None:
    if not flags.keys() & {"limits", "requests"}:
        raise RefusedCommand("set resources needs --limits or --requests")
    check_requests(_amounts(flags.get("limits", "")), _amounts(flags.get("requests", "")))


def _check_patch(kind: Kind, flags: _Flags) -> None:
    check_patch(kind, flags.get("type", "strategic"), flags["patch"])


def _check_nothing(_kind: Kind, _flags: _Flags) -> None:
    """Accept: each flag has been checked on its own."""


def _amounts(text: str) -> dict[str, str]:
    return dict(item.split("=", 1) for item in text.split(",") if item)


@dataclass(frozen=True, slots=True)
class _Rule:
    """The kinds and flags of one verb: a check per flag value, required flags, and a check of all flags together."""

    kinds: frozenset[Kind]
    flags: Mapping[str, Callable[[str, str], str]]
    required: frozenset[str] = frozenset()
    check: Callable[[Kind, _Flags], None] = _check_nothing


_GRAMMAR = {
    Verb.SCALE: _Rule(_SCALABLE, {"replicas": _REPLICAS, "current-replicas": number(0, 1000)}, frozenset({"replicas"})),
    Verb.AUTOSCALE: _Rule(
        _SCALABLE,
        {"min": _REPLICAS, "max": _REPLICAS, "cpu": percentage(1, 100)},
        frozenset({"max"}),
        _check_autoscale,
    ),
    Verb.SET_RESOURCES: _Rule(
        _WORKLOADS,
        {"containers": label, "limits": resource_list, "requests": resource_list},
        check=_check_resources,
    ),
    Verb.ROLLOUT_RESTART: _Rule(_WORKLOADS, {}),
    Verb.ROLLOUT_UNDO: _Rule(_WORKLOADS, {"to-revision": number(0, 1_000_000)}),
    Verb.PATCH: _Rule(
        _WORKLOADS | {Kind.HPA}, {"type": patch_type, "patch": patch_json}, frozenset({"patch"}), _check_patch
    ),
    Verb.DELETE: _Rule(frozenset({Kind.POD}), {}),
}


_VERSIONS = {"apps": ("v1",), "autoscaling": ("v1", "v2")}


def _with_group(kind: Kind, group: str) -> Iterator[str]:
    """Yield the names of a kind with its API group, with and without a version; none for the core group."""
    for plural in (kind, f"{kind}s") if group else ():
        yield from (f"{plural}.{group}", *(f"{plural}.{version}.{group}" for version in _VERSIONS[group]))


_SHORT_FLAGS = {"-n": "--namespace", "-c": "--containers", "-p": "--patch"}
_CPU_PERCENT = "--cpu-percent"
"""The spelling of `--cpu` before kubectl 1.34, deprecated since 1.37: a number without the sign."""
_KNOWN_FLAGS = {f"--{flag}" for rule in _GRAMMAR.values() for flag in rule.flags} | {"--namespace", _CPU_PERCENT}
_KINDS = {
    spelling: kind
    for kind, group, short in (
        (Kind.DEPLOYMENT, "apps", "deploy"),
        (Kind.STATEFULSET, "apps", "sts"),
        (Kind.DAEMONSET, "apps", "ds"),
        (Kind.POD, "", "po"),
        (Kind.HPA, "autoscaling", "hpa"),
    )
    for spelling in (kind, f"{kind}s", short, *_with_group(kind, group))
}


def parse(text: str) -> Command:
    """Parse one kubectl command; `parse(c.render()) == c` for every command.

    The namespace is empty if the command has none.

    Raises:
        RefusedCommand: The command is outside the grammar; the message states the reason.
    """
    tokens = tokenise(text)
    if tokens[:1] != ["kubectl"]:
        raise RefusedCommand("the command does not begin with kubectl")
    words, flags = _split_flags(tokens[1:])
    verb, rest = _verb(words)
    kind, name = _target(rest)
    namespace = label("namespace", flags.pop("namespace")) if "namespace" in flags else ""
    return Command(verb, kind, name, _flags(verb, kind, flags), namespace)


def kind_of(word: str) -> Kind | None:
    """Return the kind of a name such as `deploy`, `Pods` or `deployment.apps`, None for an unknown one."""
    return _KINDS.get(word.lower())


def _split_flags(tokens: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Separate words from flags; the value of a flag follows `=`, or a short flag at once, or is the next word."""
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = iter(tokens)
    for token in rest:
        if not token.startswith("-"):
            words.append(token)
            continue
        flag, value = _flag(token)
        if flag not in _KNOWN_FLAGS:
            raise RefusedCommand(f"{flag[:80]} is not allowed")
        value = next(rest, "") if value is None else value
        if flag == _CPU_PERCENT:
            flag, value = "--cpu", f"{value}%"
        name = flag.removeprefix("--")
        if name in flags:
            raise RefusedCommand(f"{flag} is repeated")
        flags[name] = value
    return words, flags


def _flag(token: str) -> tuple[str, str | None]:
    """Return the long name of a flag and its value, None where that is the next word."""
    short, attached = token[:2], token[2:]
    if short in _SHORT_FLAGS:
        return _SHORT_FLAGS[short], attached.removeprefix("=") if attached else None
    flag, equals, value = token.partition("=")
    return flag, value if equals else None


def _verb(words: Sequence[str]) -> tuple[Verb, Sequence[str]]:
    for length in (1, 2):
        verb = " ".join(words[:length])
        if verb in frozenset(Verb) and len(words) >= length:
            return Verb(verb), words[length:]
    raise RefusedCommand(f"kubectl {' '.join(words[:2])[:80]}".rstrip() + " is not an allowed command")


def _target(words: Sequence[str]) -> tuple[Kind, str]:
    """Parse KIND/NAME or KIND NAME."""
    parts = words[0].split("/", 1) if len(words) == 1 else list(words)
    if len(parts) != 2 or "/" in parts[0]:  # noqa: PLR2004 - a kind and a name
        raise RefusedCommand("the command must name exactly one resource, as KIND/NAME")
    kind = kind_of(parts[0])
    if kind is None:
        raise RefusedCommand(f"{parts[0][:80]} is not an allowed kind")
    return kind, resource_name(parts[1])


def _flags(verb: Verb, kind: Kind, given: _Flags) -> tuple[tuple[str, str], ...]:
    rule = _GRAMMAR[verb]
    if kind not in rule.kinds:
        raise RefusedCommand(f"{verb} is not allowed on a {kind}")
    for flag in given:
        if flag not in rule.flags:
            raise RefusedCommand(f"--{flag} is not allowed with {verb}")
    for flag in sorted(rule.required - given.keys()):
        raise RefusedCommand(f"{verb} needs --{flag}")
    flags = {flag: check(f"--{flag}", given[flag]) for flag, check in rule.flags.items() if flag in given}
    rule.check(kind, flags)
    return tuple(flags.items())
