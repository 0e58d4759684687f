"""The frames that transports put around alerts: what is in them is returned, still to be recognised as a format.

Frames within one another are removed up to a depth of 4. A record is a pure function of its bytes; nothing here raises
anything but `PoisonError`.
"""

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from json import JSONDecoder
from typing import Any

import orjson

from openclaw_stream.alerts.decoding import binary, cloudevents, otel_logs
from openclaw_stream.alerts.field_values import describe_value
from openclaw_stream.alerts.formats import adapter_for
from openclaw_stream.alerts.formats.adapter import Skipped, Unreadable
from openclaw_stream.alerts.formats.native import is_named
from openclaw_stream.alerts.json_values import parse
from openclaw_stream.errors import PoisonError

DOCUMENTS_MAX = 10_000
BYTES_MAX = 32 << 20
_DEPTH_MAX = 4

_EXPECTED = "an object: an alert, a payload with alerts[], or a frame around one"
_CONNECT_KEYS = {"schema", "payload"}
_TEXT_FIELDS = ("message", "log", "msg", "body", "payload", "data", "value", "Message", "content")
_OBJECT_FIELDS = ("alert", "event", "payload", "data", "body", "value", "message", "detail", "_source", "json")
_JSON_COLUMNS = ("labels", "annotations", "metrics")


_SEPARATOR = re.compile(r"[\s\x1e,]*")
_DECODER = JSONDecoder()


@dataclass(slots=True)
class Unwrapped:
    """What a record's frames held: JSON values, or a `Skipped` or `Unreadable` in the place of one.

    `batch` says whether the record could hold several, so that an index means something, `in_cloudevent` whether a
    CloudEvents event was around any.
    """

    documents: list[Any]
    batch: bool = False
    in_cloudevent: bool = False
    warnings: list[str] = field(default_factory=list)


class _TooManyError(PoisonError):
    """The whole record is refused, whichever of its parts has reached the limit."""


def unwrap(value: bytes) -> Unwrapped:
    """Remove the frames around a record's value.

    Raises:
        PoisonError: it is no JSON, or a frame holds none; the message says what was found and what to do.
    """
    # A batch that was compressed may hold records of any size, and no other partition is served while one is read.
    if len(value) > BYTES_MAX:
        raise PoisonError(f"{len(value):,} bytes, more than {BYTES_MAX:,}")
    unwrapping = _Unwrapping()
    try:
        document = orjson.loads(value)
    except orjson.JSONDecodeError:
        unwrapping.add_encoded(value, 0, in_event=False)
    else:
        if type(document) is dict and is_named(document) and "specversion" not in document:
            return Unwrapped([document])
        unwrapping.add_parsed(document, 0, in_event=False)
    return unwrapping.result()


