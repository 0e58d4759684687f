"""Describes the consumer group, as its coordinator reports it."""

from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import for_code

from openclaw_stream.stream.kafka.connection import CLIENT_ID


class MemberDescription(NamedTuple):
    """A member of the group, with its assigned partitions."""

    client_id: str
    host: str
    partitions: frozenset[TopicPartition]

    @property
    def foreign(self) -> bool:
        """Whether it is another program: alerts of its partitions are not decided."""
        return self.client_id != CLIENT_ID


class ConsumerGroup(NamedTuple):
    """A consumer group; `state` and `protocol_type` as the coordinator reports them (`Stable`, `Dead`; `consumer`)."""

    coordinator: int
    state: str
    protocol_type: str
    members: tuple[MemberDescription, ...]


async def describe_group(admin: AIOKafkaAdminClient, group_id: str) -> ConsumerGroup:
    """Return the group; `Dead` and without members where it does not exist, or has a newer protocol than `classic`.

    Raises:
        KafkaError: it has no coordinator, or the user may not describe it.
    """
    coordinator = await admin.find_coordinator(group_id)
    [response] = await admin.describe_consumer_groups([group_id], group_coordinator_id=coordinator)
    [described] = response.groups
    code, _, state, protocol_type, _, members = described[:6]
    if code:
        raise for_code(code)
    return ConsumerGroup(coordinator, state, protocol_type, tuple(map(_member, members)))


def _member(described: Any) -> MemberDescription:
    # Newer versions have the id of a static member before these two.
    _, client_id, host = [field for field in described if isinstance(field, str)][-3:]
    assignment = described[-1]
    partitions = ConsumerProtocol.ASSIGNMENT.decode(assignment).partitions() if assignment else []
    return MemberDescription(client_id, host, frozenset(partitions))
