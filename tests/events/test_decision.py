"""The decision event: its limits, its defaults, and that it cannot change."""

from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.events.decision import (
    BlastRadius,
    Confidence,
    GoldenSignals,
    IncidentSummary,
    RejectedCommand,
    Suggestion,
    Validation,
)
from openclaw_stream.events.examples import DECISION
from openclaw_stream.events.model import EventModel
from openclaw_stream.incidents.evidence import incident_fields
from openclaw_stream.incidents.state import NAMES_MAX, State
from openclaw_stream.vocabulary import Action, DataImpact, Risk, Severity, TuningType
from tests.builders import judgement

SUGGESTION = Suggestion(type=TuningType.CACHE, description="Cache")
LIMITED: list[tuple[Any, str, Any]] = [
    (DECISION.decision, "action_title", "x" * 200),
    (DECISION.decision, "description", "x" * 4000),
    (DECISION.decision, "kubectl_command", "x" * 1000),
    (DECISION.decision, "namespace", "x" * 253),
    (DECISION.decision, "reasoning", "慢" * 8000),
    (DECISION.decision, "secondary_teams", ["FE"] * 4),
    (DECISION.decision, "optimization_suggestions", [SUGGESTION] * 8),
    (DECISION.decision, "affected_services", ["x"] * 16),
    (BlastRadius(), "related_services", ["x"] * 16),
    (SUGGESTION, "kubectl_or_config", "x" * 2000),
    (DECISION.incident, "alert_names", {str(number): 1 for number in range(65)}),
    (DECISION.provenance, "attempts", [{"provider": "p", "outcome": "o"}] * 32),
    (DECISION.provenance, "degraded_reasons", ["x"] * 16),
    (Validation(), "rejected_commands", [RejectedCommand(command="x", reason="x")] * 16),
    (Validation(), "warnings", ["x"] * 32),
    (RejectedCommand(command="x", reason="x"), "reason", "x" * 500),
]


def changed(model: Any, **fields: Any) -> Any:
    """Return a validated copy of a model with other fields."""
    return type(model).model_validate({**model.model_dump(), **fields})


def refused(model: Any, **fields: Any) -> str:
    with pytest.raises(ValidationError) as error:
        changed(model, **fields)
    return str(error.value.errors()[0]["type"])


@pytest.mark.parametrize(("model", "name", "longest"), LIMITED, ids=[name for _, name, _ in LIMITED])
def test_a_field_is_accepted_up_to_its_limit(model: Any, name: str, longest: Any) -> None:
    assert len(getattr(changed(model, **{name: longest}), name)) == len(longest)
    longer = {**longest, "one more": 1} if isinstance(longest, dict) else longest + longest[:1]
    assert refused(model, **{name: longer}) in {"too_long", "string_too_long"}


@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["reported", "evidence", "final"])
def test_a_confidence_is_a_number_from_0_to_1(name: str, value: float) -> None:
    fields = {"reported": 0, "evidence": 1, "final": 0.7, "gate": "passed"}
    Confidence.model_validate(fields)
    with pytest.raises(ValidationError):
        Confidence.model_validate({**fields, name: value})
    with pytest.raises(ValidationError):
        judgement(confidence=value)


@pytest.mark.parametrize(
    ("model", "fields", "error"),
    [
        (DECISION, {"revision": 0}, "greater_than_equal"),
        (DECISION, {"generation": 0}, "greater_than_equal"),
        (DECISION, {"schema_version": 2}, "literal_error"),
        (DECISION, {"decided_at": datetime(2026, 11, 22)}, "timezone_aware"),  # noqa: DTZ001 - without a zone on purpose
        (DECISION, {"event_type": "update"}, "enum"),
        (DECISION, {"further": 1}, "extra_forbidden"),
        (DECISION.decision, {"primary_responsibility": "be"}, "enum"),
        (DECISION.decision, {"blast_radius": {"affected_pods": -1}}, "greater_than_equal"),
        (DECISION.decision, {"blast_radius": {"further": 1}}, "extra_forbidden"),
        (DECISION.confidence, {"gate": "failed"}, "literal_error"),
        (DECISION.incident, {"flaps": -1}, "greater_than_equal"),
        (DECISION.source, {"first_offset": -1}, "greater_than_equal"),
        (DECISION.provenance, {"language": "de"}, "enum"),
    ],
)
def test_an_invalid_value_is_refused(model: Any, fields: dict[str, Any], error: str) -> None:
    assert refused(model, **fields) == error


def test_a_judgement_of_only_the_required_fields_changes_nothing() -> None:
    least = judgement()
    assert (least.suggested_action, least.kubectl_command, least.risk_level) == (Action.NO_ACTION, "", Risk.LOW)
    assert (least.blast_radius.affected_pods, least.blast_radius.data_impact) == (0, DataImpact.NONE)
    least.blast_radius.related_services.append("cart")
    assert judgement().blast_radius.related_services == [], "defaults are not shared"


@pytest.mark.parametrize("model", [DECISION, *(part for _, part in DECISION if isinstance(part, EventModel))])
def test_no_field_of_an_event_can_be_set(model: EventModel) -> None:
    for name, value in model:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, name, value)


def test_the_names_of_a_full_incident_fit() -> None:
    """One more than the fold keeps, for the others."""
    state = State("g")
    state.begin("id", 0, 0, "")
    for number in range(NAMES_MAX + 5):
        state.count_alert(Alert(f"N{number}", Severity.INFO, True, 0, 0, "f", 1, "g"), number)  # noqa: FBT003
    summary = IncidentSummary(group_key="g", **incident_fields(state))
    assert len(summary.alert_names) == NAMES_MAX + 1
    assert summary.alert_names["#others"] == 5


def test_numbers_that_json_does_not_have_are_written_as_null() -> None:
    signals = GoldenSignals(rps=float("nan"), p99_ms=float("inf"), error_rate=0.0)
    text = signals.model_dump_json()
    assert GoldenSignals.model_validate_json(text) == GoldenSignals(error_rate=0.0)