class _Unwrapping:
    """Collects the documents of one record; `in_event` says whether a CloudEvents event is around."""

    __slots__ = ("batch", "documents", "in_cloudevent", "warnings")

    def __init__(self) -> None:
        self.documents: list[Any] = []
        self.batch = False
        self.in_cloudevent = False
        self.warnings: list[str] = []

    def add(self, value: Any, depth: int, *, in_event: bool) -> None:
        """Add what a JSON value holds, of which `depth` frames were removed already."""
        if depth > _DEPTH_MAX:
            raise PoisonError(f"more than {_DEPTH_MAX} frames within one another: send alerts with fewer around them")
        if isinstance(value, Skipped | Unreadable):
            self._append(value)
        elif isinstance(value, str | bytes):
            self.add_encoded(value, depth, in_event=in_event)
        elif type(value) is dict:
            self._add_object(value, depth, in_event=in_event)
        elif type(value) is list and value:
            self._add_all(value, depth + 1, in_event=in_event)
        else:
            raise _unknown_shape("an empty array" if type(value) is list else describe_value(value))

    def result(self) -> Unwrapped:
        only = self.documents[0]
        if not self.batch and isinstance(only, Unreadable):
            raise PoisonError(only.reason)
        return Unwrapped(self.documents, self.batch, self.in_cloudevent, self.warnings)

    def add_encoded(self, text: bytes | str, depth: int, *, in_event: bool) -> None:
        """Add what an encoded value holds: JSON, lines of JSON, or JSON behind a schema registry's header."""
        framed = binary.split_schema_id(text) if isinstance(text, bytes) else None
        if framed:
            self._add_registered(*framed, depth=depth + 1, in_event=in_event)
            return
        try:
            value = parse(text, self.warnings)
        except PoisonError as error:
            lines = _lines(text)
            if not lines:
                raise PoisonError((isinstance(text, bytes) and binary.explain(text)) or str(error)) from None
            self._add_all(lines, depth + 1, in_event=in_event)
            return
        self.add_parsed(value, depth, in_event=in_event)

    def add_parsed(self, value: Any, depth: int, *, in_event: bool) -> None:
        """Add what a value that was just parsed holds; a text is JSON that was encoded twice."""
        if type(value) is not str:
            self.add(value, depth, in_event=in_event)
        elif value.lstrip().startswith(("{", "[", '"')):
            self.add(value, depth + 1, in_event=in_event)
        else:
            raise _unknown_shape(describe_value(value))

    def _add_registered(self, schema_id: str, text: bytes, *, depth: int, in_event: bool) -> None:
        try:
            value = parse(text, self.warnings)
        except PoisonError:
            raise PoisonError(
                f"Avro or Protobuf with schema id {schema_id}: configure the producer to write JSON"
            ) from None
        self.add_parsed(value, depth, in_event=in_event)

    def _add_object(self, document: dict[str, Any], depth: int, *, in_event: bool) -> None:
        if cloudevents.is_cloudevent(document):
            if in_event:
                raise PoisonError("a CloudEvents event within another")
            self.in_cloudevent = True
            self.add(cloudevents.data_of(document), depth + 1, in_event=True)
        elif is_named(document) or not (contents := self._contents(document)):
            self._append(document)
        elif len(contents) == 1:
            self.add(contents[0], depth + 1, in_event=in_event)
        else:
            self._add_all(contents, depth + 1, in_event=in_event)

    def _contents(self, document: dict[str, Any]) -> list[Any] | None:
        """Return what the frame holds that the object is, None where it is no frame."""
        for frame in _FRAMES:
            contents = frame(document)
            if contents is not None:
                return contents
        return None if adapter_for(document) else _field(document) or self._log_line(document)

    def _log_line(self, document: dict[str, Any]) -> list[Any] | None:
        """Return the JSON in the text field of a log shipper (Vector, Fluent Bit, Logstash) or a queue."""
        for name in _TEXT_FIELDS:
            text = document.get(name)
            if type(text) is not str or not text.lstrip().startswith(("{", "[")):
                continue
            try:
                return [parse(text, self.warnings)]
            except PoisonError as error:
                return _lines(text) or ([Unreadable(f"{name}: {error}")] if text.lstrip()[0] == "{" else None)
        return None

    def _add_all(self, values: list[Any], depth: int, *, in_event: bool) -> None:
        self.batch = True
        if len(values) > DOCUMENTS_MAX:
            raise _too_many(len(values))
        for value in values:
            try:
                self.add(value, depth, in_event=in_event)
            except _TooManyError:
                raise
            except PoisonError as error:
                self._append(Unreadable(str(error)))

    def _append(self, document: Any) -> None:
        self.documents.append(document)
        if len(self.documents) > DOCUMENTS_MAX:
            raise _too_many(len(self.documents))


def _unknown_shape(found: str) -> PoisonError:
    return PoisonError(f"unknown shape: expected {_EXPECTED}; got {found}")


def _too_many(count: int) -> _TooManyError:
    return _TooManyError(f"{count:,} documents in one record, more than {DOCUMENTS_MAX:,}: send fewer at a time")


