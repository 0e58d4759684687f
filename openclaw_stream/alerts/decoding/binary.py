"""Values that are no text: the frame of a schema registry, and what to do about Protobuf, Avro and gzip.

Formats: Confluent's wire format (byte 0, schema id in four bytes, big-endian), Protobuf's encoding, `LogsData` of
OpenTelemetry (field 1: resource_logs), `Event` of Alertmanager's event recorder (1: timestamp, 2: instance, 3: data,
4: cluster_position).
"""

from uuid import UUID

_MAGIC = 0
_HEADER, _LONG_HEADER = 5, 9
_GLUE, _GLUE_HEADER = b"\x03\x00", 18
_GZIP = b"\x1f\x8b"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIELDS_MAX = 10_000
_VARINT_MAX = 10

_OTLP_FIELDS = {(1, _BYTES)}
_EVENT_FIELDS = {(1, _BYTES), (2, _BYTES), (3, _BYTES), (4, _VARINT)}


def split_schema_id(value: bytes) -> tuple[str, bytes] | None:
    """Return the schema id and what follows it, None for a value without a schema registry's frame.

    Apicurio writes eight bytes of an id where it is so configured; AWS Glue byte 3, byte 0 (no compression) and a UUID.
    """
    if value.startswith(_GLUE) and len(value) > _GLUE_HEADER:
        return str(UUID(bytes=value[len(_GLUE) : _GLUE_HEADER])), value[_GLUE_HEADER:]
    if len(value) <= _HEADER or value[0] != _MAGIC:
        return None
    is_long = value[1:_HEADER] == bytes(4) and value[_LONG_HEADER : _LONG_HEADER + 1] in {b"{", b"["}
    header = _LONG_HEADER if is_long else _HEADER
    return str(int.from_bytes(value[1:header], "big")), value[header:]


def explain(value: bytes) -> str:
    """Return what a value that is no JSON is and what to do about it; empty where it is not recognised."""
    if value.startswith(_GZIP):
        return "gzip, not JSON: let the producer compress by Kafka's compression.type, not the value itself"
    fields = _protobuf_fields(value)
    if fields == _OTLP_FIELDS:
        return "Protobuf, not JSON (OpenTelemetry logs): set `encoding: otlp_json` in the Collector's kafka exporter"
    if (3, _BYTES) in fields and fields <= _EVENT_FIELDS:
        return "Protobuf, not JSON (Alertmanager's events): set `format: json` in its kafka_outputs"
    return ""


def _protobuf_fields(value: bytes) -> set[tuple[int, int]]:
    """Return field numbers and wire types of a Protobuf message, none where the value is not one."""
    fields: set[tuple[int, int]] = set()
    position = 0
    for _ in range(_FIELDS_MAX):
        if position == len(value):
            return fields
        key, position = _varint(value, position)
        wire_type = key & 7
        position = _skip(value, position, wire_type)
        if not key >> 3 or position < 0 or position > len(value):
            return set()
        fields.add((key >> 3, wire_type))
    return set()


def _skip(value: bytes, position: int, wire_type: int) -> int:
    """Return the position after a field, -1 where it is malformed."""
    if position < 0:
        return -1
    if wire_type == _VARINT:
        return _varint(value, position)[1]
    if wire_type == _BYTES:
        length, position = _varint(value, position)
        return position + length if position >= 0 else -1
    return position + {_FIXED64: 8, _FIXED32: 4}[wire_type] if wire_type in {_FIXED64, _FIXED32} else -1


def _varint(value: bytes, position: int) -> tuple[int, int]:
    """Return a number and the position after it, -1 where it is malformed."""
    number = 0
    for index, byte in enumerate(value[position : position + _VARINT_MAX]):
        number |= (byte & 0x7F) << (7 * index)
        if not byte & 0x80:
            return number, position + index + 1
    return 0, -1
