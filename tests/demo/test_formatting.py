import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.demo.formatting import confidence_bar, printable, remedy_of, scope_of, title_of
from openclaw_stream.events.decision import IncidentSubject
from openclaw_stream.events.examples import DECISION


@given(st.text(alphabet=st.characters(), max_size=300), st.integers(1, 300))
def test_any_text_becomes_one_short_printable_line(text: str, limit: int) -> None:
    line = printable(text, limit)
    assert line.isprintable()
    assert len(line) <= limit
    line.encode()


@given(st.text(max_size=200).filter(str.isprintable))
def test_printable_words_stand(text: str) -> None:
    words = " ".join(text.split())
    assert printable(text) == words or "[REDACTED" in printable(text)


@pytest.mark.parametrize("text", ["\x1b[2Jgone", "a\rb", "a\u202eb", "a\x9b31mb", "\ud800"])
def test_what_moves_the_cursor_or_turns_text_is_taken_out(text: str) -> None:
    assert not {"\x1b", "\r", "\u202e", "\x9b", "\ud800"} & set(printable(text))


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in printable("connect with password=hunter2hunter2")


def test_a_scope_is_what_the_incident_names() -> None:
    incident = DECISION.incident
    assert scope_of(incident) == "shop/checkout"
    of_host = incident.model_copy(update={"subject": IncidentSubject(kind="node", namespace="", name="node-07")})
    assert scope_of(of_host) == "node-07"
    nameless = incident.model_copy(update={"subject": IncidentSubject(kind="alert", namespace="", name="A")})
    assert scope_of(nameless) == next(iter(incident.alert_names))
    assert scope_of(nameless.model_copy(update={"alert_names": {}})) == incident.group_key


def test_a_decision_shows_its_command_else_its_words() -> None:
    assert remedy_of(DECISION) == f"$ {DECISION.decision.kubectl_command}"
    words = DECISION.decision.model_copy(update={"kubectl_command": ""})
    assert remedy_of(DECISION.model_copy(update={"decision": words})) == DECISION.decision.description


@pytest.mark.parametrize("kind", ["deployment", "alert"])
def test_a_title_does_not_repeat_the_subject(kind: str) -> None:
    subject = Subject(kind, "shop", "checkout")
    titled = DECISION.decision.model_copy(update={"action_title": subject_title(subject, "it is down")})
    incident = DECISION.incident.model_copy(update={"subject": IncidentSubject(**subject._asdict())})
    assert title_of(DECISION.model_copy(update={"decision": titled, "incident": incident})) == "it is down"


@pytest.mark.parametrize(("fraction", "shown"), [(0.0, "▱▱▱▱▱"), (0.64, "▰▰▰▱▱"), (1.0, "▰▰▰▰▰")])
def test_a_confidence_is_a_bar_of_five(fraction: float, shown: str) -> None:
    assert confidence_bar(fraction) == shown
