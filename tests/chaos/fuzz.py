"""Fuzz: malformed records for one worker, which must take each as an alert or write it to the dead letters.

What a record is, is judged from outside: by a JSON parser of another make, and by the published schema of an alert.
"""

import contextlib
import json
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
from tests.chaos.stage import Servers, Stage

_SETTLE_SECONDS = 900
_ABREAST = 20_000
Nature = Literal["alert", "poison", "either"]
Source = tuple[int, int]

_PATIENT = {"KAFKA_SESSION_TIMEOUT": "15", "KAFKA_TRANSACTION_TIMEOUT": "20"}
"""Nothing is broken here, so a worker that begins again has a fault of its own, and shows it by counting twice."""


@dataclass(slots=True)
class Fuzzed:
    """How a run went; `natures` counts the records by what they are."""

    records: int = 0
    natures: Counter[str] = field(default_factory=Counter)
    dead: int = 0
    incidents: int = 0
    complaints: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def lines(self) -> Iterator[str]:
        """Yield what is to be told of it."""
        told = ", ".join(f"{nature} {times:,}" for nature, times in self.natures.items())
        yield f"fuzz: {self.records:,} records in {self.seconds:.0f} s ({told})"
        yield f"  dead letters {self.dead:,}, incidents {self.incidents:,}, complaints {len(self.complaints)}"
        yield from (f"  complaint: {complaint[:400]}" for complaint in self.complaints[:40])


def play(servers: Servers, folder: Path, seed: int, records: int) -> Fuzzed:
    """Feed malformed records to one worker, and account for each of them."""
    folder.mkdir(parents=True)
    started = time.monotonic()
    stage = Stage(servers, folder, seed, settings=_PATIENT)
    stage.create()
    stage.run.save(folder)
    feeder = Feeder(stage, fuzz(seed, records, stage.run.partitions), lambda: 1 << 62)
    outcome = Fuzzed()
    try:
        stage.fleet.start()
        feeder.start()
        feeder.join()
        if not stage.settle(_SETTLE_SECONDS):
            at = f"committed {committed_offsets(stage.run)}, ends {stage.ends()}"
            outcome.complaints.append(f"not settled within {_SETTLE_SECONDS} s: {at}")
        told = _told(stage)
        stage.fleet.stop()
    finally:
        stage.fleet.kill()
    outcome.complaints += [*stage.fleet.complaints, *feeder.failed[:5]]
    if stage.fleet.started > 1:
        outcome.complaints.append(f"{stage.fleet.started} workers were needed, not one")
    _account(outcome, stage, told)
    outcome.seconds = time.monotonic() - started
    (folder / "report.txt").write_text("\n".join(outcome.lines()))
    return outcome


def _told(stage: Stage) -> Counter[str]:
    """Return the metrics of the one worker; none where it is not there, which is complained of elsewhere."""
    with contextlib.suppress(OSError, IndexError):
        return metrics(stage.fleet.workers[0].http)
    return Counter()


def metrics(address: str) -> Counter[str]:
    """Return a worker's metrics as whole numbers, added up over their labels; `firing` are the alerts that fire."""
    totals: Counter[str] = Counter()
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        for line in answer.read().decode().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                totals[name.split("{")[0]] += int(float(value))
                if name.startswith("openclaw_alerts_total") and 'status="firing"' in name:
                    totals["firing"] += int(float(value))
    return totals


def _account(outcome: Fuzzed, stage: Stage, told: Counter[str]) -> None:
    outputs = Collector(stage.run).collect()
    outcome.complaints += [f"refused by its schema: {what}" for what in outputs.invalid]
    outcome.dead = len(outputs.dead)
    outcome.incidents = len({state.incident for state in outputs.states if state.incident})
    letters = {letter.source: letter for letter in outputs.dead}
    if len(letters) != len(outputs.dead):
        outcome.complaints.append(f"{len(outputs.dead) - len(letters)} records are in the dead letters twice")
    judge = _judge()
    tombstones, alive = 0, {state.group for state in outputs.states}
    for message in read(stage.run.bootstrap, stage.run.topics["alerts"])[0]:
        outcome.records += 1
        source = message.partition() or 0, message.offset() or 0
        value, letter = message.value(), letters.pop(source, None)
        value = value.encode() if isinstance(value, str) else value
        tombstones += value is None
        nature = judge(value)
        outcome.natures[nature] += 1
        if (nature == "alert" and letter) or (nature == "poison" and not letter):
            how = "is in" if letter else "is not in"
            outcome.complaints.append(f"{source} {how} the dead letters, and is: {nature} {(value or b'')[:200]!r}")
        if letter and (letter.value, letter.key, letter.headers) != (value, _key(message.key()), headers_of(message)):
            outcome.complaints.append(f"the dead letter of {source} differs from its record")
        group = _control(value)
        if group and group not in alive:
            outcome.complaints.append(f"the control at {source} has no incident")
    outcome.complaints += [f"a dead letter of {source}, where there is no record" for source in letters]
    _compare(outcome, outputs, told, tombstones)


def _compare(outcome: Fuzzed, outputs: Outputs, told: Counter[str], tombstones: int) -> None:
    """Hold the worker's own counts against what was produced and published."""
    last = {state.incident: state.alerts for state in outputs.states if state.incident}
    firing, every = told["firing"], told["openclaw_alerts_total"]
    wanted = {
        "openclaw_records_total": outcome.records,
        "openclaw_tombstones_total": tombstones,
        "openclaw_dead_letters_total": outcome.dead,
    }
    for name, number in wanted.items():
        if told[name] != number:
            outcome.complaints.append(f"{name} is {told[name]}, expected {number}")
    if not firing <= sum(last.values()) <= every:
        outcome.complaints.append(f"the states count {sum(last.values())} alerts, of {every} read, {firing} fire")


def _judge() -> Callable[[bytes | None], Nature]:
    """Return what tells the nature of a record: an alert for sure, poison for sure, or either."""
    schema = Draft202012Validator(json.loads((SCHEMAS / "alert.v1.json").read_text()))

    def judge(value: bytes | None) -> Nature:
        if value is None:
            return "either"
        try:
            document = json.loads(value.decode(), parse_constant=_refuse)
        except RecursionError:
            return "either"
        except ValueError:
            return "poison"
        if not isinstance(document, dict):
            return "poison"
        plain = not document.keys() & {"alerts", "specversion"}
        return "alert" if plain and _sound(value) and schema.is_valid(document) else "either"

    return judge


def _sound(value: bytes) -> bool:
    """Tell whether all parsers read it alike: no half of a surrogate pair, no number beyond a float, not too deep."""
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
