"""States of a group, for the tests of the fold's state."""

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.incidents.state import LineageRecord, State
from openclaw_stream.vocabulary import IncidentStatus, Severity

FIRING, RESOLVED, ASSUMED = IncidentStatus
FIRES = Alert("A", Severity.WARNING, True, 1000, 0, "f", 1, "g", service="web")  # noqa: FBT003


def opened() -> State:
    """Return a group whose incident `first` opened at offset 10."""
    state = State("g")
    open_incident(state, 10, "first")
    return state


def open_incident(state: State, offset: int, incident_id: str, previous: str = "") -> None:
    """Open an incident as the fold does."""
    state.begin(incident_id, offset, offset, previous)
    state.record_in_lineage(LineageRecord(incident_id, offset, offset, None, FIRING))
    state.settle_through(offset)


def members(state: State) -> tuple[dict[int, int], dict[int, int]]:
    """Return the firing and the resolved members with their startsAt."""
    return state.firing, state.resolved
