import pytest

from openclaw_stream.arbitration.kubectl import looks_like_command
from openclaw_stream.arbitration.rules import RULES_VERSION
from openclaw_stream.arbitration.rules.loading import parse, sources, version
from openclaw_stream.arbitration.rules.table import Table
from openclaw_stream.vocabulary import Language, Responsibility

TEAMS = (Responsibility.FE, Responsibility.BE, Responsibility.INFRA, Responsibility.DB)


@pytest.fixture(scope="module")
def table() -> Table:
    return parse(sources())


def test_the_version_is_that_of_the_content() -> None:
    texts = sources()
    assert version(texts) == RULES_VERSION
    for name in texts:
        assert version(texts | {name: texts[name] + "\n"}) != RULES_VERSION


def test_a_row_that_asks_for_an_unknown_heading_is_refused() -> None:
    texts = sources()
    broken = texts["routing.toml"].replace('when = "datastore"', 'when = "datastor"')
    with pytest.raises(ValueError, match=r"datastor$"):
        parse(texts | {"routing.toml": broken})


def test_a_team_without_a_last_resort_is_refused() -> None:
    texts = sources()
    with pytest.raises(ValueError, match="FE must need nothing"):
        parse(texts | {"causes/fe.toml": texts["causes/fe.toml"].replace('when = ""', 'when = "rum"')})


def test_a_heading_in_two_files_is_refused() -> None:
    texts = sources()
    twice = texts["vocabulary/symptoms.toml"] + '[datastore]\nmore = ["xyzdb"]\n'
    with pytest.raises(ValueError, match=r"symptoms.toml repeats datastore$"):
        parse(texts | {"vocabulary/symptoms.toml": twice})


def test_every_team_has_rows_and_causes(table: Table) -> None:
    for team in TEAMS:
        assert any(row.team is team for row in table.rows)
        assert len(table.causes_by_team[team]) >= 6
    assert all(row.weight > 0 for row in table.rows)


def test_every_cause_says_all_in_both_languages(table: Table) -> None:
    for cause in table.causes:
        assert 1 <= cause.depth <= 5
        assert cause.remedy in {"none", "restart", "hpa", "limits"}
        for told in (cause.title, cause.what, cause.first, *(item.text for item in cause.tuning)):
            assert set(told) == set(Language)
            assert _chinese(told[Language.ZH_TW]), told
            assert not _chinese(told[Language.EN]), told
        assert all(len(cause.title[language]) <= 80 for language in Language)
        assert cause.tuning


def _chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def test_databases_are_never_changed_by_a_command(table: Table) -> None:
    assert all(cause.remedy == "none" for cause in table.causes_by_team[Responsibility.DB])


def test_configurations_are_no_commands(table: Table) -> None:
    for cause in table.causes:
        for item in cause.tuning:
            assert item.config
            assert not looks_like_command(item.config), item.config


def test_both_languages_have_the_same_phrases(table: Table) -> None:
    assert set(table.phrases[Language.EN]) == set(table.phrases[Language.ZH_TW])


def test_sureness_rises_with_the_lead_and_stays_below_one(table: Table) -> None:
    for points in (table.sureness.margins, table.sureness.ceilings):
        assert points == tuple(sorted(points))
        assert [y for _, y in points] == sorted(y for _, y in points)
        assert all(0 < y < 1 for _, y in points)


def test_every_word_stands_once_under_a_heading(table: Table) -> None:
    for heading, words in table.headings.items():
        assert len(words) == len(set(words)), heading
