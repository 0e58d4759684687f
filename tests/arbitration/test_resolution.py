"""The resolution of an incident repeats the last decision's responsibility."""

import pytest

from openclaw_stream.arbitration.resolution import resolve
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.events.arbitration_result import PublishedDecision
from openclaw_stream.vocabulary import IncidentStatus, Language, Responsibility
from tests.builders import case

ENDS = (IncidentStatus.RESOLVED, IncidentStatus.ASSUMED_RESOLVED)


def decided(confidence: float = 0.9) -> PublishedDecision:
    return PublishedDecision(
        incident_id="i1",
        revision=3,
        primary_responsibility="DB",
        secondary_teams=("BE", "INFRA"),
        risk_level="medium",
        confidence=confidence,
        provider="gemini",
    )


@pytest.mark.parametrize("status", ENDS)
def test_a_resolution_repeats_the_last_decision(status: IncidentStatus) -> None:
    result = resolve(case(services=("checkout",)), status, decided(), Language.EN)
    judgement = result.judgement
    assert judgement.primary_responsibility is Responsibility.DB
    assert judgement.secondary_teams == [Responsibility.BE, Responsibility.INFRA]
    assert (judgement.namespace, judgement.affected_services) == ("shop", ["checkout"])
    assert (judgement.kubectl_command, result.suggestions) == ("", [])
    assert (result.provenance.provider, result.provenance.rules_version) == ("gemini", RULES_VERSION)


@pytest.mark.parametrize(("confidence", "gate"), [(0.7, "passed"), (0.69, "collab"), (0.0, "collab")])
def test_the_gate_of_a_resolution_follows_the_last_confidence(confidence: float, gate: str) -> None:
    result = resolve(case(), IncidentStatus.RESOLVED, decided(confidence), Language.EN)
    assert (result.confidence.final, result.confidence.gate) == (confidence, gate)
    assert result.judgement.confidence == confidence


def test_a_resolution_without_a_decision_is_collab_by_the_rules() -> None:
    result = resolve(case(), IncidentStatus.RESOLVED, None, Language.EN)
    assert result.judgement.primary_responsibility is Responsibility.COLLAB
    assert (result.confidence.final, result.provenance.provider) == (0.0, "rules")


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("status", ENDS)
def test_the_title_names_the_group_and_fits_its_limit(status: IncidentStatus, language: Language) -> None:
    titles = [
        resolve(case(group_key=group), status, None, language).judgement.action_title
        for group in ("shop/checkout", "x" * 500)
    ]
    assert titles[0].endswith("shop/checkout")
    assert len(titles[1]) == 200


def test_a_timed_out_incident_asks_to_check_the_alert_source() -> None:
    resolved, assumed = (resolve(case(), status, None, Language.EN).judgement.description for status in ENDS)
    assert "No action is needed." in resolved
    assert "Check that the alert source still works." in assumed
