"""The worker: a member of the consumer group, from the start of the process until SIGTERM or SIGINT."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import structlog

from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.errors import RetryableError, TopicError
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.settings import Settings, unknown_settings
from openclaw_stream.stream.decision_queue import DecisionQueue
from openclaw_stream.stream.group_member import GroupMember
from openclaw_stream.stream.kafka.connection import has_compiled_extension, require_codecs
from openclaw_stream.stream.kafka.topics import TopicFacts, check_topics
from openclaw_stream.stream.memory import reduce_garbage_collections
from openclaw_stream.stream.readiness import MembershipReadiness
from openclaw_stream.stream.reconnect import retry_until_shutdown
from openclaw_stream.stream.shutdown import Shutdown
from openclaw_stream.telemetry.event_loop import observe_event_loop
from openclaw_stream.telemetry.health import Health, serve
from openclaw_stream.telemetry.logs import configure_logs
from openclaw_stream.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

_TRACES_SECONDS = 2.0
"""How long the end waits for the last traces to be delivered."""


async def run(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; returns 0 when everything decided was committed first, else 1.

    Raises:
        SettingsError: the HTTP address is taken, or the file of owners is wrong.
        FatalError: continuing would break a guarantee.
    """
    configure_logs(settings.log)
    for warning in unknown_settings():
        log.warning(warning)
    require_codecs()
    if not has_compiled_extension():
        log.warning("aiokafka runs without its compiled extension: reading is many times slower")
    worker = Worker(settings)
    reduce_garbage_collections()
    async with (
        serve(settings.http.addr, worker.metrics.registry, worker.live, worker.ready),
        observe_event_loop(worker.metrics.event_loop_lag),
    ):
        drained = await worker.run()
    if not drained:
        log.error("not all partitions were drained; what is not settled is read again by their next owner")
    return 0 if drained else 1


class Worker:
    """Joins the consumer group, again where a client cannot go on, and reports health."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._settings = settings
        self._owners = OwnerLookup(settings.ownership)
        self._shutdown = Shutdown()
        self._readiness = MembershipReadiness()
        self._member: GroupMember | None = None
        self.metrics.ready.set_function(lambda: self.ready().ok)

    def live(self) -> Health:
        """Return whether the process works; a broker that does not answer is no reason to restart it."""
        return Health(("a fatal error stops it",) if self._shutdown.error else ())

    def ready(self) -> Health:
        """Return whether an alert that arrives now would be read and decided, and the reasons if not."""
        return Health(tuple(self._reasons()))

    def _reasons(self) -> Iterator[str]:
        settings = self._settings
        yield from self._readiness.reasons(time.monotonic(), settings.topics.alerts, settings.kafka.group_id)
        for partition in self._member.assignment if self._member else ():
            for reason in partition.reasons():
                yield f"partition {partition.source.partition}: {reason}"

    async def run(self) -> bool:
        """Join the group and serve; returns whether everything decided was committed at the end.

        Raises:
            FatalError: continuing would break a guarantee.
        """
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._shutdown.request)
        if self._owners.has_file:
            loop.add_signal_handler(signal.SIGHUP, self._owners.reload)
        drained, facts = True, await self._await_topics()
        if facts is None:
            return True
        async with self._decision_queue() as decision_queue:
            while facts and not self._shutdown.requested:
                member = self._member = GroupMember(
                    self._settings, facts, decision_queue, self.metrics, self._readiness, self._shutdown
                )
                try:
                    if await member.join():
                        await member.serve()
                finally:
                    drained = await member.leave()
                if not self._shutdown.requested:
                    facts = await self._await_topics(again=True)
        if self._shutdown.error:
            raise self._shutdown.error
        return drained

    @asynccontextmanager
    async def _decision_queue(self) -> AsyncIterator[DecisionQueue]:
        tracing = await asyncio.to_thread(make_tracing, self._settings.langfuse)
        try:
            async with open_arbiter(self._settings, self.metrics, tracing, self._owners) as arbiter:
                decision_queue = DecisionQueue(arbiter)
                try:
                    yield decision_queue
                finally:
                    await decision_queue.close()
        finally:
            await tracing.close(_TRACES_SECONDS)

    async def _await_topics(self, *, again: bool = False) -> TopicFacts | None:
        """Return the facts of the alerts topic once no difference is fatal; None where the worker is to stop before.

        It waits at the start too: the topics may be created or corrected later, and meanwhile `/readyz` names them.

        Args:
            again: The worker has served before: the other differences are in the log already.
        """

        async def check() -> TopicFacts:
            report = await check_topics(self._settings)
            facts = report.require()
            if report.differences and not again:
                differences = [str(difference) for difference in report.differences]
                log.warning("topic configuration differs from recommended", differences=differences)
            return facts

        errors = (RetryableError, TopicError)
        return await retry_until_shutdown(check, errors, self._shutdown, self._readiness.record_problem)
