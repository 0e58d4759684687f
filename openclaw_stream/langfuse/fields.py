"""The fields of traces: redacted, and cut to the sizes that Langfuse accepts."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from openclaw_stream.arbitration.llm.providers.base import ProviderError, Reply
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import Hidden, safe_text

TEXT_MAX: Final = 32_768
"""Characters of a text; an answer of a faulty model may have a million."""
STATUS_MAX: Final = 1000
_PROPAGATED_MAX: Final = 150
"""Characters; the SDK drops a propagated value of more than 200 as JSON."""


def mask(*, data: Any, **_: Any) -> Any:
    """Redact all texts of inputs, outputs and metadata, nested ones too; the signature of the SDK's mask."""
    match data:
        case str():
            return safe_field(data)
        case Mapping():
            return {safe_field(str(key)): mask(data=value) for key, value in data.items()}
        case list() | tuple():
            return [mask(data=value) for value in data]
        case None | bool() | int() | float():
            return data
        case _:
            return safe_field(str(data))


@functools.lru_cache(maxsize=64)  # the system prompt is the same in every call, and the longest text
def safe_field(text: str, limit: int = TEXT_MAX) -> str:
    """Return a text without secrets, at most `limit` characters long, as a trace shows it."""
    return safe_text(text, limit, hidden=Hidden.KEEP, show_length=True)


def trace_attributes(case: Case, order: Sequence[str]) -> dict[str, Any]:
    """Return the attributes of all observations of a decision, redacted, as arguments of `propagate_attributes`."""
    fingerprint = next((exemplar.fingerprint for exemplar in case.exemplars if exemplar.fingerprint), "")
    return {
        "trace_name": "decision",
        "session_id": safe_field(case.incident_id, _PROPAGATED_MAX).encode("ascii", "replace").decode(),
        "metadata": {
            "group_key": safe_field(case.group_key, _PROPAGATED_MAX),
            "fingerprint": safe_field(fingerprint, _PROPAGATED_MAX),
            "revision": case.revision,
            "fallback_order": safe_field(",".join(order), _PROPAGATED_MAX),
        },
    }


def case_summary(case: Case) -> dict[str, Any]:
    """Return the incident of a case, without its alerts, which are in the prompts."""
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


def token_usage(reply: Reply) -> dict[str, int] | None:
    """Return tokens by kind; Langfuse sums the kinds, so each token is counted in one kind only."""
    cached, written = reply.cached_tokens or 0, reply.cache_write_tokens or 0
    kinds = {
        "input": None if reply.input_tokens is None else max(reply.input_tokens - cached - written, 0),
        "input_cached_tokens": cached or None,
        "input_cache_creation": written or None,
        "output": reply.output_tokens,
    }
    return {kind: count for kind, count in kinds.items() if count is not None} or None


def error_level(error: BaseException) -> Literal["ERROR", "WARNING"]:
    """Return the level of an error; cancellation is not a failure."""
    return "ERROR" if isinstance(error, Exception) else "WARNING"


def error_message(error: BaseException) -> str:
    """Return the kind and the message of an error, redacted."""
    kind = error.failure.value if isinstance(error, ProviderError) else type(error).__name__
    return safe_field(f"{kind}: {error}", STATUS_MAX)
