"""In one process, without Kafka: CPU time per alert and memory per incident, with few and with many open incidents."""

import time
from dataclasses import replace

from openclaw_stream.alerts.decoding.decode import decode
from openclaw_stream.alerts.reader import AlertReader
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.memory import free_memory, reduce_garbage_collections
from openclaw_stream.stream.state.ledger import Ledger
from openclaw_stream.stream.state.restore import LogFacts, restore
from tests.benchmarks.process import resident_bytes
from tests.benchmarks.workload import alert

READER = AlertReader()
ALERTS = 40_000
START = 1_800_000_000_000


def ledger_with(incidents: int, *, closed: bool = False) -> Ledger:
    """Return a ledger with this many incidents, open and decided, or closed again."""
    fold = Fold("alerts", 0, Timers(group_wait=0, group_wait_critical=0, resolve_hold=0))
    ledger = restore(fold, "benchmark", {}, (0, None), LogFacts(0)).ledger
    for group in range(incidents):
        alerts = decode(alert(group), START, READER).alerts
        ledger.apply(ledger.position, START + group // 1000, alerts)
        if closed:
            ledger.apply(ledger.position, START + group // 1000, [replace(each, firing=False) for each in alerts])
        if group % 100 == 0:
            settle(ledger)
    settle(ledger)
    reduce_garbage_collections()
    assert ledger.open_incidents == (0 if closed else incidents)
    return ledger


def settle(ledger: Ledger) -> None:
    """Decide all revisions and plan all transactions."""
    while ledger.ready:
        ledger.complete(ledger.ready.popleft(), "decided", None)
    while ledger.plan(lazy=True):
        pass


def microseconds_per_alert(incidents: int) -> tuple[float, float]:
    """Return µs of CPU time per alert, for decode alone and for decode, fold and settle; each the best of three."""
    ledger = ledger_with(incidents)
    values = [alert((n * 7919) % incidents, n) for n in range(ALERTS)]
    best = bare = float("inf")
    for _ in range(3):
        started = time.process_time()
        for value in values:
            decode(value, START, READER)
        bare = min(bare, time.process_time() - started)
        offset = ledger.position
        started = time.process_time()
        for n, value in enumerate(values):
            ledger.apply(offset + n, START + 1000, decode(value, START, READER).alerts)
        ledger.plan(lazy=False)
        best = min(best, time.process_time() - started)
        ledger.plan(lazy=True)
    return bare / ALERTS * 1e6, best / ALERTS * 1e6


def bytes_per_incident(incidents: int, *, closed: bool) -> float:
    """Return the resident memory per incident."""
    before = _resident()
    ledger = ledger_with(incidents, closed=closed)
    size = (_resident() - before) / incidents
    assert len(ledger.groups) == incidents
    return size


def _resident() -> int:
    free_memory(collect_garbage=True)
    return resident_bytes()
