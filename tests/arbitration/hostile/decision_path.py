"""The whole path of a record: decoded, folded, judged by a model on loopback, and rendered as events.

Everything that leaves the process is recorded: requests to the model, messages for Kafka, the log, and the traces.
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

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.llm.tracing import NoTracing, Tracing
from openclaw_stream.arbitration.ownership import OwnerLookup
from openclaw_stream.arbitration.wiring import open_arbiter
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.langfuse import make_tracing
from openclaw_stream.settings import (
    ArbiterSettings,
    ChainSettings,
    LogSettings,
    OwnerSettings,
    ProviderSettings,
    Settings,
    SigNozSettings,
)
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

_NO_DATA = {"status": "success", "data": {"type": "scalar", "data": {"results": []}}}
_CLOSE_SECONDS = 30.0
_TIMERS = Timers(group_wait=1000, group_wait_critical=1000)

Model = Callable[[str], str | Answer]
"""Returns the model's answer to a prompt: a text, or the complete response of its server."""


@dataclass(frozen=True)
class Outcome:
    """One decision, and everything that left the process for it."""

    case: Case
    result: ArbitrationResult
    messages: list[Message]
    requests: list[bytes]

    def events(self, topic: str) -> list[dict[str, Any]]:
        """Return the events of a topic: `decisions` or `tuning`."""
        return [orjson.loads(each.value or b"{}") for each in self.messages if f".{topic}." in each.topic]

    @property
    def decision(self) -> dict[str, Any]:
        [event] = self.events("decisions")
        return event


@dataclass(repr=False)
class DecisionPath:
    """Takes records and returns their events."""

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
        """Decide ALERT with some members changed."""
        # A unique, ignored label prevents hits in the answer cache.
        labels = {"uid": f"{next(self.numbers)}", **changes.pop("labels", ALERT["labels"])}
        return self.decide_record({**ALERT, **changes, "labels": labels}, model)

    def decide_record(self, record: dict[str, Any], model: Model) -> Outcome:
        """Decide the incident of one record."""
        ledger = _folded(orjson.dumps(record))
        revision = ledger.ready.popleft()
        assert revision.snapshot is not None
        case = case_of(revision.snapshot, revision.due)
        self.model[:] = [model]
        requests_before = len(self.server.requests)
        result = self.runner.run(self.arbiter.decide(case))
        ledger.complete(revision, result, None)
        plan = ledger.plan(lazy=True)
        assert plan is not None
        messages = OutputRecords(self.settings, "openclaw.alerts.v1", 0).messages(plan, ledger)
        requests = [request.line.encode() + request.body for request in self.server.requests[requests_before:]]
        return Outcome(case, result, messages, requests)


@contextmanager
def open_decision_path(
    *, with_backends: bool = False, language: Language = Language.EN, seconds: float = 30
) -> Iterator[DecisionPath]:
    """Run the real arbiter with a real provider.

    Args:
        with_backends: Whether to add Langfuse, and SigNoz without data.
        language: The language of the decisions.
        seconds: How long one call to the model may take; a decision takes four times as long at most.
    """
    with _logged() as log, asyncio.Runner() as runner:
        running = AsyncExitStack()
        chosen = _settings(language, seconds)
        path = runner.run(_open(running, runner, log, chosen, with_backends=with_backends))
        try:
            yield path
        finally:
            runner.run(running.aclose())


@contextmanager
def _logged() -> Iterator[StringIO]:
    """Capture the log at debug level, and restore the logging configuration afterwards."""
    log, root, own = StringIO(), logging.getLogger(), logging.getLogger("openclaw_stream")
    before = root.handlers[:], root.level, own.level
    configure_logs(LogSettings(level="debug"), log)
    try:
        yield log
    finally:
        root.handlers, root.level, own.level = before
        logging.captureWarnings(capture=False)
        structlog.reset_defaults()


def _settings(language: Language, seconds: float) -> Settings:
    providers = ProviderSettings(ai_fallback_order=("openai",), openai_model=MODEL, openai_api_key=KEY, timeout=seconds)
    return Settings(
        arbiter=ArbiterSettings(language=language),
        chain=ChainSettings(decision_deadline=4 * seconds),
        providers=providers,
    )


async def _open(
    running: AsyncExitStack, runner: asyncio.Runner, log: StringIO, settings: Settings, *, with_backends: bool
) -> DecisionPath:
    model: list[Model] = []
    server = Loopback()

    async def answer(writer: asyncio.StreamWriter) -> None:
        response = model[0](str(server.requests[-1].json["messages"][1]["content"]))
        await (completes(response) if isinstance(response, str) else response)(writer)

    opened = await running.enter_async_context(loopback(answer))
    server.url, server.requests = opened.url, opened.requests
    providers = settings.providers.model_copy(update={"openai_base_url": f"{server.url}/v1"})
    settings = settings.model_copy(update={"providers": providers})
    langfuse = signoz = None
    tracing: Tracing = NoTracing()
    if with_backends:
        signoz = await running.enter_async_context(loopback(responds(200, _NO_DATA)))
        settings = settings.model_copy(update={"signoz": SigNozSettings(url=signoz.url)})
        langfuse = await running.enter_async_context(langfuse_server())
        run = uuid4().hex[:12]
        tracing = make_tracing(
            LangfuseSettings(public_key=f"pk-lf-{run}", secret_key=f"sk-lf-{run}", base_url=langfuse.url)
        )
        running.push_async_callback(tracing.close, _CLOSE_SECONDS)
    # The tests write hostile texts into this label.
    owners = OwnerLookup(OwnerSettings(team_label="note"))
    arbiter = await running.enter_async_context(open_arbiter(settings, Metrics(), tracing, owners))
    return DecisionPath(runner, arbiter, settings, server, log, langfuse, signoz, model)


def _folded(value: bytes) -> Ledger:
    """Return a ledger that has applied one record, with its revision ready."""
    ledger = restore(Fold("openclaw.alerts.v1", 0, _TIMERS), "group", {}, (0, None), LogFacts(0)).ledger
    ledger.apply(0, MOMENT, decode(value, MOMENT, AlertReader()).alerts)
    ledger.tick(MOMENT + 60_000)
    return ledger
