"""The whole way of a record: decoded, folded, judged by a model on loopback, and written as events.

Everything that leaves on this way is kept: what the model was asked, the messages for Kafka, the log, and the traces.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import Any
from uuid import uuid4

import orjson
import structlog

from openclaw_stream.alerts.decode import decode
from openclaw_stream.alerts.native import AlertReader
from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.settings import ArbiterSettings, LogSettings, ProviderSettings, Settings, SigNozSettings
from openclaw_stream.settings.langfuse import LangfuseSettings
from openclaw_stream.stream.kafka.transactional_producer import Message
from openclaw_stream.stream.output_records import OutputRecords
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.telemetry.logs import configure_logs
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import Language
from tests.arbitration.llm.model_server import MODEL, completes
from tests.arbitration.llm.providers.loopback import Answer, Loopback, loopback, responds
from tests.langfuse.langfuse_server import LangfuseServer, langfuse_server

MOMENT = 1_795_346_000_000
POD = "checkout-7d9f8b6c5-x2x4z"
KEY = "provider-key-0123456789"
ALERT: dict[str, Any] = {
    "alert_type": "PodOOMKilled",
    "severity": "high",
    "namespace": "shop",
    "service": "checkout",
    "source": "prometheus",
    "message": "Container app of checkout was OOM killed 7 times in ten minutes",
    "labels": {"deployment": "checkout", "pod": POD, "container": "app"},
    "annotations": {"summary": "Memory of checkout is at its limit of 512 MiB"},
    "metrics": {"replicas": 3},
}
"""An alert of one deployment, checkout in shop, with one pod."""

_NOTHING = {"status": "success", "data": {"type": "scalar", "data": {"results": []}}}
_SECONDS = 30.0
_TIMERS = Timers(group_wait=1000, group_wait_critical=1000)

Model = Callable[[str], str | Answer]
"""What the model says to a question: a text, or an answer of its server to the byte."""


@dataclass(frozen=True)
class Outcome:
    """One decision, and what left the process on its way there."""

    case: Case
    verdict: ArbitrationResult
    messages: list[Message]
    requests: list[bytes]

    def events(self, topic: str) -> list[dict[str, Any]]:
        """The events of a topic: `decisions` or `tuning`."""
        return [orjson.loads(each.value or b"{}") for each in self.messages if f".{topic}." in each.topic]

    @property
    def decision(self) -> dict[str, Any]:
        [event] = self.events("decisions")
        return event


@dataclass(repr=False)
class Path:
    """Records in, events out."""

    runner: asyncio.Runner
    arbiter: Arbiter
    settings: Settings
    server: Loopback
    log: StringIO
    langfuse: LangfuseServer | None
    signoz: Loopback | None
    model: list[Model]
    numbers: Iterator[int] = field(default_factory=count)

    def decide(self, model: Model, **changes: Any) -> Outcome:
        """Decide the alert with some of its members changed."""
        # A label that nobody reads keeps every question apart from those that were answered before.
        labels = {"uid": f"{next(self.numbers)}", **changes.pop("labels", ALERT["labels"])}
        return self.decide_record({**ALERT, **changes, "labels": labels}, model)

    def decide_record(self, record: dict[str, Any], model: Model) -> Outcome:
        """Decide what a record tells."""
        ledger = _folded(orjson.dumps(record))
        work = ledger.ready.popleft()
        assert work.snapshot is not None
        case = case_of(work.snapshot, work.due)
        self.model[:] = [model]
        asked = len(self.server.requests)
        verdict = self.runner.run(self.arbiter.decide(case))
        ledger.complete(work, verdict, None)
        plan = ledger.plan(lazy=True)
        assert plan is not None
        messages = OutputRecords(self.settings, "openclaw.alerts.v1", 0).messages(plan, ledger)
        requests = [request.line.encode() + request.body for request in self.server.requests[asked:]]
        return Outcome(case, verdict, messages, requests)


@contextmanager
def open_path(*, watched: bool = False) -> Iterator[Path]:
    """The real arbiter with the real provider; if `watched`, with a Langfuse, and a SigNoz that knows nothing."""
    with _logged() as log, asyncio.Runner() as runner:
        running = AsyncExitStack()
        path = runner.run(_open(running, runner, log, watched=watched))
        try:
            yield path
        finally:
            runner.run(running.aclose())


@contextmanager
def _logged() -> Iterator[StringIO]:
    """What the process logs, down to the least; afterwards logging is as it was."""
    log, root, ours = StringIO(), logging.getLogger(), logging.getLogger("openclaw_stream")
    before = root.handlers[:], root.level, ours.level
    configure_logs(LogSettings(level="debug"), log)
    try:
        yield log
    finally:
        root.handlers, root.level, ours.level = before
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()


async def _open(running: AsyncExitStack, runner: asyncio.Runner, log: StringIO, *, watched: bool) -> Path:
    model: list[Model] = []
    server = Loopback()

    async def answer(writer: asyncio.StreamWriter) -> None:
        said = model[0](str(server.requests[-1].json["messages"][1]["content"]))
        await (completes(said) if isinstance(said, str) else said)(writer)

    opened = await running.enter_async_context(loopback(answer))
    server.url, server.requests = opened.url, opened.requests
    settings = Settings(
        arbiter=ArbiterSettings(language=Language.EN),
        providers=ProviderSettings(
            ai_fallback_order=("openai",), openai_base_url=f"{server.url}/v1", openai_model=MODEL, openai_api_key=KEY
        ),
    )
    langfuse = signoz = None
    tracing: Tracing = NoTracing()
    if watched:
        signoz = await running.enter_async_context(loopback(responds(200, _NOTHING)))
        settings = settings.model_copy(update={"signoz": SigNozSettings(url=signoz.url)})
        langfuse = await running.enter_async_context(langfuse_server())
        run = uuid4().hex[:12]
        tracing = make_tracing(
            LangfuseSettings(public_key=f"pk-lf-{run}", secret_key=f"sk-lf-{run}", base_url=langfuse.url)
        )
        running.push_async_callback(tracing.close, _SECONDS)
    arbiter = await running.enter_async_context(open_arbiter(settings, Metrics(), tracing))
    return Path(runner, arbiter, settings, server, log, langfuse, signoz, model)


def _folded(value: bytes) -> Ledger:
    """Return a ledger that has read one record, and has its revision ready."""
    ledger = restore(Fold("openclaw.alerts.v1", 0, _TIMERS), "group", {}, (0, None), LogFacts(0)).ledger
    ledger.apply(0, MOMENT, decode(value, MOMENT, AlertReader()).alerts)
    ledger.tick(MOMENT + 60_000)
    return ledger
