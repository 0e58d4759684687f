"""What Langfuse is told of a decision, fit to leave the process."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from openclaw_stream.arbitration.llm.providers.base import ProviderError, Reply
from openclaw_stream.incidents.case import Case
from openclaw_stream.text.redaction import redact_start

TEXT_MAX: Final = 32_768
"""Characters of a text that are looked at; a model that runs wild says a million."""
STATUS_MAX: Final = 1000
_NOTE_MAX: Final = 100
_PROPAGATED_MAX: Final = 150
"""Characters; the SDK drops a propagated value of more than 200 as JSON."""


def mask(*, data: Any, **_: Any) -> Any:
    """Redact every text of inputs, outputs and metadata, however deep; the SDK's mask signature."""
    match data:
        case str():
            return safe(data)
        case Mapping():
            return {safe(str(key)): mask(data=value) for key, value in data.items()}
        case list() | tuple():
            return [mask(data=value) for value in data]
        case None | bool() | int() | float():
            return data
        case _:
            return safe(str(data))


@functools.lru_cache(maxsize=64)  # the system prompt is the same in every call, and the longest of its texts
def safe(text: str, longest: int = TEXT_MAX) -> str:
    """Return a text without secrets, cut to about `longest` characters."""
    shown = redact_start(text, TEXT_MAX)
    if len(text) > TEXT_MAX:
        shown = f"{shown[: TEXT_MAX - _NOTE_MAX]}… ({len(text)} characters)"
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def describe(case: Case, order: Sequence[str]) -> dict[str, Any]:
    """Return what every observation of a decision bears, as `propagate_attributes` takes it; redacted."""
    fingerprint = next((exemplar.fingerprint for exemplar in case.exemplars if exemplar.fingerprint), "")
    return {
        "trace_name": "decision",
        "session_id": safe(case.incident_id, _PROPAGATED_MAX).encode("ascii", "replace").decode(),
        "metadata": {
            "group_key": safe(case.group_key, _PROPAGATED_MAX),
            "fingerprint": safe(fingerprint, _PROPAGATED_MAX),
            "revision": case.revision,
            "fallback_order": safe(",".join(order), _PROPAGATED_MAX),
        },
    }


def summarize(case: Case) -> dict[str, Any]:
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


def usage(reply: Reply) -> dict[str, int] | None:
    """Return tokens by kind; Langfuse adds the kinds up, so none may be counted in another."""
    cached, written = reply.cached_tokens or 0, reply.cache_write_tokens or 0
    kinds = {
        "input": None if reply.input_tokens is None else max(reply.input_tokens - cached - written, 0),
        "input_cached_tokens": cached or None,
        "input_cache_creation": written or None,
        "output": reply.output_tokens,
    }
    return {kind: count for kind, count in kinds.items() if count is not None} or None


def level(error: BaseException) -> Literal["ERROR", "WARNING"]:
    """Return how grave an error is; who is cancelled has not failed."""
    return "ERROR" if isinstance(error, Exception) else "WARNING"


def status(error: BaseException) -> str:
    """Return what an error says, redacted."""
    kind = error.failure.value if isinstance(error, ProviderError) else type(error).__name__
    return safe(f"{kind}: {error}", STATUS_MAX)
