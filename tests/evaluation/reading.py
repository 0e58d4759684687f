"""Draws labelled incidents for a reading, and decides them as the worker does where no model answers."""

import asyncio
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.case import Case
from openclaw_stream.settings import SigNozSettings
from openclaw_stream.signoz import Enrichment, SigNoz
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import Language
from tests.evaluation.dataset import Labelled, NoDataError, load

_SECONDS = 60.0


class Reading(NamedTuple):
    """One decision to read: the name of its data set, the labelled incident and the result."""

    dataset: str
    line: Labelled
    result: ArbitrationResult


class RecordedSignals(SigNoz):
    """The golden signals that were recorded with incidents, in place of queries."""

    def __init__(self, lines: Iterable[Labelled]) -> None:
        super().__init__(SigNozSettings(url=None))
        self._signals = {line.id: line.signals for line in lines}

    async def golden_signals(self, case: Case) -> Enrichment:
        """Return the recorded signals of a case, whose group key is the id of its line."""
        return Enrichment(self._signals[case.group_key], None)


def draw(paths: Sequence[Path], count: int, seed: int) -> list[tuple[str, Labelled]]:
    """Return `count` incidents with the names of their data sets, in equal shares; the last one has the remainder.

    Raises:
        NoDataError: A file does not exist, or has fewer lines than its share.
    """
    share, remainder = divmod(count, len(paths))
    drawn: list[tuple[str, Labelled]] = []
    for path in paths:
        wanted = share + (remainder if path == paths[-1] else 0)
        lines = load(path)
        if len(lines) < wanted:
            raise NoDataError(f"{path} has {len(lines)} lines, {wanted} are wanted: give a lower --count")
        drawn += [(path.stem, line) for line in _random(f"{seed} {path.stem}").sample(lines, wanted)]
    _random(f"{seed}").shuffle(drawn)
    return drawn


def _random(seed: str) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same draw for the same seed


def decide(drawn: Sequence[tuple[str, Labelled]], language: Language) -> list[Reading]:
    """Decide each incident by the arbiter without models: rules, validation, gate and tuning."""
    return asyncio.run(_decide(drawn, language))


async def _decide(drawn: Sequence[tuple[str, Labelled]], language: Language) -> list[Reading]:
    signals = RecordedSignals(line for _, line in drawn)
    arbiter = Arbiter(language, _SECONDS, signals, Metrics().golden_signals)
    readings = [Reading(dataset, line, await arbiter.decide(line.case)) for dataset, line in drawn]
    await signals.close()
    return readings
