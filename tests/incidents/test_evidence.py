"""What is told of an incident is fit to be shown."""

from openclaw_stream.incidents.evidence import case_of, incident_fields
from openclaw_stream.incidents.state import State


def state() -> State:
    made = State("g")
    made.begin("id", 0, 1000, "")
    made.namespace, made.service = "shop\u202epohs", "check\u200bout\x1b[31m"
    made.alert_names = {"High\u2066Load": 2, "HighLoad": 3, "password=hunter2": 1}
    return made


def test_events_show_names_without_hidden_characters_and_secrets() -> None:
    told = incident_fields(state())
    assert (told["namespace"], told["service"]) == ("shoppohs", "checkout[31m")
    assert told["alert_names"]["HighLoad"] == 5
    assert "hunter2" not in str(told)


def test_evidence_keeps_hidden_characters_so_that_no_name_is_taken_for_another() -> None:
    assert case_of(state(), 2000).namespace == "shop\u202epohs"
