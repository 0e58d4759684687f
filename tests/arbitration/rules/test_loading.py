from collections.abc import Mapping

import pytest

from openclaw_stream.arbitration.kubectl import looks_like_command
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.arbitration.rules.loading import parse, sources, version
from openclaw_stream.arbitration.rules.rule_set import Checks, RuleSet
from openclaw_stream.vocabulary import Language, Responsibility

TEAMS = (Responsibility.FE, Responsibility.BE, Responsibility.INFRA, Responsibility.DB)


@pytest.fixture(scope="module")
def rule_set() -> RuleSet:
    return parse(sources())


def test_the_version_depends_on_the_content_of_every_file() -> None:
    texts = sources()
    assert version(texts) == RULES_VERSION
    for name in texts:
        assert version(texts | {name: texts[name] + "\n"}) != RULES_VERSION


def test_a_category_in_two_files_is_refused() -> None:
    texts = sources()
    twice = texts["vocabulary/symptoms.toml"] + '[datastore]\nmore = ["xyzdb"]\n'
    with pytest.raises(ValueError, match=r"symptoms.toml repeats datastore$"):
        parse(texts | {"vocabulary/symptoms.toml": twice})


def test_every_team_has_rules_and_causes(rule_set: RuleSet) -> None:
    for team in TEAMS:
        assert any(rule.team is team for rule in rule_set.rules)
        assert len(rule_set.causes_by_team[team]) >= 6
    assert all(rule.weight > 0 for rule in rule_set.rules)


def test_every_cause_has_all_texts_in_both_languages(rule_set: RuleSet) -> None:
    for cause in rule_set.causes:
        assert 1 <= cause.depth <= 5
        for text in (cause.explanation, *(advice.text for advice in cause.tuning)):
            _is_in_its_language(text)
        if len(set(cause.title.values())) > 1:  # a state of Kubernetes has one name
            _is_in_its_language(cause.title)
        _are_checks(cause.checks, 0 if cause.is_unknown else 1, 3)
        assert all(len(cause.title[language]) <= 80 for language in Language)


def test_every_technology_and_kind_of_subject_has_three_checks(rule_set: RuleSet) -> None:
    for technology in rule_set.technologies:
        _are_checks(technology.checks, 3, 3)
    for checks in rule_set.subjects.values():
        _are_checks(checks, 3, 3)


def test_the_terms_of_a_technology_name_it(rule_set: RuleSet) -> None:
    for technology in rule_set.technologies:
        for term in technology.terms:
            categories = [match.term.categories for found in rule_set.lexicon.sentences(term) for match in found]
            assert any(technology.category in each for each in categories), (technology.id, term)


def _are_checks(checks: Checks, fewest: int, most: int) -> None:
    for language in Language:
        assert fewest <= len(checks[language]) <= most, checks
        assert len(set(checks[language])) == len(checks[language])
    assert len(checks[Language.EN]) == len(checks[Language.ZH_TW]), checks
    for texts in zip(*(checks[language] for language in Language), strict=True):
        _is_in_its_language(dict(zip(Language, texts, strict=True)))


def _is_in_its_language(text: Mapping[Language, str]) -> None:
    assert set(text) == set(Language)
    assert _chinese(text[Language.ZH_TW]), text
    assert not _chinese(text[Language.EN]), text


def _chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def test_tuning_configurations_are_not_commands(rule_set: RuleSet) -> None:
    for cause in rule_set.causes:
        for advice in cause.tuning:
            assert not looks_like_command(advice.config), advice.config


def test_both_languages_have_the_same_phrases(rule_set: RuleSet) -> None:
    assert set(rule_set.phrases[Language.EN]) == set(rule_set.phrases[Language.ZH_TW])


def test_confidence_rises_with_the_lead_and_stays_below_one(rule_set: RuleSet) -> None:
    for points in (rule_set.confidence.margins, rule_set.confidence.ceilings):
        assert points == tuple(sorted(points))
        assert [y for _, y in points] == sorted(y for _, y in points)
        assert all(0 < y < 1 for _, y in points)


def test_every_term_is_once_in_a_category(rule_set: RuleSet) -> None:
    for category, terms in rule_set.categories.items():
        assert len(terms) == len(set(terms)), category
