"""In one process, without Kafka: what an alert costs with few and with many incidents open, and what they weigh."""

import gc
import time
from pathlib import Path

from openclaw_stream.events.decode import decode
from openclaw_stream.incidents.fold import Fold
from openclaw_stream.incidents.identity import Grouping
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.stream.ledger import Ledger
from openclaw_stream.stream.memory import calm_collector
from openclaw_stream.stream.restore import restore
from tests.benchmarks.workload import alert

GROUPING = Grouping(("namespace", "service"))
ALERTS = 40_000
START = 1_800_000_000_000


def opened(incidents: int) -> Ledger:
    """Return a ledger with so many incidents open and decided."""
    fold = Fold("alerts", 0, Timers(group_wait=0, group_wait_critical=0))
    ledger = restore(fold, "benchmark", {}, (0, None), 0)
    for group in range(incidents):
        alerts = decode(alert(group), START, GROUPING).alerts
        ledger.read(group, START + group // 1000, alerts)
        while ledger.ready:
            ledger.complete(ledger.ready.popleft(), "decided", None)
        if group % 1000 == 0:
            ledger.plan(lazy=False)
    ledger.plan(lazy=True)
    calm_collector()
    return ledger


def microseconds_per_alert(incidents: int) -> tuple[float, float]:
    """Return the cost of decode alone, and of decode, fold and settle together: µs of CPU an alert, best of three."""
    ledger = opened(incidents)
    values = [alert((n * 7919) % incidents, n) for n in range(ALERTS)]
    best = bare = float("inf")
    for _ in range(3):
        started = time.process_time()
        for value in values:
            decode(value, START, GROUPING)
        bare = min(bare, time.process_time() - started)
        offset = ledger.position
        started = time.process_time()
        for n, value in enumerate(values):
            ledger.read(offset + n, START + 1000, decode(value, START, GROUPING).alerts)
        ledger.plan(lazy=False)
        best = min(best, time.process_time() - started)
        ledger.plan(lazy=True)
    return bare / ALERTS * 1e6, best / ALERTS * 1e6


def bytes_per_incident(incidents: int) -> float:
    """Return the resident memory that one open incident takes."""
    gc.collect()
    before = _resident()
    ledger = opened(incidents)
    gc.collect()
    assert ledger.open_incidents == incidents
    return (_resident() - before) / incidents


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
