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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, ParamSpec, TypeVar

import structlog
from langfuse import Langfuse, LangfuseGeneration, propagate_attributes
from langfuse.logger import console_handler, httpx_logger
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased

from openclaw_stream import __version__
from openclaw_stream.arbitration.providers.base import Prompt, ProviderError, Reply
from openclaw_stream.arbitration.verdict import Verdict
from openclaw_stream.incidents.case import Case
from openclaw_stream.settings.langfuse import LangfuseSettings
from openclaw_stream.telemetry.redaction import redact
from openclaw_stream.telemetry.tracing import Call, NoCall, NoRecorder, Recorder

log = structlog.get_logger(__name__)

TEXT_MAX: Final = 32_768
"""Characters of a text that are looked at; a model that runs wild says a million."""
_MARGIN: Final = 4096
_PROPAGATED_MAX: Final = 150
"""Characters; the SDK drops a propagated value of more than 200 as JSON."""
_STATUS_MAX: Final = 1000
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
            mask=_mask,
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
        self._shared: dict[str, Any] = {
            "trace_name": "decision",
            "session_id": _safe(case.incident_id, _PROPAGATED_MAX).encode("ascii", "replace").decode(),
            "metadata": _describe(case, order),
        }
        with propagate_attributes(**self._shared):
            self._root = client.start_observation(name="decision", as_type="span", input=_summarize(case))

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
                name=redact(provider),
                as_type="generation",
                model=redact(model),
                input=messages,
                metadata={"prompt_version": prompt.version},
            )
        return _Call(generation)

    @_quiet
    def decided(self, verdict: Verdict) -> None:
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
        self._root.update(level=_level(error), status_message=_status(error))

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
            model=redact(reply.model),
            usage_details=_usage(reply),
            cost_details=None if cost_usd is None else {"total": cost_usd},
        )

    @_quiet
    def validated(self, problem: str | None = None) -> None:
        """Score whether the answer had JSON of the schema."""
        comment = None if problem is None else _safe(problem, _STATUS_MAX)
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
            self._generation.update(output=error.reply.text, usage_details=_usage(error.reply))
        self._generation.update(level=_level(error), status_message=_status(error))
        if isinstance(error, Exception):
            self._generation.score(name="provider_success", value=False, data_type="BOOLEAN", comment=_status(error))

    @_quiet
    def end(self) -> None:
        """End the generation."""
        self._generation.end()


def _mask(*, data: Any, **_: Any) -> Any:
    """Redact every text of inputs, outputs and metadata, however deep; the SDK's mask signature."""
    match data:
        case str():
            return _safe(data)
        case Mapping():
            return {_safe(str(key)): _mask(data=value) for key, value in data.items()}
        case list() | tuple():
            return [_mask(data=value) for value in data]
        case None | bool() | int() | float():
            return data
        case _:
            return _safe(str(data))


@functools.lru_cache(maxsize=64)  # the system prompt is the same in every call, and the longest of its texts
def _safe(text: str, longest: int = TEXT_MAX) -> str:
    safe = redact(text[:TEXT_MAX])
    if len(text) > TEXT_MAX:  # half a secret before the cut has no sign any more
        safe = f"{safe[:-_MARGIN]}… ({len(text)} characters)"
    return safe if len(safe) <= longest else f"{safe[:longest]}…"


def _describe(case: Case, order: Sequence[str]) -> dict[str, str | int]:
    fingerprint = next((exemplar.fingerprint for exemplar in case.exemplars if exemplar.fingerprint), "")
    return {
        "group_key": _safe(case.group_key, _PROPAGATED_MAX),
        "fingerprint": _safe(fingerprint, _PROPAGATED_MAX),
        "revision": case.revision,
        "fallback_order": _safe(",".join(order), _PROPAGATED_MAX),
    }


def _summarize(case: Case) -> dict[str, Any]:
    """Return what an incident is about; the alerts themselves are in the prompts."""
    return {
        "incident_id": case.incident_id,
        "revision": case.revision,
        "namespace": case.namespace,
        "service": case.service,
        "severity": case.severity.name,
        "alert_count": case.alert_count,
        "distinct_alerts": case.distinct_alerts,
        "alert_names": case.alert_names,
        "services": case.services,
        "flaps": case.flaps,
    }


def _usage(reply: Reply) -> dict[str, int] | None:
    """Return tokens by kind; Langfuse adds the kinds up, so none may be counted in another."""
    cached, written = reply.cached_tokens or 0, reply.cache_write_tokens or 0
    kinds = {
        "input": None if reply.input_tokens is None else max(reply.input_tokens - cached - written, 0),
        "input_cached_tokens": cached or None,
        "input_cache_creation": written or None,
        "output": reply.output_tokens,
    }
    return {kind: count for kind, count in kinds.items() if count is not None} or None


def _level(error: BaseException) -> Literal["ERROR", "WARNING"]:
    return "ERROR" if isinstance(error, Exception) else "WARNING"


def _status(error: BaseException) -> str:
    kind = error.failure.value if isinstance(error, ProviderError) else type(error).__name__
    return _safe(f"{kind}: {error}", _STATUS_MAX)


class _Complaints(logging.Handler):
    """Says in a line of our own, and seldom, what the SDK repeats with every batch it cannot deliver."""

    _said_at = -_COMPLAIN_EVERY

    def emit(self, record: logging.LogRecord) -> None:
        now = time.monotonic()
        if now - self._said_at >= _COMPLAIN_EVERY:
            self._said_at = now
            log.warning("Langfuse does not take the traces; decisions go on", reason=_safe(record.getMessage()))


_complaints = _Complaints(logging.WARNING)


def _hush() -> None:
    for name in ("langfuse", "opentelemetry"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.WARNING)
        logger.propagate = False
        logger.handlers = [_complaints]
    # The SDK has given this library's log a way to stderr past our cleaning.
    httpx_logger.removeHandler(console_handler)
