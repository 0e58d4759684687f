"""Decisions traced to Langfuse: a trace each, a generation for each call of a model, and scores.

The SDK queues what it is told and sends it from threads of its own. A server that is down or hangs costs traces, never
a decision: nothing here waits for it or raises. Nothing leaves unredacted: the SDK masks inputs, outputs and metadata,
everything else is redacted here, and no exception reaches the SDK.
"""

import asyncio
import contextlib
import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, ParamSpec, TypeVar

import structlog
from langfuse import Langfuse, LangfuseGeneration, propagate_attributes
from langfuse.logger import console_handler, httpx_logger
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from openclaw_stream import __version__
from openclaw_stream.arbitration.llm.providers.base import Prompt, ProviderError, Reply
from openclaw_stream.arbitration.llm.tracing import Call, NoCall, NoRecorder, Recorder
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case
from openclaw_stream.langfuse.fields import STATUS_MAX, describe, level, mask, safe_field, status, summarize, usage
from openclaw_stream.settings.langfuse import LangfuseSettings

log = structlog.get_logger(__name__)

_COMPLAIN_EVERY: Final = 300.0

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _quiet(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Have a function return None where it would raise: a trace is never worth a decision."""

    @functools.wraps(function)
    def quiet(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises
            log.warning("a decision is not traced in full", reason=f"{type(error).__name__}: {error}")
            return None

    return quiet


class LangfuseTracing:
    """Traces to one project of a Langfuse server; the SDK keeps one client for a public key as long as it runs."""

    def __init__(self, settings: LangfuseSettings) -> None:
        assert settings.public_key is not None  # noqa: S101 - `configured` says so
        assert settings.secret_key is not None  # noqa: S101 - it comes with the public key
        # It would upload data URIs found in texts as files, past the mask; it reads this and takes no argument.
        os.environ["LANGFUSE_MEDIA_UPLOAD_ENABLED"] = "false"
        # Its shutdown on exit would wait half a minute for a server that hangs.
        self._provider = TracerProvider(
            sampler=TraceIdRatioBased(settings.sample_rate),
            resource=Resource.create({"service.name": "openclaw-stream", "service.version": __version__}),
            shutdown_on_exit=False,
        )
        self._client = Langfuse(
            public_key=settings.public_key.get_secret_value(),
            secret_key=settings.secret_key.get_secret_value(),
            base_url=settings.url,
            timeout=settings.timeout,
            flush_at=settings.flush_at,
            flush_interval=settings.flush_interval,
            environment=settings.tracing_environment,
            mask=mask,
            tracer_provider=self._provider,
        )
        _hush()

    @contextlib.contextmanager
    def decision(self, case: Case, order: Sequence[str]) -> Iterator[Recorder]:
        """Record a trace for the length of the block; see `Tracing`."""
        trace = _start_trace(self._client, case, order)
        if trace is None:
            yield NoRecorder()
            return
        try:
            yield trace
        except BaseException as error:
            trace.failed(error)
            raise
        finally:
            trace.end()

    async def close(self, seconds: float) -> None:
        """Send what is queued, in `seconds` at most; what is left then is lost."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def deliver() -> None:
            _quiet(self._client.shutdown)()
            _quiet(self._provider.shutdown)()
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        # A daemon: the process would wait for a pool's thread, which a server that hangs may hold for long.
        threading.Thread(target=deliver, name="langfuse-close", daemon=True).start()
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        except TimeoutError:
            log.warning("Langfuse did not take the last traces in time", seconds=seconds)


class _Trace:
    """The trace of a decision. Its calls are tied to it by hand: a task may outlive the decision that started it."""

    def __init__(self, client: Langfuse, case: Case, order: Sequence[str]) -> None:
        self._shared = describe(case, order)
        with propagate_attributes(**self._shared):
            self._root = client.start_observation(name="decision", as_type="span", input=summarize(case))

    @contextlib.contextmanager
    def attempt(self, provider: str, model: str, prompt: Prompt) -> Iterator[Call]:
        """Record a generation for the length of the block; see `Recorder`."""
        call = self._start_call(provider, model, prompt)
        if call is None:
            yield NoCall()
            return
        try:
            yield call
        except BaseException as error:
            call.failed(error)
            raise
        else:
            call.succeeded()
        finally:
            call.end()

    @_quiet
    def _start_call(self, provider: str, model: str, prompt: Prompt) -> "_Call":
        messages = [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}]
        with propagate_attributes(**self._shared):
            generation = self._root.start_observation(
                name=safe_field(provider),
                as_type="generation",
                model=safe_field(model),
                input=messages,
                metadata={"prompt_version": prompt.version},
            )
        return _Call(generation)

    @_quiet
    def decided(self, verdict: ArbitrationResult) -> None:
        """Record the outcome and score the gate."""
        confidence = verdict.confidence
        self._root.update(
            output=verdict.judgement.model_dump(mode="json"),
            metadata={
                "confidence": confidence.model_dump(),
                "provenance": verdict.provenance.model_dump(mode="json", exclude={"attempts"}),
                "metrics": verdict.metrics.model_dump() if verdict.metrics else None,
                "validation": verdict.validation.model_dump(),
            },
        )
        self._root.score_trace(
            name="gate",
            value=confidence.gate,
            data_type="CATEGORICAL",
            comment=f"final {confidence.final:.2f}, evidence {confidence.evidence:.2f}, "
            f"reported {confidence.reported:.2f}",
        )

    @_quiet
    def failed(self, error: BaseException) -> None:
        """Record why there is no outcome."""
        self._root.update(level=level(error), status_message=status(error))

    @_quiet
    def end(self) -> None:
        """End the trace."""
        self._root.end()