def _lines(text: bytes | str) -> list[Any]:
    """Return the lines of newline-delimited JSON, none where the text is something else.

    A record that is one JSON text cut short is no such text: its first line opens what no line closes.
    """
    lines = [line for line in text.splitlines() if line.strip()] if isinstance(text, bytes) else []
    if isinstance(text, str):
        lines = [line.encode("utf-8", "surrogatepass") for line in text.split("\n") if line.strip()]
    if len(lines) <= 1 or lines[0].strip() in {b"{", b"["}:
        return _concatenated(text)
    return lines if any(_is_container(line) for line in lines[:DOCUMENTS_MAX]) else []


def _concatenated(text: bytes | str) -> list[Any]:
    """Return alerts and payloads that stand one after another, none where one is malformed, cut or something else."""
    try:
        characters = text.decode() if isinstance(text, bytes) else text
    except UnicodeDecodeError:
        return []
    objects: list[Any] = []
    position, end = 0, len(characters)
    while found := _SEPARATOR.match(characters, position):
        position = found.end()
        if position == end:
            return objects if len(objects) > 1 else []
        if len(objects) > DOCUMENTS_MAX or characters[position] != "{":
            return []
        try:
            value, position = _DECODER.raw_decode(characters, position)
        except (ValueError, RecursionError):
            return []
        if adapter_for(value) is None:
            return []
        objects.append(value)
    return []


def _is_container(line: bytes) -> bool:
    line = line.strip()
    if not line.startswith((b"{", b"[")) or len(line) <= len(b"{}"):
        return False
    try:
        return isinstance(parse(line, []), dict | list)
    except PoisonError:
        return False


def _field(document: dict[str, Any]) -> list[Any] | None:
    """Return the alert or payload that is a field of an object that is none itself."""
    records = document.get("records")
    if type(records) is list and records and all(type(record) is dict and "value" in record for record in records):
        return [record["value"] for record in records]  # what Kafka's REST proxy takes
    values = (document.get(name) for name in _OBJECT_FIELDS)
    return next(([value] for value in values if adapter_for(value)), None)


def _connect(document: dict[str, Any]) -> list[Any] | None:
    """Kafka Connect's JsonConverter with schemas.enable: bytes are base64, a tombstone has no payload."""
    if document.keys() != _CONNECT_KEYS:
        return None
    schema, payload = document["schema"], document["payload"]
    if payload is None:
        return [Skipped("tombstone")]
    if type(payload) is str and type(schema) is dict and schema.get("type") == "bytes":
        return [_base64(payload)]
    return [payload]


def _base64(text: str) -> bytes | Unreadable:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        return Unreadable("payload: bytes that are not base64")


def _debezium(document: dict[str, Any]) -> list[Any] | None:
    """Debezium's change event: the row after the change; a deleted or truncated row is a tombstone."""
    if type(document.get("op")) is not str or type(document.get("source")) is not dict:
        return None
    row = document.get("after")
    if document["op"] in {"d", "t"}:
        return [Skipped("tombstone")]
    if row is None:
        return [
            Unreadable(
                f"Debezium event without `after` (op is {describe_value(document['op'])}): let it write the full row"
            )
        ]
    return [_row(row)]


def _row(row: Any) -> Any:
    """Return a row with its columns of JSON parsed: Debezium writes them as texts."""
    if type(row) is not dict:
        return row
    columns = {name: row[name] for name in _JSON_COLUMNS if type(row.get(name)) is str}
    return {**row, **{name: _json_column(text) for name, text in columns.items()}}


def _json_column(text: str) -> Any:
    try:
        return parse(text, [])
    except PoisonError:
        return text


def _otel_logs(document: dict[str, Any]) -> list[Any] | None:
    if not otel_logs.is_logs(document):
        return None
    bodies = otel_logs.bodies_of(document)
    missing = Unreadable("OpenTelemetry log record without a body")
    return [missing if body is None else body for body in bodies] or [Skipped("empty")]


_FRAMES: tuple[Callable[[dict[str, Any]], list[Any] | None], ...] = (_connect, _debezium, _otel_logs)
