from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from openclaw_stream.events.asyncapi import asyncapi
from openclaw_stream.events.schemas import documents
from openclaw_stream.settings import TopicSettings
from tests.events.test_schemas import references


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(documents()["asyncapi.v1.json"])
    return loaded


def at(document: dict[str, Any], reference: str) -> Any:
    node: Any = document
    for part in reference.removeprefix("#/").split("/"):
        node = node[part]
    return node


def test_every_reference_of_the_asyncapi_document_exists(document: dict[str, Any]) -> None:
    found = references(document)
    assert found
    assert all(isinstance(at(document, reference), dict) for reference in found)


def test_the_channels_are_the_default_topics(document: dict[str, Any]) -> None:
    settings = {field.default for field in TopicSettings.model_fields.values()}
    assert {channel["address"] for channel in document["channels"].values()} == settings


def test_every_channel_has_one_operation_in_its_direction(document: dict[str, Any]) -> None:
    directions = {
        at(document, item["channel"]["$ref"])["address"]: item["action"] for item in document["operations"].values()
    }
    assert directions.pop("openclaw.alerts.v1") == "receive"
    assert set(directions.values()) == {"send"}
    assert len(directions) == len(document["channels"]) - 1


def test_every_message_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    for message in document["components"]["messages"].values():
        assert message["examples"]
        for part, value in (pair for shown in message["examples"] for pair in shown.items()):
            schema = {"$ref": message[part]["$ref"], "components": document["components"]}
            assert list(Draft202012Validator(schema).iter_errors(value)) == []


def test_the_asyncapi_document_contains_the_schemas() -> None:
    assert asyncapi({"Own": {"type": "object"}})["components"]["schemas"]["Own"] == {"type": "object"}