_start_trace = _quiet(_Trace)


class _Call:
    """The generation of one call."""

    def __init__(self, generation: LangfuseGeneration) -> None:
        self._generation = generation

    @_quiet
    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Record an answer and what it took."""
        self._generation.update(
            output=reply.text,
            model=safe_field(reply.model),
            usage_details=usage(reply),
            cost_details=None if cost_usd is None else {"total": cost_usd},
        )

    @_quiet
    def validated(self, problem: str | None = None) -> None:
        """Score whether the answer had JSON of the schema."""
        comment = None if problem is None else safe_field(problem, STATUS_MAX)
        self._generation.score(name="valid_json", value=problem is None, data_type="BOOLEAN", comment=comment)
        if comment is not None:
            self._generation.update(level="WARNING", status_message=comment)

    @_quiet
    def succeeded(self) -> None:
        """Score that the provider answered."""
        self._generation.score(name="provider_success", value=True, data_type="BOOLEAN")

    @_quiet
    def failed(self, error: BaseException) -> None:
        """Record why there is no answer; one that was not waited for says nothing of its provider."""
        if isinstance(error, ProviderError) and error.reply:
            self._generation.update(output=error.reply.text, usage_details=usage(error.reply))
        self._generation.update(level=level(error), status_message=status(error))
        if isinstance(error, Exception):
            self._generation.score(name="provider_success", value=False, data_type="BOOLEAN", comment=status(error))

    @_quiet
    def end(self) -> None:
        """End the generation."""
        self._generation.end()


class _Complaints(logging.Handler):
    """Says in a line of our own, and seldom, what the SDK repeats with every batch it cannot deliver."""

    _said_at = -_COMPLAIN_EVERY

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._said_at >= _COMPLAIN_EVERY:
            self._said_at = now
            log.warning("Langfuse does not take the traces; decisions go on", reason=safe_field(record.getMessage()))


_complaints = _Complaints(logging.WARNING)


def _hush() -> None:
    for name in ("langfuse", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.handlers = [_complaints]
    # The SDK has given this library's log a way to stderr past our cleaning.
    httpx_logger.removeHandler(console_handler)
