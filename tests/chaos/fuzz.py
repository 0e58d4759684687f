"""Fuzz: malformed records for one worker, which must fold each as an alert or write it to the dead letters.

Records are classified independently of the program: by another JSON parser, and by the published schema of an alert.
"""

import contextlib
import json
import math
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft202012Validator

from tests.chaos.feeder import Feeder
from tests.chaos.mutations import fuzz
from tests.chaos.offsets import committed_offsets
from tests.chaos.outputs import SCHEMAS, Collector, Outputs, headers_of, read
from tests.chaos.testbed import Servers, Testbed

_SETTLE_SECONDS = 900
Nature = Literal["alert", "poison", "either"]
Source = tuple[int, int]

_PATIENT = {"KAFKA_SESSION_TIMEOUT": "15", "KAFKA_TRANSACTION_TIMEOUT": "20"}
"""No fault is injected here: a worker that restarts a partition has a defect, and shows it by counting twice."""


@dataclass(slots=True)
class Fuzzed:
    """The result of a run; `natures` counts the records by class."""

    records: int = 0
    natures: Counter[str] = field(default_factory=Counter)
    dead: int = 0
    incidents: int = 0
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        natures = ", ".join(f"{nature} {times:,}" for nature, times in self.natures.items())
        yield f"fuzz: {self.records:,} records in {self.seconds:.0f} s ({natures})"
        yield f"  dead letters {self.dead:,}, incidents {self.incidents:,}, problems {len(self.problems)}"
        yield from (f"  problem: {problem[:400]}" for problem in self.problems[:40])


def run_fuzz(servers: Servers, folder: Path, seed: int, records: int) -> Fuzzed:
    """Produce malformed records for one worker, and account for each of them."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    testbed = Testbed(servers, folder, seed, settings=_PATIENT)
    testbed.create()
    testbed.run.save(folder)
    feeder = Feeder(testbed, fuzz(seed, records, testbed.run.partitions), lambda: 1 << 62)
    outcome = Fuzzed()
    try:
        testbed.fleet.start()
        feeder.start()
        feeder.join()
        if not testbed.settle(_SETTLE_SECONDS):
            at = f"committed {committed_offsets(testbed.run)}, ends {testbed.ends()}"
            outcome.problems.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
        counted = _worker_metrics(testbed)
        testbed.fleet.stop()
    finally:
        testbed.fleet.kill()
    outcome.problems += [*testbed.fleet.problems, *feeder.failed[:5]]
    if testbed.fleet.started > 1:
        outcome.problems.append(f"{testbed.fleet.started} workers were needed, not one")
    _account(outcome, testbed, counted)
    outcome.seconds = time.monotonic() - started
    (folder / "report.txt").write_text("\n".join(outcome.lines()))
    return outcome


def _worker_metrics(testbed: Testbed) -> Counter[str]:
    """Return the metrics of the one worker; none if it does not exist, which is reported elsewhere."""
    with contextlib.suppress(OSError, IndexError):
        return metrics(testbed.fleet.workers[0].http)
    return Counter()


def metrics(address: str) -> Counter[str]:
    """Return a worker's metrics as whole numbers, added up over their labels; `firing` are the alerts that fire."""
    totals: Counter[str] = Counter()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            name, _, value = line.rpartition(" ")
            if not line.startswith("#") and math.isfinite(float(value)):  # a limit that is not set is infinite
                totals[name.split("{")[0]] += int(float(value))
                if name.startswith("openclaw_alerts_total") and 'status="firing"' in name:
                    totals["firing"] += int(float(value))
    return totals


def _account(outcome: Fuzzed, testbed: Testbed, counted: Counter[str]) -> None:
    outputs = Collector(testbed.run).collect()
    outcome.problems += [f"invalid by its schema: {what}" for what in outputs.invalid]
    outcome.dead = len(outputs.dead)
    outcome.incidents = len({state.incident for state in outputs.states if state.incident})
    letters = {letter.source: letter for letter in outputs.dead}
    if len(letters) != len(outputs.dead):
        outcome.problems.append(f"{len(outputs.dead) - len(letters)} records are in the dead letters twice")
    classify = _classifier()
    tombstones, alive = 0, {state.group for state in outputs.states}
    for message in read(testbed.run.bootstrap, testbed.run.topics["alerts"])[0]:
        outcome.records += 1
        source = message.partition() or 0, message.offset() or 0
        value, letter = message.value(), letters.pop(source, None)
        value = value.encode() if isinstance(value, str) else value
        tombstones += value is None
        nature = classify(value)
        outcome.natures[nature] += 1
        if (nature == "alert" and letter) or (nature == "poison" and not letter):
            how = "is in" if letter else "is not in"
            outcome.problems.append(f"{source} {how} the dead letters, and is: {nature} {(value or b'')[:200]!r}")
        if letter and (letter.value, letter.key, letter.headers) != (value, _key(message.key()), headers_of(message)):
            outcome.problems.append(f"the dead letter of {source} differs from its record")
        group = _control(value)
        if group and group not in alive:
            outcome.problems.append(f"the control at {source} has no incident")
    outcome.problems += [f"a dead letter of {source}, where there is no record" for source in letters]
    _compare(outcome, outputs, counted, tombstones)


def _compare(outcome: Fuzzed, outputs: Outputs, counted: Counter[str], tombstones: int) -> None:
    """Compare the worker's own counts with what was produced and published."""
    last = {state.incident: state.alerts for state in outputs.states if state.incident}
    firing, every = counted["firing"], counted["openclaw_alerts_total"]
    wanted = {
        "openclaw_records_total": outcome.records,
        "openclaw_tombstones_total": tombstones,
        "openclaw_dead_letters_total": outcome.dead,
    }
    for name, number in wanted.items():
        if counted[name] != number:
            outcome.problems.append(f"{name} is {counted[name]}, expected {number}")
    if not firing <= sum(last.values()) <= every:
        outcome.problems.append(f"the states count {sum(last.values())} alerts, of {every} read, {firing} fire")


def _classifier() -> Callable[[bytes | None], Nature]:
    """Return the function that classifies a record: certainly an alert, certainly poison, or either.

    Damaged encodings, frames and odd fields are mended where that gives an alert, so that only a record without any
    JSON object is certainly poison.
    """
    schema = Draft202012Validator(json.loads((SCHEMAS / "alert.v1.json").read_text()))

    def classify(value: bytes | None) -> Nature:
        if value is None:
            return "either"
        if b"{" not in value and b"\\u007b" not in value.lower():
            return "poison"
        try:
            document = json.loads(value.decode(), parse_constant=_refuse)
        except (ValueError, RecursionError):
            return "either"
        if not isinstance(document, dict):
            return "either"
        plain = not document.keys() & {"alerts", "specversion"}
        return "alert" if plain and _sound(value) and schema.is_valid(document) else "either"

    return classify


def _sound(value: bytes) -> bool:
    """Return whether all parsers read it alike: no half of a surrogate pair, no number beyond a float, not too deep."""
    return b"\\ud" not in value.lower() and b"e4" not in value and value.count(b"[") + value.count(b"{") < 1_000


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _control(value: bytes | None) -> str:
    """Return the group of a control record, empty for any other."""
    if value is None or b'"Control"' not in value:
        return ""
    return "chaos/" + str(json.loads(value)["service"])


def _key(key: str | bytes | None) -> bytes | None:
    return key.encode() if isinstance(key, str) else key
