"""A client that a real generator has made of the published schema, and events of later versions."""

import sys
from collections.abc import Iterator
from copy import deepcopy
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from datamodel_code_generator import InputFileType, generate
from datamodel_code_generator.enums import DataModelType
from pydantic import ValidationError

from openclaw_stream.events.examples import example
from openclaw_stream.events.schemas import json_schema

VALUES = {
    ("event_type",): "correction",
    ("incident", "severity"): "fatal",
    ("incident", "status"): "muted",
    ("incident", "evidence", 0, "severity"): "fatal",
    ("incident", "evidence", 0, "status"): "muted",
    ("decision", "suggested_action"): "ROLL_BACK",
    ("decision", "risk_level"): "high",
    ("decision", "blast_radius", "data_impact"): "UNKNOWN",
    ("decision", "primary_responsibility"): "SEC",
    ("decision", "secondary_teams", 0): "SEC",
    ("decision", "optimization_suggestions", 0, "type"): "QUOTA",
    ("confidence", "gate"): "held",
    ("resolution", "kind"): "merged",
    ("provenance", "language"): "ja",
}
"""A new value for each enumeration of a decision."""


def client(schema: dict[str, Any], folder: Path) -> Any:
    """Return the model of an event that is generated from a schema."""
    path = folder / "client.py"
    generate(
        schema,
        input_file_type=InputFileType.JsonSchema,
        output=path,
        output_model_type=DataModelType.PydanticV2BaseModel,
        class_name="Event",
        formatters=[],
    )
    spec = spec_from_file_location(folder.name, path)
    assert spec
    assert spec.loader
    module = sys.modules[folder.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Event


def places(event: dict[str, Any]) -> Iterator[tuple[Any, Any, str]]:
    for path, value in VALUES.items():
        parent: Any = event
        for key in path[:-1]:
            parent = parent[key]
        yield parent, path[-1], value


def later_version() -> dict[str, Any]:
    """Return a resolution with a new value in each enumeration."""
    event = deepcopy(example("resolution"))
    for parent, key, value in places(event):
        assert parent[key] != value
        parent[key] = value
    return dict(event)


def closed(schema: Any) -> Any:
    """Return a schema with its enumerations closed, as the models of the worker have them."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    is_open = isinstance(schema.get("description"), str) and "New values may be added" in schema["description"]
    return {("enum" if key == "examples" and is_open else key): closed(item) for key, item in schema.items()}


def test_a_generated_client_reads_new_values_and_new_fields(tmp_path: Path) -> None:
    generated = client(json_schema("decision"), tmp_path)
    read = generated.model_validate({**later_version(), "added": {"by": "a later version"}})
    assert read.decision.primary_responsibility == "SEC"
    assert read.resolution.kind == "merged"
    assert read.incident.evidence[0].labels == example("resolution")["incident"]["evidence"][0]["labels"]
    for name in ("decision", "resolution"):
        generated.model_validate(example(name))


def test_a_client_with_closed_enumerations_would_refuse_the_event(tmp_path: Path) -> None:
    generated = client(closed(json_schema("decision")), tmp_path)
    generated.model_validate(example("resolution"))
    with pytest.raises(ValidationError) as refused:
        generated.model_validate(later_version())
    assert len(refused.value.errors()) == len(VALUES)
