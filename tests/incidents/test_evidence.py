"""Names in events and in the evidence of decisions."""

from openclaw_stream.incidents.evidence import NAMES_BYTES, case_of, incident_fields
from openclaw_stream.incidents.state import State
from openclaw_stream.text import json_size


def new_state() -> State:
    state = State("g")
    state.begin("id", 0, 1000, "")
    state.namespace, state.service = "shop\u202epohs", "check\u200bout\x1b[31m"
    state.alert_names = {"High\u2066Load": 2, "HighLoad": 3, "password=hunter2": 1}
    return state


def test_names_in_events_have_no_hidden_characters_and_no_secrets() -> None:
    fields = incident_fields(new_state())
    assert (fields["namespace"], fields["service"]) == ("shoppohs", "checkout[31m")
    assert fields["alert_names"]["HighLoad"] == 5
    assert "hunter2" not in str(fields)


def test_names_beyond_the_byte_budget_are_counted_with_the_others() -> None:
    """The rarest first; the counts still sum to all alerts."""
    state = State("g")
    state.begin("id", 0, 1000, "")
    state.alert_names = {f"{number:03}{'慢' * 190}": 1 + number for number in range(64)}
    state.other_alerts = 7
    counts = incident_fields(state)["alert_names"]
    assert json_size(counts) <= NAMES_BYTES + 30
    assert sum(counts.values()) == sum(state.alert_names.values()) + 7
    kept = [count for name, count in counts.items() if name != "#others"]
    assert len(kept) > 10
    assert kept == list(range(65 - len(kept), 65))


def test_evidence_keeps_hidden_characters_so_that_no_name_matches_another() -> None:
    assert case_of(new_state(), 2000).namespace == "shop\u202epohs"
