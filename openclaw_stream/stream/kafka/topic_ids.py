"""Fetches topic ids: a topic that was deleted and recreated has the same name and another id.

aiokafka (0.14.0) supports Metadata up to version 5, which has no topic ids, so version 10 is defined here. Source of
the format: the Kafka protocol guide, Metadata. Brokers before 2.8 have no topic ids.
"""

from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import NodeNotReadyError, TopicAuthorizationFailedError
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc] # aiokafka is untyped
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


_Text = CompactString("utf-8")
_Numbers = CompactArray(Int32)


class _MetadataResponse(Response):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 3
    API_VERSION: ClassVar[int] = 10
    SCHEMA: ClassVar[Schema] = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _Text), ("port", Int32), ("rack", _Text), ("tags", TaggedFields)),
        ),
        ("cluster_id", _Text),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _Text),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", _Numbers),
                        ("isr", _Numbers),
                        ("offline_replicas", _Numbers),
                        ("tags", TaggedFields),
                    ),
                ),
                ("topic_authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestV10(RequestStruct):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 3
    API_VERSION: ClassVar[int] = 10
    FLEXIBLE_VERSION: ClassVar[bool] = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA: ClassVar[Schema] = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _Text), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):  # type: ignore[misc]
    API_KEY: ClassVar[int] = 3

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_MetadataRequestV10]) -> _MetadataRequestV10:
        nil = UUID(int=0)
        return request_struct_class([(nil, topic, {}) for topic in self._topics], False, False, False, {})  # noqa: FBT003


async def topic_ids(client: AIOKafkaClient, topics: Collection[str]) -> Mapping[str, str]:
    """Return the ids of the existing topics, by name; empty where the broker is too old to have ids.

    Args:
        client: A client that is connected.
        topics: Their names; the request creates none of them.

    Raises:
        TopicAuthorizationFailedError: the user may not describe some of them; it holds the set of their names.
        KafkaError: no broker answered.
    """
    node = client.get_random_node()
    if node is None:
        raise NodeNotReadyError("no broker in the metadata")
    try:
        response: Any = await client.send(node, _MetadataRequest(topics))
    except NotImplementedError:  # raised by aiokafka where the broker does not support this version
        return {}
    denied = {topic for code, topic, *_ in response.topics if code == TopicAuthorizationFailedError.errno}
    if denied:
        raise TopicAuthorizationFailedError(denied)
    return {topic: str(uuid) for code, topic, uuid, *_ in response.topics if not code and uuid.int}
