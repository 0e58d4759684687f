"""Polls the consumer, with a deadline, and finds the record that it cannot read.

aiokafka waits without a deadline while its group rebalances, advances its position past records of a poll that failed,
and does not report which record it failed on. After any failure here the caller must seek all partitions again.
"""

from collections.abc import Mapping, Sequence
from traceback import walk_tb
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException

from openclaw_stream.errors import RetryableError
from openclaw_stream.resilience.deadline import within
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.permissions import READ_AUTHORIZATION_ERRORS, denied_read_error

_POLL_MS = 100
_POLL_SECONDS = 2.0
POLL_RECORDS = 4000
_SINGLE_RECORD_POLLS = 10_000
"""Polls of one record each after a failure, to find the record that caused it."""


class UnreadableRecordError(Exception):
    """A record that the client always fails on; all records before it have been delivered.

    `damaged` marks a batch whose checksum is wrong: the number of records in it is unknown.
    """

    def __init__(self, source: TopicPartition, offset: int, cause: Exception) -> None:
        self.damaged = isinstance(cause, CorruptRecordException)
        super().__init__(f"the {'log is damaged' if self.damaged else 'record cannot be read'}: {cause}")
        self.source = source
        self.offset = offset


class Poller:
    """Polls all assigned partitions."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._topic = settings.topics.alerts
        self._group_id = settings.kafka.group_id
        self._single_polls_left = 0

    async def poll(self) -> Mapping[TopicPartition, Sequence[ConsumerRecord]]:
        """Return the fetched records by partition, after about 0.1 s; empty while the group rebalances.

        Raises:
            UnreadableError: one record cannot be read; those behind it can.
            RetryableError: the poll failed.
            DeniedError: the user may not read the alerts topic, or join the group.
        """
        try:
            limit = 1 if self._single_polls_left else POLL_RECORDS
            delivered: Mapping[TopicPartition, Sequence[ConsumerRecord]] = await within(
                _POLL_SECONDS, self._consumer.getmany(timeout_ms=_POLL_MS, max_records=limit)
            )
        except TimeoutError:
            return {}
        except READ_AUTHORIZATION_ERRORS as error:
            raise denied_read_error(error, self._topic, self._group_id) from error
        except Exception as error:
            self._raise_if_unreadable(error)
            raise RetryableError(f"reading failed: {error!r}") from error
        self._single_polls_left = max(self._single_polls_left - 1, 0)
        return delivered

    def _raise_if_unreadable(self, error: Exception) -> None:
        """Raise for an unreadable record; where the client dropped others with it, poll one record at a time next."""
        failed = _failure_position(error)
        if failed and not failed.dropped:
            self._single_polls_left = 0
            raise UnreadableRecordError(failed.source, failed.offset, error) from error
        self._single_polls_left = _SINGLE_RECORD_POLLS if failed else 0


class _FailurePosition(NamedTuple):
    """Where the client failed, and how many records of the same poll it dropped with it."""

    source: TopicPartition
    offset: int
    dropped: int


def _failure_position(error: Exception) -> _FailurePosition | None:
    """Return the position at which the client failed on a record: only the frames of its iterators hold it."""
    dropped = 0
    for frame, _ in walk_tb(error.__traceback__):
        iterator = frame.f_locals.get("self")
        if isinstance(iterator, FetchResult):
            dropped = len(frame.f_locals.get("ret_list", ()))
        if isinstance(iterator, PartitionRecords):
            return _FailurePosition(iterator._tp, iterator.next_fetch_offset, dropped)  # noqa: SLF001
    return None
