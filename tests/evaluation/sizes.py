"""The bytes of decision events, with their evidence and without what was added to them with it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson
from rich.table import Table

from openclaw_stream.events.size_limit import EVENT_BYTES
from openclaw_stream.settings import Settings
from openclaw_stream.stream.output_records import OutputRecords
from openclaw_stream.stream.state.restore import LogFacts, restore
from openclaw_stream.stream.state.revision import Group
from openclaw_stream.stream.state.transaction_plan import TransactionPlan
from openclaw_stream.vocabulary import EventType
from tests.builders import DUE
from tests.evaluation.dataset import FOLD, state_of_alerts
from tests.evaluation.reading import Reading


class EventSize(NamedTuple):
    """The bytes of one event as published, and without the fields of the alerts' own words, reasons and ends."""

    published: int
    without: int


def decision_events(readings: Iterable[Reading]) -> Iterator[bytes]:
    """Yield the decision event of each reading as it is sent."""
    ledger = restore(FOLD, "evaluation", {}, (0, None), LogFacts(0)).ledger
    records = OutputRecords(Settings(), FOLD.topic, FOLD.partition)
    for reading in readings:
        group = Group(state_of_alerts(reading.line.id, reading.line.alerts))
        revision = group.add_revision(group.state, DUE, EventType.DECISION)
        revision.cut(DUE)
        revision.complete(reading.result, None)
        decision, *_ = records.messages(TransactionPlan([revision], [], [], 0, ""), ledger)
        yield decision.value or b""


def event_size(event: bytes) -> EventSize:
    """Return the sizes of an event."""
    document = orjson.loads(event)
    del document["incident"]["evidence"], document["incident"]["evidence_left_out"], document["resolution"]
    for part in (document["decision"], *document["decision"]["optimization_suggestions"]):
        del part["command_reason"]
    return EventSize(len(event), len(orjson.dumps(document)))


def sizes_table(title: str, sizes: list[EventSize]) -> Table:
    """Return median, 99th percentile and maximum of the sizes."""
    table = Table("bytes of", "median", "p99", "max", f"over {EVENT_BYTES}", title=title)
    for name, column in (
        ("an event", [each.published for each in sizes]),
        ("before", [each.without for each in sizes]),
    ):
        ordered = sorted(column)
        points = (len(ordered) // 2, len(ordered) * 99 // 100, len(ordered) - 1)
        too_large = sum(size > EVENT_BYTES for size in ordered)
        table.add_row(name, *(str(ordered[point]) for point in points), str(too_large))
    return table
