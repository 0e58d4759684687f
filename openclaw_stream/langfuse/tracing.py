"""Tracing of decisions to Langfuse: one trace per decision, one generation per call to a model, and scores.

The SDK queues observations and sends them from its own threads. If the server is down or hangs, traces are lost, and
decisions continue: nothing here waits for the server or raises. All texts are redacted: inputs, outputs and metadata by
the SDK's mask, everything else here; no exception is passed to the SDK.
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
from openclaw_stream.langfuse.fields import (
    STATUS_MAX,
    case_summary,
    error_level,
    error_message,
    mask,
    safe_field,
    token_usage,
    trace_attributes,
)
from openclaw_stream.settings.langfuse import LangfuseSettings

log = structlog.get_logger(__name__)

_SDK_WARNING_SECONDS: Final = 300.0

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _never_raises(function: Callable[_P, _T]) -> Callable[_P, _T | None]:
    """Return a function that logs exceptions and returns None: a tracing error must not fail a decision."""

    @functools.wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _T | None:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the SDK may raise anything
            log.warning("cannot trace a decision completely", reason=f"{type(error).__name__}: {error}")
            return None

    return guarded


class LangfuseTracing:
    """Tracing to one project of a Langfuse server; the SDK keeps one client per public key until the process ends."""

    def __init__(self, settings: LangfuseSettings) -> None:
        assert settings.public_key is not None  # noqa: S101 - `configured` is true
        assert settings.secret_key is not None  # noqa: S101 - checked with the public key
        # The SDK would upload data URIs in texts as files, without the mask. It has no argument for this.
        os.environ["LANGFUSE_MEDIA_UPLOAD_ENABLED"] = "false"
        # Shutdown on exit would wait half a minute for a server that hangs.
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
        _redirect_sdk_logs()

    @contextlib.contextmanager
    def decision(self, case: Case, order: Sequence[str]) -> Iterator[Recorder]:
        """Record a trace, which lasts as long as the block; see `Tracing`."""
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
        """Send queued observations within `seconds`; the rest is lost."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def shut_down() -> None:
            _never_raises(self._client.shutdown)()
            _never_raises(self._provider.shutdown)()
            with contextlib.suppress(RuntimeError):  # the loop is closed: `close` was cancelled
                loop.call_soon_threadsafe(done.set)

        # A daemon thread: at exit the process would wait for the thread of a pool, which a server that hangs blocks.
        threading.Thread(target=shut_down, name="langfuse-close", daemon=True).start()
        try:
            async with asyncio.timeout(seconds):
                await done.wait()
        except TimeoutError:
            log.warning("Langfuse did not accept the last traces in time", seconds=seconds)


class _Trace:
    """The trace of a decision. Calls are linked explicitly: a task may run longer than its decision."""

    def __init__(self, client: Langfuse, case: Case, order: Sequence[str]) -> None:
        self._shared = trace_attributes(case, order)
        with propagate_attributes(**self._shared):
            self._root = client.start_observation(name="decision", as_type="span", input=case_summary(case))

    @contextlib.contextmanager
    def attempt(self, provider: str, model: str, prompt: Prompt) -> Iterator[Call]:
        """Record a generation, which lasts as long as the block; see `Recorder`."""
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

    @_never_raises
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

    @_never_raises
    def decided(self, result: ArbitrationResult) -> None:
        """Record the result and score the gate."""
        confidence = result.confidence
        self._root.update(
            output=result.judgement.model_dump(mode="json"),
            metadata={
                "confidence": confidence.model_dump(),
                "provenance": result.provenance.model_dump(mode="json", exclude={"attempts"}),
                "metrics": result.metrics.model_dump() if result.metrics else None,
                "validation": result.validation.model_dump(),
            },
        )
        self._root.score_trace(
            name="gate",
            value=confidence.gate,
            data_type="CATEGORICAL",
            comment=f"final {confidence.final:.2f}, evidence {confidence.evidence:.2f}, "
            f"reported {confidence.reported:.2f}",
        )

    @_never_raises
    def failed(self, error: BaseException) -> None:
        """Record why there is no result."""
        self._root.update(level=error_level(error), status_message=error_message(error))

    @_never_raises
    def end(self) -> None:
        """End the trace."""
        self._root.end()


_start_trace = _never_raises(_Trace)


class _Call:
    """The generation of one call to a model."""

    def __init__(self, generation: LangfuseGeneration) -> None:
        self._generation = generation

    @_never_raises
    def replied(self, reply: Reply, cost_usd: float | None = None) -> None:
        """Record an answer, its tokens and its cost."""
        self._generation.update(
            output=reply.text,
            model=safe_field(reply.model),
            usage_details=token_usage(reply),
            cost_details=None if cost_usd is None else {"total": cost_usd},
        )

    @_never_raises
    def validated(self, problem: str | None = None) -> None:
        """Score whether the answer has JSON that fits the schema."""
        comment = None if problem is None else safe_field(problem, STATUS_MAX)
        self._generation.score(name="valid_json", value=problem is None, data_type="BOOLEAN", comment=comment)
        if comment is not None:
            self._generation.update(level="WARNING", status_message=comment)

    @_never_raises
    def succeeded(self) -> None:
        """Score that the provider answered."""
        self._generation.score(name="provider_success", value=True, data_type="BOOLEAN")

    @_never_raises
    def failed(self, error: BaseException) -> None:
        """Record why there is no answer; cancellation is not scored."""
        if isinstance(error, ProviderError) and error.reply:
            self._generation.update(output=error.reply.text, usage_details=token_usage(error.reply))
        self._generation.update(level=error_level(error), status_message=error_message(error))
        if isinstance(error, Exception):
            self._generation.score(
                name="provider_success", value=False, data_type="BOOLEAN", comment=error_message(error)
            )

    @_never_raises
    def end(self) -> None:
        """End the generation."""
        self._generation.end()


class _SdkLogHandler(logging.Handler):
    """Logs one warning per five minutes instead of the SDK's error for every batch that it cannot send."""

    _logged_at = -_SDK_WARNING_SECONDS

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._logged_at >= _SDK_WARNING_SECONDS:
            self._logged_at = now
            log.warning("cannot send traces to Langfuse; decisions continue", reason=safe_field(record.getMessage()))


_sdk_log_handler = _SdkLogHandler(logging.WARNING)


def _redirect_sdk_logs() -> None:
    for name in ("langfuse", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.handlers = [_sdk_log_handler]
    # The SDK adds a handler that writes to stderr without redaction.
    httpx_logger.removeHandler(console_handler)
