"""Adds every partition of a transaction to it before the first record is sent.

aiokafka (0.14.0) adds partitions while records already wait in its queue, and only the list of partitions still to be
added holds those records back. When one AddPartitionsToTxn is refused, its error handling clears that list, and the
sender sends *all* queued records. Where a partition still has the previous transaction open (EndTxn is answered before
its markers are written) the broker appends them, and the marker of the previous transaction commits them: readers see
records of a transaction that never existed. So nothing may be queued while partitions are being added.
"""

import asyncio
from collections.abc import Collection

from aiokafka import AIOKafkaProducer, TopicPartition


class TransactionPartitions:
    """Adds partitions to the transactions of one producer; created once, before its first transaction."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._manager = producer._txn_manager  # noqa: SLF001 - aiokafka has no public call to add a partition
        self._record_added = self._manager.partition_added
        self._manager.partition_added = self._partition_added
        self._complete = asyncio.Event()

    @property
    def pending(self) -> list[str]:
        """The partitions that the transaction coordinator has not confirmed yet, as `topic-partition`."""
        return sorted(f"{tp.topic}-{tp.partition}" for tp in self._manager.partitions_to_add())

    async def add(self, partitions: Collection[TopicPartition]) -> None:
        """Return once the coordinator has confirmed that all `partitions` are part of the open transaction.

        Raises:
            KafkaError: the coordinator refused one of them, or the producer has failed.
        """
        self._complete.clear()
        for partition in partitions:
            self._manager.maybe_add_partition_to_txn(partition)
        if not self._manager.partitions_to_add():
            return
        ended = self._manager.wait_for_transaction_end()
        confirmed = asyncio.ensure_future(self._complete.wait())
        try:
            await asyncio.wait({ended, confirmed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            confirmed.cancel()
        if ended.done():
            ended.result()

    def close(self) -> None:
        """Retrieve the error of a failed transaction, which asyncio would otherwise log as never retrieved."""
        ended = self._manager.wait_for_transaction_end()
        if ended is not None and ended.done() and not ended.cancelled():
            ended.exception()

    def _partition_added(self, partition: TopicPartition) -> None:
        self._record_added(partition)
        if not self._manager.partitions_to_add():
            self._complete.set()
