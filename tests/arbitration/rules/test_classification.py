"""The classification of one alert name by a small rule set."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules.classification import Classification, classify, likely_cause
from openclaw_stream.arbitration.rules.extraction import AlertEvidence, Match
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import NAMED_SERVICE, Cause
from openclaw_stream.vocabulary import Responsibility, Severity
from tests.arbitration.rules.rule_sets import BE, DB, RULE_SET, cause


def classified(**strengths: float) -> Classification:
    matches = {name: Match(strength, f"the {name}") for name, strength in strengths.items()}
    return classify(AlertEvidence("Alert", Severity.HIGH, matches), RULE_SET)


def test_without_a_match_only_the_prior_applies() -> None:
    result = classified()
    assert (result.team, result.matched, result.confidence) == (BE, False, 0.3)
    assert result.scores == {BE: 0.5}
    assert result.terms == ()


def test_a_rule_scores_its_weight_times_the_strength_of_the_match() -> None:
    assert classified(database=0.5).scores == {DB: 1.5, BE: 0.5}


def test_the_weakest_condition_limits_a_rule_and_further_rules_count_half() -> None:
    assert classified(database=1.0, disk=0.5).scores[DB] == pytest.approx(3.0 + 0.5 * (0.5 * 2.0))


def test_any_category_of_a_condition_matches() -> None:
    assert classified(errors=1.0).scores == classified(latency=1.0).scores == {BE: 2.0 + 0.5 * 0.5}


@pytest.mark.parametrize(("dns", "applies"), [(0.5, True), (1.0, False)])
def test_unless_excludes_a_rule_only_if_it_matches_at_least_as_strongly(dns: float, *, applies: bool) -> None:
    assert (classified(latency=1.0, dns=dns).scores[BE] > 2.0) is applies


def test_confidence_is_the_lower_of_margin_and_ceiling() -> None:
    assert classified(database=1.0).confidence == pytest.approx(0.5 + 0.1 * (3.0 - 0.5))
    assert classified(database=0.2).confidence == pytest.approx(0.3 + 0.25 * 0.6)


def test_the_cause_is_the_strongest_of_the_team_then_the_first() -> None:
    assert classified(database=1.0).cause.id == "other"
    assert classified(database=1.0, disk=0.7, queries=0.8).cause.id == "slow"
    assert classified(database=1.0, disk=0.8, queries=0.8).cause.id == "disk"


def test_of_equally_strong_causes_the_one_with_most_conditions_applies() -> None:
    assert classified(database=0.8, disk=0.8, latency=0.8).cause.id == "slow"


def test_a_cause_that_only_details_hint_at_is_unknown() -> None:
    assert classified(database=1.0, disk=0.5).cause.is_unknown
    assert classified(database=1.0, disk=0.7).cause.id == "disk"


def test_unless_excludes_a_cause_only_if_it_matches_at_least_as_strongly() -> None:
    assert classified(database=1.0, space=0.8).cause.id == "space"
    assert classified(database=1.0, space=0.8, low=0.7).cause.id == "space"
    assert classified(database=1.0, space=0.8, low=0.8).cause.is_unknown


def test_terms_are_those_of_the_teams_rules_without_service_names() -> None:
    assert classified(database=1.0, disk=1.0, latency=0.1).terms == ("the database", "the disk")
    assert classified(**{NAMED_SERVICE: 1.0}).terms == ()


def test_a_cause_that_refines_a_symptom_counts_fully_in_any_sentence() -> None:
    release = cause("release", DB, (("release",), ("disk",)), refines=True)
    rule_set = replace(RULE_SET, causes=(release, *RULE_SET.causes))
    for strength, expected in ((0.2, "release"), (0.1, "disk")):
        matches = {name: Match(1.0, name) for name in ("database", "disk")} | {"release": Match(strength, "release")}
        assert classify(AlertEvidence("Alert", Severity.HIGH, matches), rule_set).cause.id == expected


WHOLE = parse(sources())
CATEGORIES = sorted({category for each in WHOLE.causes for category in (*each.categories, *each.unless)})


def applies(each: Cause, matches: Mapping[str, Match]) -> bool:
    """Whether all conditions of an alternative match well enough, and no exception as well."""
    strengths = [
        min(max((matches[name].strength for name in condition if name in matches), default=0.0) for condition in found)
        for found in each.alternatives
        if found
    ]
    unless = max((matches[name].strength for name in each.unless if name in matches), default=0.0)
    return max(strengths, default=0.0) >= 0.7 > unless


@given(team=st.sampled_from(Responsibility), names=st.sets(st.sampled_from(CATEGORIES), max_size=12))
def test_a_cause_is_unknown_only_where_none_of_the_team_applies(team: Responsibility, names: set[str]) -> None:
    matches = {name: Match(1.0, name) for name in names}
    expected = [each for each in WHOLE.causes_by_team[team] if applies(each, matches)]
    found = likely_cause(team, matches, WHOLE)
    assert found in expected or (found.is_unknown and not expected)
    if not found.is_unknown:
        assert found.refines or not any(each.refines for each in expected)


@pytest.mark.parametrize("each", [each for each in WHOLE.causes if not each.is_unknown], ids=lambda each: each.id)
def test_the_terms_of_a_cause_find_it_or_one_that_is_more_precise(each: Cause) -> None:
    conditions = max(each.alternatives, key=len)
    matches = {condition[0]: Match(1.0, condition[0]) for condition in conditions}
    found = likely_cause(each.team, matches, WHOLE)
    assert (found.refines, max(map(len, found.alternatives))) >= (each.refines, len(conditions))
