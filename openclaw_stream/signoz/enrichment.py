"""The golden signals of an incident's service at the incident's own time, and a link to its traces."""

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
from openclaw_stream.signoz.client import Client, SigNozError
from openclaw_stream.signoz.query import body
from openclaw_stream.signoz.response import QueryResult, QueryRow, names_unknown_namespace, read
from openclaw_stream.signoz.subject import QueryTarget, Window, subject_of, window_of
from openclaw_stream.signoz.trace_link import explorer
from openclaw_stream.text import Hidden, safe_text

log = structlog.get_logger(__name__)

_FAILURES = 3
_COOLDOWN = 30.0
_SLOTS = 8
_REMEMBERED = 1024
_REMEMBERED_SECONDS = 60.0
_NANOSECONDS = 1e6
_REASON_MAX = 400
_NOBODY = QueryTarget(("openclaw-stream-check",), "")


@dataclass(frozen=True, slots=True)
class Enrichment:
    """What SigNoz adds to a case; both are None where it is not configured."""

    metrics: GoldenSignals | None
    trace_url: str | None


@dataclass(frozen=True, slots=True)
class _Finding:
    """An enrichment, and whether SigNoz answered; the failure to answer is not remembered."""

    enrichment: Enrichment
    answered: bool


class SigNoz:
    """Asks SigNoz, two queries for a case as a rule and none for one like a recent one.

    While SigNoz fails it is left alone: after three failures in a row one case in half a minute asks it. At most eight
    cases ask at the same time; waiting for the others counts towards the timeout, but not against SigNoz.
    """

    def __init__(self, settings: SigNozSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = settings.url or ""
        self._timeout = settings.timeout
        key = settings.api_key.get_secret_value() if settings.api_key else None
        self._client = Client(self._url, key)
        self._breaker = CircuitBreaker(_FAILURES, _COOLDOWN, clock)
        self._slots = asyncio.Semaphore(_SLOTS)
        self._recent: TtlCache[tuple[QueryTarget, Window], _Finding] = TtlCache(
            _REMEMBERED, _REMEMBERED_SECONDS, lambda finding: finding.answered, clock
        )

    @property
    def configured(self) -> bool:
        """Whether there is a SigNoz to ask."""
        return bool(self._url)

    async def golden_signals(self, case: Case) -> Enrichment:
        """Return the golden signals of a case, or why there are none; never raises but for cancellation.

        The first of the names the alerts give that had traffic in the window, or else in the one before, is the
        service. RPS and P99 are of the calls to it, not of the spans inside it.
        """
        if not self.configured:
            return Enrichment(None, None)
        subject, window = subject_of(case), window_of(case)
        if not subject.services:
            return self._without("the alerts name no service", window)
        finding = await self._recent.get((subject, window), lambda: self._find(subject, window))
        return finding.enrichment

    async def check(self) -> None:
        """Ask SigNoz something that costs it nothing.

        Raises:
            SigNozError: It is not configured or does not answer; the message says what to do.
        """
        if not self.configured:
            raise SigNozError("SIGNOZ_URL is not set: decisions are made without golden signals")
        now = int(time.time() * 1000)
        deadline = asyncio.get_running_loop().time() + self._timeout
        await self._client.query(body(_NOBODY, Window(now - 60_000, now)), deadline)

    async def close(self) -> None:
        """Give up what is being asked, and close the connections."""
        await self._recent.close()
        await self._client.close()

    async def _find(self, subject: QueryTarget, window: Window) -> _Finding:
        try:
            return _Finding(await self._ask_in_turn(subject, window), answered=True)
        except SigNozError as error:
            return _Finding(self._without(str(error), window), answered=False)
        except Exception as error:
            # A fault of ours must not cost the decision.
            log.exception("golden signals failed", services=_shown(subject))
            return _Finding(self._without(f"the lookup failed with {type(error).__name__}", window), answered=False)

    async def _ask_in_turn(self, subject: QueryTarget, window: Window) -> Enrichment:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise SigNozError("too many other cases ask SigNoz") from None
        try:
            return await self._ask_with_care(subject, window, deadline)
        finally:
            self._slots.release()

    async def _ask_with_care(self, subject: QueryTarget, window: Window, deadline: float) -> Enrichment:
        try:
            with self._breaker.attempt(_is_failure):
                return await self._ask(subject, window, deadline)
        except CircuitOpenError:
            raise SigNozError("SigNoz circuit open after repeated failures") from None
        except SigNozError as error:
            log.warning("no golden signals", services=_shown(subject), reason=str(error))
            raise

    async def _ask(self, subject: QueryTarget, window: Window, deadline: float) -> Enrichment:
        now, before = await asyncio.gather(
            self._query(subject, window, deadline),
            self._query_if_possible(subject, window.before, deadline),
            return_exceptions=True,  # neither outlives this call
        )
        if isinstance(now, BaseException):
            raise now
        if isinstance(before, BaseException):
            raise before
        if now.namespace_unknown and subject.namespace:
            return await self._ask(subject.anywhere(), window, deadline)
        return self._enrichment(subject, window, now, before)

    async def _query(self, subject: QueryTarget, window: Window, deadline: float) -> QueryResult:
        try:
            return read(await self._client.query(body(subject, window), deadline), subject)
        except SigNozError as error:
            if error.refused and names_unknown_namespace(error.said):
                return QueryResult({}, namespace_unknown=True)
            raise

    async def _query_if_possible(self, subject: QueryTarget, window: Window, deadline: float) -> QueryResult | None:
        try:
            return await self._query(subject, window, deadline)
        except SigNozError:
            return None

    def _enrichment(
        self, subject: QueryTarget, window: Window, now: QueryResult, before: QueryResult | None
    ) -> Enrichment:
        earlier = before.rows if before else {}
        service = next((name for rows in (now.rows, earlier) for name in subject.services if name in rows), None)
        if service is None:
            where = f" in namespace {subject.namespace}" if subject.namespace else ""
            return self._without(f"SigNoz has no recent traffic of {_shown(subject)}{where}", window)
        signals = _signals(now.rows.get(service, QueryRow(0, None, None)), earlier.get(service), window)
        return Enrichment(signals, explorer(self._url, window, service, subject.namespace))

    def _without(self, reason: str, window: Window) -> Enrichment:
        return Enrichment(
            GoldenSignals(unavailable=safe_text(reason, _REASON_MAX, hidden=Hidden.ESCAPE)), explorer(self._url, window)
        )


def _is_failure(error: Exception) -> bool | None:
    """Return whether an error is a failure of SigNoz; it answers where it refuses a query."""
    return not error.refused if isinstance(error, SigNozError) else None


def _shown(subject: QueryTarget) -> str:
    return safe_text(", ".join(subject.services), _REASON_MAX, hidden=Hidden.ESCAPE)


def _signals(row: QueryRow, before: QueryRow | None, window: Window) -> GoldenSignals:
    return GoldenSignals(
        rps=round(row.count / window.seconds, 3),
        rps_trend=round(row.count / before.count - 1, 4) if before else None,
        error_rate=round(100 * row.errors / row.count, 3) if row.errors is not None and row.count else None,
        p99_ms=round(row.p99 / _NANOSECONDS, 3) if row.p99 is not None else None,
    )
