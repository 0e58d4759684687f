"""JSON Schemas of the events and the AsyncAPI document, generated from the models, with examples.

Published schemas allow unknown fields and unknown values of enumerations: they evolve by addition.
"""

from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from openclaw_stream.alerts.contract import AlertEvent
from openclaw_stream.events.asyncapi import asyncapi
from openclaw_stream.events.dead_letter import DeadLetterHeaders
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.examples import EXAMPLES, example
from openclaw_stream.events.incident import IncidentState
from openclaw_stream.events.tuning import TuningEvent

EVENTS: dict[str, type[BaseModel]] = {
    "alert": AlertEvent,
    "decision": Decision,
    "tuning": TuningEvent,
    "incident": IncidentState,
    "dead-letter": DeadLetterHeaders,
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Omits titles that only repeat names."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - the signature is the library's
        return False


def json_schema(name: str) -> JsonSchemaValue:
    """Return the JSON Schema of an event by its name in EVENTS: one self-contained object."""
    schema = EVENTS[name].model_json_schema(schema_generator=_Generator)
    opened = _opened(schema, _enumerations(schema.get("$defs", {})))
    return {"$schema": _DIALECT, "$id": f"urn:openclaw-stream:{name}:v1", **opened}


def documents() -> dict[str, bytes]:
    """Return every published file: path below the folder of the schemas, and content."""
    files = {f"{name}.v1.json": json_schema(name) for name in EVENTS}
    files |= {f"examples/{name}.v1.json": example(name) for name in EXAMPLES}
    files["asyncapi.v1.json"] = asyncapi(_components())
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    return {path: orjson.dumps(document, option=options) for path, document in files.items()}


def write(folder: Path) -> list[Path]:
    """Write every file below `folder` and return their paths."""
    paths = []
    for name, content in documents().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        paths.append(path)
    return paths


def verify(folder: Path) -> list[str]:
    """Return a line for each file below `folder` that differs from the models; none if all are equal."""
    expected = documents()
    differences = []
    for name, content in expected.items():
        path = folder / name
        if not path.is_file():
            differences.append(f"{path} is missing")
        elif path.read_bytes() != content:
            differences.append(f"{path} differs from its model")
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.json"))}
    return differences + [f"{path} belongs to no model" for name, path in found.items() if name not in expected]


def _components() -> dict[str, JsonSchemaValue]:
    _, shared = models_json_schema(
        [(model, "validation") for model in EVENTS.values()],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Generator,
    )
    enumerations = _enumerations(shared["$defs"])
    return {name: _opened(schema, enumerations) for name, schema in shared["$defs"].items() if name not in enumerations}


def _enumerations(definitions: dict[str, Any]) -> dict[str, Any]:
    return {name: definition for name, definition in definitions.items() if "enum" in definition}


def _opened(schema: Any, enumerations: dict[str, Any]) -> Any:
    """Return a schema that allows unknown fields, and values that an enumeration does not have yet.

    Of a closed enumeration, generated clients refuse the whole event for a new value. So a value is any text, and the
    known ones are its examples; inline, because generators wrap a text with a name of its own in an object.
    """
    if isinstance(schema, list):
        return [_opened(item, enumerations) for item in schema]
    if not isinstance(schema, dict):
        return schema
    enumeration = enumerations.get(schema.get("$ref", "").rpartition("/")[2])
    if enumeration:
        schema = {**enumeration, **schema, "description": _joined(schema, enumeration)}
        del schema["$ref"], schema["title"]
    opened = {
        "examples" if key == "enum" else key: _opened(item, enumerations)
        for key, item in schema.items()
        if (key, item) != ("additionalProperties", False)
    }
    for name in enumerations:
        opened.get("$defs", {}).pop(name, None)
    return opened


def _joined(*schemas: dict[str, Any]) -> str:
    return " ".join(" ".join(schema["description"].split()) for schema in schemas if "description" in schema)
