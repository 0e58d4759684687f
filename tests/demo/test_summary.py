from rich.console import Console

from openclaw_stream.demo.event_reader import DeadLetterRecord, DemoEvent
from openclaw_stream.demo.summary import print_summary
from openclaw_stream.demo.totals import DemoTotals
from openclaw_stream.events.decision import Decision
from openclaw_stream.events.examples import DECISION, TUNING
from openclaw_stream.vocabulary import Verdict
from tests.demo.views import RESOLUTION, assert_harmless, console, hostile, shown, totals_of


def rows(console: Console) -> dict[str, tuple[str, str]]:
    """The count and the remark of each row of the printed table."""
    lines = (line.split("│") for line in shown(console).splitlines())
    return {cells[1].strip(): (cells[2].strip(), cells[3].strip()) for cells in lines if len(cells) > 3}


def summarized(*events: DemoEvent) -> Console:
    totals, to = DemoTotals(), console(200)
    for event in events:
        totals.add(event, 0.0)
    print_summary(to, totals, 1.0)
    return to


def decided_by(provider: str, incident: str, **provenance: object) -> Decision:
    changed = DECISION.provenance.model_copy(update={"provider": provider, **provenance})
    return DECISION.model_copy(update={"incident_id": incident, "provenance": changed})


def test_the_summary_has_all_counts() -> None:
    to = console(160)
    print_summary(to, totals_of(), 31.4)
    assert {name: count for name, (count, _) in rows(to).items()} == {
        "alerts": "2",
        "incidents": "7",
        "decisions": "6",
        "model decisions": "6",
        "resolutions": "2",
        "tuning events": "1",
        "dead letters": "1",
        "revisions": "8",
    }
    assert "Results after 31 s" in shown(to)
    assert "each exactly once" in shown(to)
    assert "1 resolved, 1 assumed resolved after silence" in shown(to)


def test_the_summary_shows_a_decision_in_full() -> None:
    totals, to = DemoTotals(), console(160)
    totals.add(DECISION, 0.0)
    print_summary(to, totals, 1.0)
    judgement = DECISION.decision
    texts = (judgement.action_title, judgement.kubectl_command, judgement.command_reason, judgement.reasoning)
    for text in (each.split(". ")[0][:60] for each in texts):
        assert text in shown(to)
    assert f"{DECISION.confidence.final:.0%} (reported {DECISION.confidence.reported:.0%}" in shown(to)


def test_hostile_text_is_harmless_in_the_summary() -> None:
    totals, to = DemoTotals(), console()
    totals.add(hostile(DECISION), 0.0)
    print_summary(to, totals, 1.0)
    assert_harmless(shown(to))


def test_the_summary_without_events_has_no_example() -> None:
    to = console()
    print_summary(to, DemoTotals(), 20.0)
    assert "none" in shown(to)
    assert "example decision" not in shown(to)


def test_decisions_are_counted_by_provider() -> None:
    events = (
        decided_by("rules", "one"),
        decided_by("ollama", "two"),
        decided_by("ollama", "three"),
        decided_by("ollama", "four", from_cache=True),
    )
    assert rows(summarized(*events))["model decisions"] == ("3", "all decisions by: ollama 2, rules 1, cache 1")


def test_tuning_events_are_counted_by_verdict() -> None:
    refused = TUNING.safety.model_copy(update={"verdict": Verdict.REFUSED})
    advice = TUNING.safety.model_copy(update={"verdict": Verdict.ADVICE})
    to = summarized(TUNING, *(TUNING.model_copy(update={"safety": safety}) for safety in (refused, refused, advice)))
    assert rows(to)["tuning events"] == ("4", "1 safe commands, 2 refused, 1 advice; 0 executed")


def test_the_first_reasons_of_dead_letters_are_shown() -> None:
    to = summarized(*(DeadLetterRecord(f"reason {number}", b"") for number in range(5)))
    assert rows(to)["dead letters"] == ("5", "reason 0; reason 1; reason 2")


def test_the_first_fault_is_shown_instead_of_exactly_once() -> None:
    to = summarized(DECISION, DECISION, RESOLUTION)
    fault = f"incident {DECISION.incident_id}, generation 1: revision 1 was read 2 times"
    assert rows(to)["revisions"] == ("2", f"not exactly once: {fault}")
    assert "each exactly once" not in shown(to)


def test_the_checks_of_a_description_are_lines() -> None:
    judgement = DECISION.decision.model_copy(update={"description": "It fails.\nCheck first:\n1. a\n2. b"})
    cells = [
        line.split("│")[1]
        for line in shown(summarized(DECISION.model_copy(update={"decision": judgement}))).splitlines()
        if line.count("│") == 2
    ]
    place = next(number for number, cell in enumerate(cells) if cell.split() == ["description", "It", "fails."])
    assert [cell.strip() for cell in cells[place + 1 : place + 4]] == ["Check first:", "1. a", "2. b"]


def test_the_example_shows_that_another_team_was_likelier() -> None:
    confidence = DECISION.confidence.model_copy(update={"gate": "rerouted"})
    to = summarized(DECISION.model_copy(update={"confidence": confidence}))
    assert "rerouted to the team that the evidence makes likely)" in shown(to)


def test_the_example_shows_a_confidence_below_the_gate_and_no_empty_line() -> None:
    judgement = DECISION.decision.model_copy(update={"kubectl_command": "", "optimization_suggestions": []})
    confidence = DECISION.confidence.model_copy(update={"final": 0.42, "gate": "collab"})
    to = summarized(DECISION.model_copy(update={"decision": judgement, "confidence": confidence}))
    names = [line[1:16].strip() for line in shown(to).splitlines() if line.startswith("│ ") and line.count("│") == 2]
    assert "42% (reported 90%, evidence 78%; below 70 %, so COLLAB)" in shown(to)
    assert "description" in names
    assert not {"command", "tuning"} & set(names)
