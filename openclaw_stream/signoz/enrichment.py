"""The golden signals of an incident's service at the time of the incident, and a link to its traces."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.resilience.circuit_breaker import CircuitBreaker, CircuitOpenError
from openclaw_stream.resilience.ttl_cache import TtlCache
from openclaw_stream.settings.signoz import SigNozSettings
from openclaw_stream.signoz.client import SigNozClient, SigNozError
from openclaw_stream.signoz.query import query_body
from openclaw_stream.signoz.query_target import QueryTarget, Window, subject_of, window_of
from openclaw_stream.signoz.response import QueryResult, QueryRow, names_unknown_namespace, read_response
from openclaw_stream.signoz.trace_link import traces_url
from openclaw_stream.text import Hidden, safe_text

log = structlog.get_logger(__name__)

_FAILURES = 3
_COOLDOWN_SECONDS = 30.0
_CONCURRENCY = 8
_CACHE_ENTRIES = 1024
_CACHE_SECONDS = 60.0
_NANOSECONDS_PER_MS = 1e6
_REASON_MAX = 400
_CHECK_SUBJECT = QueryTarget(("openclaw-stream-check",), "")


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What SigNoz adds to a case; both fields are None if it is not configured."""

    metrics: GoldenSignals | None
    trace_url: str | None


@dataclass(frozen=True, slots=True)
class _Lookup:
    """An enrichment, and whether SigNoz answered; a failed lookup is not cached."""

    enrichment: Enrichment
    answered: bool


