"""Alerts in our own words go to the team that is responsible."""

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.examples import EXAMPLES, Example, case_of


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.team}-{example.name}")
def test_an_alert_goes_to_the_team_that_is_responsible(example: Example) -> None:
    judgement = judge(case_of(example), Language.EN)
    assert judgement.primary_responsibility == example.team
    assert judgement.confidence > 0.45
    assert example.name in judgement.reasoning


def test_language_changes_the_texts_and_nothing_else() -> None:
    texts = {"action_title", "description", "responsibility_reasoning", "reasoning", "deviation_analysis"}
    texts |= {"signoz_correlation", "blast_radius", "optimization_suggestions"}
    for example in EXAMPLES:
        english, chinese = (judge(case_of(example), language) for language in (Language.EN, Language.ZH_TW))
        assert english.model_dump(exclude=texts) == chinese.model_dump(exclude=texts)
        assert english.description != chinese.description
        assert len(english.optimization_suggestions) == len(chinese.optimization_suggestions)


def test_chinese_texts_name_the_team_in_chinese_and_by_code() -> None:
    by_team = {example.team: judge(case_of(example), Language.ZH_TW) for example in EXAMPLES}
    assert "前端團隊 (FE)" in by_team["FE"].responsibility_reasoning
    assert "後端團隊 (BE)" in by_team["BE"].responsibility_reasoning
    assert "基礎設施團隊 (INFRA)" in by_team["INFRA"].responsibility_reasoning
    assert "資料庫團隊 (DB)" in by_team["DB"].responsibility_reasoning


def test_every_team_has_examples_in_both_languages() -> None:
    for team in (Responsibility.FE, Responsibility.BE, Responsibility.INFRA, Responsibility.DB):
        names = [example.name for example in EXAMPLES if example.team == team]
        assert any(not name.isascii() for name in names)
        assert sum(name.isascii() for name in names) >= 10
