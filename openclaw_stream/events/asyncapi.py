"""The AsyncAPI 3.0 document: which events go over which topics, in which direction, under which key."""

from typing import Any, NamedTuple

from openclaw_stream.events.examples import example

_BINDING_VERSION = "0.5.0"


class _Message(NamedTuple):
    """A message: its example's name, its payload and header schemas, and its record key."""

    example: str
    summary: str
    payload: str | None
    headers: str | None
    key: str


class _Channel(NamedTuple):
    """A topic: who writes it, under which default name, and its messages by name."""

    action: str
    address: str
    description: str
    messages: tuple[str, ...]
    compacted: bool = False


_MESSAGES = {
    "alert": _Message(
        "alert", "A native alert.", "AlertEvent", None, "namespace/service; null or foreign is no fault."
    ),
    "alertmanagerPayload": _Message(
        "alertmanager",
        "Alertmanager's webhook payload; also SigNoz's and Grafana's.",
        "AlertmanagerPayload",
        None,
        "Any.",
    ),
    "cloudEvent": _Message("cloudevent", "Either of them in a CloudEvents JSON envelope.", "CloudEvent", None, "Any."),
    "decision": _Message("decision", "A decision or a resolution.", "Decision", "EventHeaders", "The incident id."),
    "tuning": _Message(
        "tuning", "A preventive change, not executed.", "TuningEvent", "EventHeaders", "The incident id."
    ),
    "incident": _Message(
        "incident", "A group's current state.", "IncidentState", None, "The group key, or #generation."
    ),
    "deadLetter": _Message(
        "dead-letter",
        "A record that could not be understood, unchanged.",
        None,
        "DeadLetterHeaders",
        "The original one.",
    ),
}
_CHANNELS = {
    "alerts": _Channel(
        "receive",
        "openclaw.alerts.v1",
        "Alerts in; keyed by scope, so that an incident lies in one partition.",
        ("alert", "alertmanagerPayload", "cloudEvent"),
    ),
    "decisions": _Channel("send", "openclaw.decisions.v1", "One decision per incident revision.", ("decision",)),
    "tuning": _Channel("send", "openclaw.tuning.v1", "Shadow tuning.", ("tuning",)),
    "incidents": _Channel("send", "openclaw.incidents.v1", "What is open.", ("incident",), compacted=True),
    "deadLetters": _Channel("send", "openclaw.dead-letter.v1", "What could not be understood.", ("deadLetter",)),
}
_TEXT = {"type": "string"}
_FOREIGN: dict[str, Any] = {
    "AlertmanagerPayload": {
        "type": "object",
        "required": ["alerts"],
        "properties": {"alerts": {"type": "array", "items": {"type": "object"}}},
    },
    "CloudEvent": {
        "type": "object",
        "required": ["specversion"],
        "properties": {"specversion": _TEXT, "data": {}, "data_base64": _TEXT},
    },
    "EventHeaders": {
        "type": "object",
        "description": "CloudEvents 1.0 attributes; traceparent as the alert that opened the incident carried it.",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {"type": "string", "description": "Another one for each generation."},
            "ce_type": _TEXT,
            "ce_source": _TEXT,
            "ce_time": {"type": "string", "format": "date-time"},
            "content-type": {"const": "application/json"},
            "traceparent": _TEXT,
        },
    },
}


def asyncapi(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the document; `schemas` are the models' schemas by name, for its `components/schemas`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "openclaw-stream",
            "version": "1.0.0",
            "description": "Alerts become incidents and decisions. Topic names are the defaults. Read the outputs "
            "with isolation.level=read_committed; upsert by incident_id, and apply an event if its (generation, "
            "revision) is not below the stored pair.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(channel) for name, channel in _CHANNELS.items()},
        "operations": {
            f"{channel.action}{name[0].upper()}{name[1:]}": _operation(name, channel)
            for name, channel in _CHANNELS.items()
        },
        "components": {
            "messages": {name: _message(name, message) for name, message in _MESSAGES.items()},
            "schemas": {**schemas, **_FOREIGN},
        },
    }


def _channel(channel: _Channel) -> dict[str, Any]:
    policy = {"topicConfiguration": {"cleanup.policy": ["compact"]}} if channel.compacted else {}
    return {
        "address": channel.address,
        "description": channel.description,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
        "bindings": {"kafka": {"topic": channel.address, **policy, "bindingVersion": _BINDING_VERSION}},
    }


def _operation(name: str, channel: _Channel) -> dict[str, Any]:
    return {
        "action": channel.action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.description,
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in channel.messages],
    }


def _message(name: str, message: _Message) -> dict[str, Any]:
    parts = {part: schema for part, schema in (("payload", message.payload), ("headers", message.headers)) if schema}
    shown = "payload" if message.payload else "headers"
    return {
        "name": name,
        "summary": message.summary,
        "contentType": "application/json" if message.payload else "application/octet-stream",
        **{part: {"$ref": f"#/components/schemas/{schema}"} for part, schema in parts.items()},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": message.key}, "bindingVersion": _BINDING_VERSION}
        },
        "examples": [{shown: example(message.example)}],
    }
