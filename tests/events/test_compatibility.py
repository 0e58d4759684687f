"""The schemas against those of the last release in released/, which only a release replaces."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import orjson
import pytest

from openclaw_stream.events.schemas import EVENTS, json_schema
from tests.events.compatibility import breaks

RELEASED = Path(__file__).parent / "released"

Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize("path", sorted(RELEASED.glob("*.json")), ids=lambda path: path.name)
def test_no_schema_breaks_its_released_version(path: Path) -> None:
    released = orjson.loads(path.read_bytes())
    assert breaks(released, json_schema(path.name.removesuffix(".v1.json"))) == []


def test_every_event_has_a_released_schema() -> None:
    assert {path.name for path in RELEASED.glob("*.json")} == {f"{name}.v1.json" for name in EVENTS}


def properties(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the properties of a definition."""
    found: dict[str, Any] = schema["$defs"][name]["properties"]
    return found


BREAKS: dict[str, tuple[str, Change]] = {
    "a property removed": ("event.decided_at: removed", lambda s: s["properties"].pop("decided_at")),
    "a nested property removed": (
        "event.decision.risk_level: removed",
        lambda s: properties(s, "Judgement").pop("risk_level"),
    ),
    "a property renamed": (
        "event.replayed: removed",
        lambda s: s["properties"].update(replay=s["properties"].pop("replayed")),
    ),
    "a type changed": (
        "event.revision: type 'integer' became 'string'",
        lambda s: s["properties"]["revision"].update(type="string"),
    ),
    "newly required": ("event.trace_url: now required", lambda s: s["required"].append("trace_url")),
    "no longer required": ("event.revision: no longer required", lambda s: s["required"].remove("revision")),
    "a value removed": (
        "event.decision.blast_radius.data_impact: value 'WRITE' removed",
        lambda s: properties(s, "BlastRadius")["data_impact"]["examples"].remove("WRITE"),
    ),
    "closed to new values": (
        "event.decision.risk_level: closed to other values",
        lambda s: properties(s, "Judgement")["risk_level"].update(enum=["low", "medium", "critical"]),
    ),
    "a limit lowered": (
        "event.decision.action_title: maxLength 200 became 100",
        lambda s: properties(s, "Judgement")["action_title"].update(maxLength=100),
    ),
    "null taken away": (
        "event.trace_url: 2 alternatives became 1",
        lambda s: s["properties"]["trace_url"]["anyOf"].pop(),
    ),
    "items of another type": (
        "event.decision.affected_services[]: type 'string' became 'integer'",
        lambda s: properties(s, "Judgement")["affected_services"]["items"].update(type="integer"),
    ),
    "closed to the unknown": (
        "event[]: True became False",
        lambda s: s.update(additionalProperties=False),
    ),
}
ADDITIONS: dict[str, Change] = {
    "a property": lambda s: s["properties"].update(cost={"type": "number"}),
    "a nested property": lambda s: properties(s, "Judgement").update(runbook={"type": "string"}),
    "a value": lambda s: properties(s, "Judgement")["primary_responsibility"]["examples"].append("SEC"),
    "a definition": lambda s: s["$defs"].update(New={"type": "object"}),
    "words": lambda s: s["properties"]["revision"].update(description="Counts from 1."),
}


def changed(change: Change) -> list[str]:
    old = json_schema("decision")
    new = deepcopy(old)
    change(new)
    assert new != old
    return breaks(old, new)


@pytest.mark.parametrize(("words", "change"), BREAKS.values(), ids=BREAKS)
def test_a_breaking_change_is_reported(words: str, change: Change) -> None:
    assert changed(change) == [words]


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS)
def test_an_addition_is_compatible(change: Change) -> None:
    assert changed(change) == []
