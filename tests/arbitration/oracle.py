"""A second definition of a safe command, independent of the grammar under test.

A rendered command must match one of a few patterns completely, and the leaves of a patch must be on a short list of
paths. A parsed command must have the meaning that a shell and kubectl give it: the same arguments, however quoted.
"""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
_COUNT = r"(?:100|[1-9][0-9]?)"
_AMOUNT = r"(?:cpu=[0-9.]+m?|(?:memory|ephemeral-storage)=[0-9.]+(?:[kMGT]i?|Ki)?)"
_AMOUNTS = rf"{_AMOUNT}(?:,{_AMOUNT}){{0,2}}"
_END = rf"(?: -n {_LABEL})?"
_PATCH = re.compile(
    rf"kubectl patch (deployment|statefulset|daemonset|horizontalpodautoscaler)/{_NAME}"
    rf"(?: --type=(merge|strategic|json))? --patch='([^']+)'{_END}"
)
_SCALE = rf"kubectl scale (?:deployment|statefulset)/{_NAME} --replicas={_COUNT}(?: --current-replicas=[0-9]{{1,4}})?"
_AUTOSCALE = (
    rf"kubectl autoscale (?:deployment|statefulset)/{_NAME}"
    rf"(?: --min={_COUNT})? --max={_COUNT}(?: --cpu={_COUNT}%)?"
)
_SET_RESOURCES = (
    rf"kubectl set resources (?:deployment|statefulset|daemonset)/{_NAME}"
    rf"(?: --containers={_LABEL})?(?: --limits={_AMOUNTS})?(?: --requests={_AMOUNTS})?"
)
_ROLLOUT = (
    rf"kubectl rollout (?:restart (?:deployment|statefulset|daemonset)/{_NAME}"
    rf"|undo (?:deployment|statefulset|daemonset)/{_NAME}(?: --to-revision=[0-9]{{1,7}})?)"
)
_DELETE = rf"kubectl delete pod/{_NAME}"
_SAFE = [re.compile(pattern + _END) for pattern in (_SCALE, _AUTOSCALE, _SET_RESOURCES, _ROLLOUT, _DELETE)]
_QUANTITY = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,3})?(?:m|[kMGT]i?)?")
_RESOURCE = r"resources/(?:limits|requests)/(?:cpu|memory|ephemeral-storage)"
_WORKLOAD_LEAF = re.compile(rf"spec/template/spec/containers/\d+/(?:name|{_RESOURCE})")
_METACHARACTERS = set(";&|<>$`()#*?[]{}~!\\")


def is_safe(rendered: str) -> bool:
    """Return whether a rendered command may be shown as a suggestion."""
    patch = _PATCH.fullmatch(rendered)
    if patch:
        kind, patch_type, document = patch.groups()
        return all(
            _leaf_is_safe(kind, path, leaf) for path, leaf in _changes(json.loads(document), patch_type=patch_type)
        )
    return len(rendered) <= 1000 and any(pattern.fullmatch(rendered) for pattern in _SAFE)


def is_inert(text: str) -> bool:
    """Return whether a text has no shell syntax: printable ASCII, and metacharacters in quotes only."""
    bare = re.sub(r"""(?:-p ?|-p=|--patch |--patch=)('[^']*'|"(?:[^"\\$`]|\\")*")""", "", _unmarked(text))
    bare = re.sub(r"""(?<=[ =cnp])(?:'[\w.,/:@%+=-]+'|"[\w.,/:@%+=-]+")(?= |$)""", "", bare)
    return all(" " <= char <= "~" for char in text) and not (_METACHARACTERS | {"'", '"'}) & set(bare)


def _unmarked(text: str) -> str:
    """Return a text without the marks of code around it, and without a prompt."""
    marked = re.fullmatch(r" *`([^`]*)` *", text)
    return re.sub(r"^ *\$ ", "", marked[1] if marked else text)


def meaning(text: str) -> dict[str, object]:
    """Return the arguments and flags that a shell and kubectl read in a text, independent of their notation."""
    words = shlex.split(_unmarked(text))
    found: dict[str, object] = {}
    plain: list[str] = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            plain += word.split("/") if "{" not in word else [word]
            continue
        flag, _, value = word.partition("=")
        short = {"-n": "--namespace", "-c": "--containers", "-p": "--patch"}.get(word[:2])
        if short:
            flag, value = short, word[2:].removeprefix("=")
        value = value or words.pop(0)
        if flag == "--cpu-percent":
            flag, value = "--cpu", f"{value}%"
        assert flag not in found
        found[flag] = _value(flag, value)
    *verb, kind, name = plain
    return {**found, "verb": tuple(verb), "kind": _kind(kind), "name": name}


def _value(flag: str, value: str) -> object:
    if flag == "--patch":
        return json.loads(value)
    return frozenset(value.split(",")) if flag in {"--limits", "--requests"} else value


def _kind(word: str) -> str:
    short = {
        "deploy": "deployment",
        "sts": "statefulset",
        "ds": "daemonset",
        "po": "pod",
        "hpa": "horizontalpodautoscaler",
    }
    plain = word.lower().split(".", maxsplit=1)[0]
    return short.get(plain, plain.removesuffix("s"))


def _changes(document: Any, *, patch_type: str | None) -> Iterator[tuple[str, Any]]:
    if patch_type != "json":
        yield from _leaves("", document)
        return
    for operation in document:
        assert set(operation) == {"op", "path", "value"}
        assert operation["op"] in {"add", "replace"}
        yield from _leaves(operation["path"].removeprefix("/"), operation["value"])


def _leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves(f"{path}/{key}" if path else key, item)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(f"{path}/{index}", item)
    else:
        yield path, value


def _leaf_is_safe(kind: str, path: str, leaf: Any) -> bool:
    if kind == "horizontalpodautoscaler":
        return path in {"spec/minReplicas", "spec/maxReplicas"} and type(leaf) is int and 1 <= leaf <= 100
    if path == "spec/replicas":
        return kind != "daemonset" and type(leaf) is int and 1 <= leaf <= 100
    if not _WORKLOAD_LEAF.fullmatch(path):
        return False
    pattern = re.compile(_LABEL) if path.endswith("/name") else _QUANTITY
    return type(leaf) in {int, str} and bool(pattern.fullmatch(str(leaf)))
