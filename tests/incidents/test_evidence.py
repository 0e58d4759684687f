"""Names in events and in the evidence of decisions."""

from openclaw_stream.incidents.evidence import case_of, incident_fields
from openclaw_stream.incidents.state import State


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


def test_evidence_keeps_hidden_characters_so_that_no_name_matches_another() -> None:
    assert case_of(new_state(), 2000).namespace == "shop\u202epohs"
