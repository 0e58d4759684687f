"""Checks that what a reason quotes stands in the evidence, independently of the code that wrote the reason."""

import re
from collections.abc import Iterator, Mapping

from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case

_QUOTE = re.compile(r"“([^“”]*)”|「(.*?)」（")


def quotes_in(reason: str) -> list[str]:
    """Return what a reason quotes: in English “…” (field of alert), in Chinese 「…」（alert的field）."""
    return [english or chinese for english, chinese in _QUOTE.findall(reason)]


def quotes_not_found(reason: str, case: Case, metrics: GoldenSignals | None) -> list[str]:
    """Return the quotes that stand in no field of the alerts, and in no golden signal."""
    texts = list(_texts(case, metrics))
    return [quote for quote in quotes_in(reason) if not any(quote in text for text in texts)]


def _texts(case: Case, metrics: GoldenSignals | None) -> Iterator[str]:
    for alert in case.exemplars:
        for text in (alert.name, alert.message, *alert.labels.values(), *alert.annotations.values()):
            yield " ".join(text.split())
        yield from _measured(alert.metrics)
    if metrics:
        yield from _measured(metrics.model_dump(include={"rps_trend", "p99_ms"}, exclude_none=True))


def _measured(values: Mapping[str, float]) -> Iterator[str]:
    """Yield numbers with all their digits, whole ones also without a fraction."""
    for name, value in values.items():
        yield f"{name}={value}"
        yield f"{name}={value:.15g}"
