"""The JSON of `kubectl patch`: only replicas, container resources, or the bounds of an HPA.

JSON escapes can hide any character in its strings: messages quote them with `!r`.
"""

import json
import re
from typing import Any, NoReturn

from openclaw_stream.arbitration.kubectl.command import Kind, RefusedCommand
from openclaw_stream.arbitration.kubectl.names import label
from openclaw_stream.arbitration.kubectl.quantities import check_requests, number, size

PATCH_TYPES = ("strategic", "merge", "json")

_REPLICAS = number(1, 100)
_BOUNDS = ("minReplicas", "maxReplicas")
_RESOURCES_PATH = re.compile(
    r"/spec/template/spec/containers/(?:0|[1-9][0-9]?)/resources(?:/(limits|requests)(?:/([a-z-]+))?)?"
)


def patch_type(flag: str, text: str) -> str:
    """Check the value of --type."""
    if text not in PATCH_TYPES:
        raise RefusedCommand(f"{flag} must be one of {', '.join(PATCH_TYPES)}")
    return text


def patch_json(flag: str, text: str) -> str:
    """Return the JSON of a patch without blanks; `check_patch` checks what it changes."""
    try:
        patch = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except RefusedCommand:
        raise
    except (ValueError, RecursionError) as error:
        raise RefusedCommand(f"{flag} is not valid JSON") from error
    return json.dumps(patch, separators=(",", ":"))


def check_patch(kind: Kind, patch_type: str, text: str) -> None:
    """Refuse a patch that changes anything but replicas, container resources or an HPA's bounds.

    Args:
        kind: What is patched.
        patch_type: One of PATCH_TYPES.
        text: The JSON.
    """
    patch = json.loads(text)
    if patch_type == "json":
        _check_operations(kind, patch)
    elif kind is Kind.HPA:
        _check_bounds(_object_with(_only_value(patch, "spec"), *_BOUNDS))
    else:
        _check_workload(kind, patch_type, _only_value(patch, "spec"))


def _check_workload(kind: Kind, patch_type: str, spec: Any) -> None:
    if set(_object(spec)) == {"replicas"}:
        _check_replicas(kind, spec["replicas"])
        return
    if patch_type == "merge":
        raise RefusedCommand("a merge patch would replace the whole list of containers; use --type=strategic")
    containers = _only_value(_only_value(_only_value(spec, "template"), "spec"), "containers")
    if not isinstance(containers, list) or not containers:
        raise RefusedCommand("the patch has no containers")
    for container in containers:
        _check_container(container)


def _check_container(container: Any) -> None:
    if set(_object(container)) != {"name", "resources"} or not isinstance(container["name"], str):
        raise RefusedCommand("a container in a patch may have only a name and resources")
    label("container", container["name"])
    _check_resources(container["resources"])


def _check_operations(kind: Kind, operations: Any) -> None:
    if not isinstance(operations, list) or not operations:
        raise RefusedCommand("a patch of --type=json must be a list of operations")
    bounds: dict[str, Any] = {}
    paths: set[str] = set()
    for operation in operations:
        path, value = _operation(operation)
        if path in paths:
            raise RefusedCommand(f"the patch changes {path[:80]!r} twice")
        paths.add(path)
        if kind is Kind.HPA:
            bounds[_bound(path)] = value
        else:
            _check_operation(kind, path, value)
    if kind is Kind.HPA:
        _check_bounds(bounds)
    elif len(paths) > 1 and "/spec/replicas" in paths:
        raise RefusedCommand("a patch may change replicas or resources, not both")


def _operation(operation: Any) -> tuple[str, Any]:
    if set(_object(operation)) != {"op", "path", "value"} or operation["op"] not in ("replace", "add"):
        raise RefusedCommand("an operation in a patch must be a replace or an add with a path and a value")
    if not isinstance(operation["path"], str):
        raise RefusedCommand("the path of an operation must be a string")
    return operation["path"], operation["value"]


def _bound(path: str) -> str:
    bound = path.removeprefix("/spec/")
    if path == bound or bound not in _BOUNDS:
        raise RefusedCommand(f"a patch may not change {path[:80]!r} of an HPA")
    return bound


def _check_operation(kind: Kind, path: str, value: Any) -> None:
    if path == "/spec/replicas":
        _check_replicas(kind, value)
        return
    match = _RESOURCES_PATH.fullmatch(path)
    if not match:
        raise RefusedCommand(f"a patch may not change {path[:80]!r}")
    part, resource = match.groups()
    if resource:
        value = {resource: value}
    _check_resources({part: value} if part else value)


def _check_resources(resources: Any) -> None:
    lists: dict[str, dict[str, str]] = {}
    for part, amounts in _object_with(resources, "limits", "requests").items():
        lists[part] = {resource: _quantity(resource, amount) for resource, amount in _object(amounts).items()}
        if not lists[part]:
            raise RefusedCommand(f"the patch has no {part}")
    check_requests(lists.get("limits", {}), lists.get("requests", {}))


def _quantity(resource: str, amount: Any) -> str:
    text = str(amount) if type(amount) is int else amount
    if not isinstance(text, str):
        raise RefusedCommand(f"the {resource[:40]!r} of a patch is not a quantity")
    size(resource, text)
    return text


def _check_bounds(bounds: dict[str, Any]) -> None:
    numbers = {name: _whole(name, value) for name, value in bounds.items()}
    if numbers.get("minReplicas", 1) > numbers.get("maxReplicas", 100):
        raise RefusedCommand("minReplicas is above maxReplicas")


def _check_replicas(kind: Kind, value: Any) -> None:
    if kind is Kind.DAEMONSET:
        raise RefusedCommand("a daemonset has no replicas")
    _whole("replicas", value)


def _whole(name: str, value: Any) -> int:
    if type(value) is not int:
        raise RefusedCommand(f"{name} must be a whole number")
    return int(_REPLICAS(name, str(value)))


def _only_value(value: Any, key: str) -> Any:
    """Return the value of the only key that an object may have."""
    return _object_with(value, key)[key]


def _object_with(value: Any, *keys: str) -> dict[str, Any]:
    """Check that a value is an object with some of these keys and no others."""
    found = _object(value)
    if not found or not set(found) <= set(keys):
        others = ", ".join(sorted(repr(key[:40]) for key in set(found) - set(keys))[:3]) or "an empty object"
        raise RefusedCommand(f"a patch may change {' or '.join(keys)} here, not {others}")
    return found


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedCommand("the patch has another value where an object is required")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedCommand("the patch repeats a key")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedCommand(f"the patch contains {name}, which is not valid JSON")
