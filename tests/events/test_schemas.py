from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator, FormatChecker
from pydantic import ValidationError

from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.events.dead_letter import dead_letter_headers
from openclaw_stream.events.examples import EXAMPLES, example
from openclaw_stream.events.schemas import EVENTS, documents, json_schema, verify, write
from openclaw_stream.incidents.state import State
from openclaw_stream.stream.state.state_codec import encode, generation_record
from tests.conftest import PROJECT

OUTPUTS = [name for name in EVENTS if name != "alert"]
MAPS = {"alert_names", "flags", "labels", "annotations"}
SCHEMA_OF = {"resolution": "decision"}


def valid(name: str, event: Any) -> bool:
    validator = Draft202012Validator(json_schema(name), format_checker=FormatChecker())
    return not list(validator.iter_errors(event))


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [reference for item in node for reference in references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [reference for item in node.values() for reference in references(item)]


def grown(node: Any) -> Any:
    """Return an event of a later version: every object that is not a map has a further field."""
    if isinstance(node, list):
        return [grown(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {**{key: item if key in MAPS else grown(item) for key, item in node.items()}, "added": 1}


@pytest.mark.parametrize("name", EVENTS)
def test_a_schema_is_one_self_contained_object(name: str) -> None:
    schema = json_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert all(reference.removeprefix("#/$defs/") in schema.get("$defs", {}) for reference in references(schema))


@pytest.mark.parametrize("name", [*EVENTS, *SCHEMA_OF])
def test_every_example_fits_its_schema(name: str) -> None:
    assert valid(SCHEMA_OF.get(name, name), example(name))


def nodes(schema: Any, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object of a schema with its path, those of definitions included."""
    if isinstance(schema, dict):
        yield at, schema
    children = schema.items() if isinstance(schema, dict) else enumerate(schema if isinstance(schema, list) else ())
    for key, child in children:
        yield from nodes(child, f"{at}.{key}")


def test_every_property_of_every_schema_has_a_description() -> None:
    published = orjson.loads(documents()["asyncapi.v1.json"])["components"]["schemas"]
    schemas = {name: json_schema(name) for name in EVENTS} | {name: published[name] for name in published}
    properties = [
        (f"{at}.{name}", described)
        for name, schema in schemas.items()
        for at, node in nodes(schema, name)
        if isinstance(node.get("properties"), dict)
        for name, described in node["properties"].items()
    ]
    assert len(properties) > 150
    assert [at for at, described in properties if not described.get("description")] == []


def test_every_enumeration_is_open_and_says_what_an_unknown_value_means() -> None:
    models = {name: nodes(model.model_json_schema(), name) for name, model in EVENTS.items()}
    closed = {tuple(node["enum"]) for found in models.values() for _, node in found if "enum" in node}
    assert len(closed) > 10
    published = [node for name in EVENTS for _, node in nodes(json_schema(name), name)]
    assert [node for node in published if "enum" in node] == []
    opened = {tuple(node["examples"]): node for node in published if isinstance(node.get("examples"), list)}
    for values in closed:
        assert "New values may be added: " in opened[values]["description"], values


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_schemas_allow_unknown_fields(name: str) -> None:
    assert valid(name, grown(example(name)))


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_models_write_no_unknown_fields(name: str) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        EVENTS[name].model_validate({**example(name), "added": 1})


def test_a_written_event_can_be_parsed() -> None:
    for name in ("decision", "tuning", "incident"):
        text = EXAMPLES[name].model_dump_json()  # type: ignore[union-attr]
        assert EVENTS[name].model_validate_json(text) == EXAMPLES[name]


def test_every_list_and_map_is_capped() -> None:
    def uncapped(node: Any, at: str) -> list[str]:
        if isinstance(node, list):
            return [found for item in node for found in uncapped(item, at)]
        if not isinstance(node, dict):
            return []
        missing = (node.get("type") == "array" and "maxItems" not in node) or (
            "additionalProperties" in node and "maxProperties" not in node
        )
        return [at] * missing + [found for key, item in node.items() for found in uncapped(item, f"{at}.{key}")]

    found = [place for name in OUTPUTS for place in uncapped(json_schema(name), name)]
    assert found == ["incident.properties.fold"]


def test_group_states_fit_the_schema_of_the_incidents_topic() -> None:
    state = State("shop/checkout")
    state.begin("id-1", 5, 1_795_345_984_880, "id-0")
    last = PublishedDecision("id-1", 2, "DB", ("BE",), "medium", 0.9, "rules")
    for value in (encode(state, "openclaw-stream", 3, last), generation_record("openclaw-stream", 3, -1)):
        event = orjson.loads(value)
        assert valid("incident", event)
        EVENTS["incident"].model_validate(event)


def test_a_dead_letters_headers_fit_their_schema() -> None:
    headers = dead_letter_headers(
        [], reason="empty", topic="a", partition=0, offset=0, timestamp=-1, generation=1, bad_indexes=range(300)
    )
    assert valid("dead-letter", {name: value.decode() for name, value in headers})


def test_the_published_files_are_those_of_the_models() -> None:
    assert verify(PROJECT / "schemas") == []


def test_written_files_are_verified(tmp_path: Path) -> None:
    paths = write(tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in paths} == set(documents())
    assert verify(tmp_path) == []


def test_every_difference_is_reported(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "alert.v1.json").unlink()
    (tmp_path / "tuning.v1.json").write_text("{}")
    (tmp_path / "other.v1.json").write_text("{}")
    assert verify(tmp_path) == [
        f"{tmp_path}/alert.v1.json is missing",
        f"{tmp_path}/tuning.v1.json differs from its model",
        f"{tmp_path}/other.v1.json belongs to no model",
    ]
