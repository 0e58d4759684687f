"""Breaking changes of a JSON Schema for producers and consumers that use an earlier version.

Schemas grow by addition: a property, a value of an enumeration, a definition. An enumeration may be opened: its values
become the examples of a text that says so. Everything else is a break.
"""

from typing import Any

OPEN = "New values may be added"
_PROSE = {"$id", "$schema", "$defs", "title", "description", "examples", "default"}


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return a line for each breaking change from `old` to `new`; additions are compatible."""
    return _Comparison(old, new).nodes(old, new, "event")


class _Comparison:
    """Compares two schemas; `at` is the path of the node in the event."""

    def __init__(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        self.old = old
        self.new = new

    def nodes(self, old: Any, new: Any, at: str) -> list[str]:
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        if not isinstance(old, dict) or not isinstance(new, dict):
            return [] if old == new else [f"{at}: {old!r} became {new!r}"]
        found = self._properties(old.get("properties", {}), new.get("properties", {}), at)
        found += self._alternatives(old.get("anyOf", []), new.get("anyOf", []), at)
        found += [f"{at}.{name}: now required" for name in _only(new, old, "required")]
        found += [f"{at}.{name}: no longer required" for name in _only(old, new, "required")]
        found += [f"{at}: value {value!r} removed" for value in _values(old) if value not in _values(new)]
        found += [f"{at}: closed to other values"] * ("enum" in new and "enum" not in old)
        for keyword in sorted((old.keys() | new.keys()) - _PROSE - {"properties", "anyOf", "required", "enum"}):
            if keyword in {"items", "additionalProperties"}:
                found += self.nodes(old.get(keyword, True), new.get(keyword, True), f"{at}[]")
            elif old.get(keyword) != new.get(keyword):
                found.append(f"{at}: {keyword} {old.get(keyword)!r} became {new.get(keyword)!r}")
        return found

    def _properties(self, old: dict[str, Any], new: dict[str, Any], at: str) -> list[str]:
        found = [f"{at}.{name}: removed" for name in old if name not in new]
        for name in (name for name in old if name in new):
            found += self.nodes(old[name], new[name], f"{at}.{name}")
        return found

    def _alternatives(self, old: list[Any], new: list[Any], at: str) -> list[str]:
        if len(old) != len(new):
            return [f"{at}: {len(old)} alternatives became {len(new)}"]
        pairs = zip(old, new, strict=True)
        return [
            words for number, (one, other) in enumerate(pairs) for words in self.nodes(one, other, f"{at}|{number}")
        ]


def _resolved(node: Any, root: dict[str, Any]) -> Any:
    if isinstance(node, dict) and "$ref" in node:
        return root["$defs"][node["$ref"].removeprefix("#/$defs/")]
    return node


def _values(node: dict[str, Any]) -> list[Any]:
    known = node.get("enum") or (node.get("examples") if OPEN in node.get("description", "") else None)
    return list(known or [])


def _only(these: dict[str, Any], those: dict[str, Any], keyword: str) -> list[Any]:
    return [item for item in these.get(keyword, []) if item not in those.get(keyword, [])]
