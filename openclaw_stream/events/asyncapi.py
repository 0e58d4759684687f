"""The AsyncAPI 3.0 document: topics, their direction, their messages and record keys."""

from typing import Any, NamedTuple

from openclaw_stream.events.examples import example

_BINDING_VERSION = "0.5.0"


class _Message(NamedTuple):
    """A message: the names of its examples, its payload and header schemas, and its record key."""

    examples: tuple[str, ...]
    summary: str
    payload: str | None
    headers: str | None
    key: str


class _Channel(NamedTuple):
    """A topic: direction as seen from the worker, default name, and messages."""

    action: str
    address: str
    description: str
    messages: tuple[str, ...]
    compacted: bool = False


_MESSAGES = {
    "alert": _Message(
        ("alert",), "A native alert.", "AlertEvent", None, "namespace/service; other keys and null are accepted."
    ),
    "alertmanagerPayload": _Message(
        ("alertmanager",),
        "Alertmanager's webhook payload; also SigNoz's and Grafana's.",
        "AlertmanagerPayload",
        None,
        "Any.",
    ),
    "cloudEvent": _Message(
        ("cloudevent",), "Either of them in a CloudEvents JSON envelope.", "CloudEvent", None, "Any."
    ),
    "decision": _Message(
        ("decision", "resolution"), "A decision or a resolution.", "Decision", "EventHeaders", "The incident id."
    ),
    "tuning": _Message(
        ("tuning",), "A preventive change, not executed.", "TuningEvent", "EventHeaders", "The incident id."
    ),
    "incident": _Message(
        ("incident",), "The current state of a group.", "IncidentState", None, "The group key, or #generation."
    ),
    "deadLetter": _Message(
        ("dead-letter",),
        "A record that could not be processed, unchanged.",
        None,
        "DeadLetterHeaders",
        "The original key.",
    ),
}
_CHANNELS = {
    "alerts": _Channel(
        "receive",
        "openclaw.alerts.v1",
        "Alerts; keyed by group, so that all alerts of an incident are in one partition.",
        ("alert", "alertmanagerPayload", "cloudEvent"),
    ),
    "decisions": _Channel("send", "openclaw.decisions.v1", "One decision per incident revision.", ("decision",)),
    "tuning": _Channel("send", "openclaw.tuning.v1", "Preventive changes, not executed.", ("tuning",)),
    "incidents": _Channel(
        "send", "openclaw.incidents.v1", "The current state of each group.", ("incident",), compacted=True
    ),
    "deadLetters": _Channel("send", "openclaw.dead-letter.v1", "Records that could not be processed.", ("deadLetter",)),
}


def _described(description: str, **schema: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **schema}


_EXTERNAL: dict[str, Any] = {
    "AlertmanagerPayload": {
        "type": "object",
        "required": ["alerts"],
        "properties": {
            "alerts": {"type": "array", "items": {"type": "object"}, "description": "The alerts of one group."}
        },
    },
    "CloudEvent": {
        "type": "object",
        "required": ["specversion"],
        "properties": {
            "specversion": _described("Version of CloudEvents."),
            "data": {"description": "A native alert or an Alertmanager payload."},
            "data_base64": _described("The same as base64."),
        },
    },
    "EventHeaders": {
        "type": "object",
        "description": "CloudEvents 1.0 attributes; traceparent of the alert that opened the incident.",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0", "description": "Version of CloudEvents."},
            "ce_id": _described("Id of the event; differs between generations."),
            "ce_type": _described("Name and version of the event, such as openclaw.decision.v1."),
            "ce_source": _described("Topic and partition of the alerts."),
            "ce_time": _described("When it was decided.", format="date-time"),
            "content-type": {"const": "application/json", "description": "Format of the value."},
            "traceparent": _described("W3C trace context."),
        },
    },
}


def asyncapi(schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the document; `schemas` are the schemas of the models by name, for `components/schemas`."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "openclaw-stream",
            "version": "1.0.0",
            "description": "Turns alerts into incidents and decisions. Topic names are the defaults. Read the outputs "
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
            "schemas": {**schemas, **_EXTERNAL},
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
    part_of_example = "payload" if message.payload else "headers"
    return {
        "name": name,
        "summary": message.summary,
        "contentType": "application/json" if message.payload else "application/octet-stream",
        **{part: {"$ref": f"#/components/schemas/{schema}"} for part, schema in parts.items()},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": message.key}, "bindingVersion": _BINDING_VERSION}
        },
        "examples": [{part_of_example: example(name)} for name in message.examples],
    }