class SigNoz:
    """Golden signals from SigNoz: two queries for a case, none if services and window are cached.

    After three failures in a row the circuit opens, and one case per half minute queries SigNoz. At most eight cases
    query at the same time; waiting for the others counts towards the timeout, but not as a failure of SigNoz.
    """

    def __init__(self, settings: SigNozSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = settings.url or ""
        self._timeout = settings.timeout
        key = settings.api_key.get_secret_value() if settings.api_key else None
        self._client = SigNozClient(self._url, key)
        self._breaker = CircuitBreaker(_FAILURES, _COOLDOWN_SECONDS, clock)
        self._semaphore = asyncio.Semaphore(_CONCURRENCY)
        self._recent: TtlCache[tuple[QueryTarget, Window], _Lookup] = TtlCache(
            _CACHE_ENTRIES, _CACHE_SECONDS, lambda lookup: lookup.answered, clock
        )

    @property
    def configured(self) -> bool:
        """Whether SIGNOZ_URL is set."""
        return bool(self._url)

    async def golden_signals(self, case: Case) -> Enrichment:
        """Return the golden signals of a case, or why there are none; raises nothing but cancellation.

        The service is the first of the names in the alerts with traffic in the window, else in the previous window.
        RPS and P99 are those of calls to the service, not of the spans inside it.
        """
        if not self.configured:
            return Enrichment(None, None)
        subject, window = subject_of(case), window_of(case)
        if not subject.services:
            return self._unavailable("the alerts name no service", window)
        lookup = await self._recent.get((subject, window), lambda: self._look_up(subject, window))
        return lookup.enrichment

    async def check(self) -> None:
        """Send a query that is cheap for SigNoz.

        Raises:
            SigNozError: SigNoz is not configured or does not answer; the message says what to do.
        """
        if not self.configured:
            raise SigNozError("SIGNOZ_URL is not set: decisions are made without golden signals")
        now = int(time.time() * 1000)
        deadline = asyncio.get_running_loop().time() + self._timeout
        await self._client.query(query_body(_CHECK_SUBJECT, Window(now - 60_000, now)), deadline)

    async def close(self) -> None:
        """Cancel running queries, and close the connections."""
        await self._recent.close()
        await self._client.close()

    async def _look_up(self, subject: QueryTarget, window: Window) -> _Lookup:
        try:
            return _Lookup(await self._query_limited(subject, window), answered=True)
        except SigNozError as error:
            return _Lookup(self._unavailable(str(error), window), answered=False)
        except Exception as error:
            # A defect here must not fail the decision.
            log.exception("golden signals failed", services=_service_names(subject))
            return _Lookup(self._unavailable(f"the lookup failed with {type(error).__name__}", window), answered=False)

    async def _query_limited(self, subject: QueryTarget, window: Window) -> Enrichment:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(deadline):
                await self._semaphore.acquire()
        except TimeoutError:
            raise SigNozError("too many other cases are waiting for SigNoz") from None
        try:
            return await self._query_guarded(subject, window, deadline)
        finally:
            self._semaphore.release()

    async def _query_guarded(self, subject: QueryTarget, window: Window, deadline: float) -> Enrichment:
        try:
            with self._breaker.attempt(_is_failure):
                return await self._query_windows(subject, window, deadline)
        except CircuitOpenError:
            raise SigNozError("SigNoz circuit open after repeated failures") from None
        except SigNozError as error:
            log.warning("no golden signals", services=_service_names(subject), reason=str(error))
            raise

    async def _query_windows(self, subject: QueryTarget, window: Window, deadline: float) -> Enrichment:
        current, previous = await asyncio.gather(
            self._query(subject, window, deadline),
            self._query_if_possible(subject, window.previous, deadline),
            return_exceptions=True,  # both end with this call
        )
        if isinstance(current, BaseException):
            raise current
        if isinstance(previous, BaseException):
            raise previous
        if current.namespace_unknown and subject.namespace:
            return await self._query_windows(subject.any_namespace(), window, deadline)
        return self._enrichment(subject, window, current, previous)

    async def _query(self, subject: QueryTarget, window: Window, deadline: float) -> QueryResult:
        try:
            return read_response(await self._client.query(query_body(subject, window), deadline), subject)
        except SigNozError as error:
            if error.rejected_query and names_unknown_namespace(error.server_message):
                return QueryResult({}, namespace_unknown=True)
            raise

    async def _query_if_possible(self, subject: QueryTarget, window: Window, deadline: float) -> QueryResult | None:
        try:
            return await self._query(subject, window, deadline)
        except SigNozError:
            return None

    def _enrichment(
        self, subject: QueryTarget, window: Window, current: QueryResult, previous: QueryResult | None
    ) -> Enrichment:
        previous_rows = previous.rows if previous else {}
        service = next(
            (name for rows in (current.rows, previous_rows) for name in subject.services if name in rows), None
        )
        if service is None:
            where = f" in namespace {subject.namespace}" if subject.namespace else ""
            return self._unavailable(f"SigNoz has no recent traffic of {_service_names(subject)}{where}", window)
        signals = _signals(current.rows.get(service, QueryRow(0, None, None)), previous_rows.get(service), window)
        return Enrichment(signals, traces_url(self._url, window, service, subject.namespace))

    def _unavailable(self, reason: str, window: Window) -> Enrichment:
        return Enrichment(
            GoldenSignals(unavailable=safe_text(reason, _REASON_MAX, hidden=Hidden.ESCAPE)),
            traces_url(self._url, window),
        )


def _is_failure(error: Exception) -> bool | None:
    """Return whether an error is a failure of SigNoz: a rejected query is not. None for other errors."""
    return not error.rejected_query if isinstance(error, SigNozError) else None


def _service_names(subject: QueryTarget) -> str:
    return safe_text(", ".join(subject.services), _REASON_MAX, hidden=Hidden.ESCAPE)


def _signals(row: QueryRow, previous: QueryRow | None, window: Window) -> GoldenSignals:
    return GoldenSignals(
        rps=round(row.count / window.seconds, 3),
        rps_trend=round(row.count / previous.count - 1, 4) if previous else None,
        error_rate=round(100 * row.errors / row.count, 3) if row.errors is not None and row.count else None,
        p99_ms=round(row.p99 / _NANOSECONDS_PER_MS, 3) if row.p99 is not None else None,
    )
