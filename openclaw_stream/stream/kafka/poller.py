"""Reading: what the consumer delivers, and which records it cannot deliver.

aiokafka waits without end while its group is assigned anew, moves on behind what it took for a read that failed, and
does not say which record it failed on. After any failure here the partitions are to be sought again.
"""

from collections.abc import Mapping, Sequence
from traceback import walk_tb
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import (
    CorruptRecordException,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from openclaw_stream.errors import RetryableError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.permissions import denied_error

_POLL_MS = 100
_POLL_SECONDS = 2.0
POLL_RECORDS = 4000
_SINGLY = 10_000
"""Records read one by one after a failure, to find the one that brought it about."""


class UnreadableRecordError(Exception):
    """A record that the client fails on, whatever is tried; all before it have been delivered.

    Where it is `damaged`, so is a whole batch, and nobody knows how many records are in it.
    """

    def __init__(self, source: TopicPartition, offset: int, cause: Exception) -> None:
        self.damaged = isinstance(cause, CorruptRecordException)
        super().__init__(f"the {'log is damaged' if self.damaged else 'record cannot be read'}: {cause}")
        self.source = source
        self.offset = offset


class Poller:
    """Reads all assigned partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._topic = settings.topics.alerts
        self._group_id = settings.kafka.group_id
        self._singly = 0

    async def read(self) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Return what is delivered by partition within a moment.

        Raises:
            UnreadableError: one record cannot be read; those behind it can.
            RetryableError: reading failed.
            DeniedError: the user may not read the alerts, or belong to the group.
        """
        try:
            limit = 1 if self._singly else POLL_RECORDS
            delivered: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await within(
                _POLL_SECONDS, self._consumer.getmany(timeout_ms=_POLL_MS, max_records=limit)
            )
        except TimeoutError:
            return {}
        except TopicAuthorizationFailedError as error:
            raise denied_error(error, "Read", f"topic {self._topic}") from error
        except GroupAuthorizationFailedError as error:
            raise denied_error(error, "Read", f"group {self._group_id}") from error
        except Exception as error:
            self._explain(error)
            raise RetryableError(f"reading failed: {error!r}") from error
        self._singly = max(self._singly - 1, 0)
        return delivered

    def _explain(self, error: Exception) -> None:
        """Raise where a record cannot be read; where the client has dropped others with it, read those one by one."""
        place = _failure_position(error)
        if place and not place.dropped:
            self._singly = 0
            raise UnreadableRecordError(place.source, place.offset, error) from error
        self._singly = _SINGLY if place else 0


class _FailurePosition(NamedTuple):
    """Where the client failed, and how many records it had taken for the same answer."""

    source: TopicPartition
    offset: int
    dropped: int


def _failure_position(error: Exception) -> _FailurePosition | None:
    """Return where the client stood when it failed on a record: only the frames of its iterators know."""
    dropped = 0
    for frame, _ in walk_tb(error.__traceback__):
        reading = frame.f_locals.get("self")
        if isinstance(reading, FetchResult):
            dropped = len(frame.f_locals.get("ret_list", ()))
        if isinstance(reading, PartitionRecords):
            # There is no other way to learn it.
            return _FailurePosition(reading._tp, reading.next_fetch_offset, dropped)  # noqa: SLF001
    return None
