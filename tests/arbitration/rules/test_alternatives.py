import re
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.alternatives import check_lists, chosen, keys_of_lists, without_lists
from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import RuleSet, Technology
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.rule_sets import BE, CHECKS, DB
from tests.builders import alert, case_from

ENCLOSED = "List the clients ({postgresql: `pg_stat_activity` | mysql: `SHOW PROCESSLIST`}) by age."
AFTER_COLON = "列出用戶端：{postgresql: `pg_stat_activity` | mysql: `SHOW PROCESSLIST`}。"
WHOLE = "{mysql: ALGORITHM=INPLACE | galera: wsrep_OSU_method=RSU}"

COMMANDS: Mapping[str, str] = {
    "postgresql": r"\bpg_\w+|\bpatronictl\b|CREATE INDEX CONCURRENTLY",
    "mysql": (
        r"PROCESSLIST|INNODB|\binnodb_\w+|\bmysqladmin\b|\bsys\.(?!dm_|databases)\w+|ALGORITHM=|performance_schema"
    ),
    "mssql": r"\bsys\.(?:dm_|databases)\w*|\bDBCC\b",
    "oracle": r"\bv\$\w+",
    "mongodb": r"\b(?:rs|db)\.\w+\(",
    "redis": r"\bredis-cli\b|\bSLOWLOG\b|SENTINEL masters|INFO replication",
    "elasticsearch": r"\b_cat/|\b_nodes/",
    "cassandra": r"\bnodetool\b",
    "kafka": r"\bkafka-\w+\.sh",
    "rabbitmq": r"\brabbitmqctl\b",
    "golang": r"/debug/pprof",
    "jvm": r"\bjcmd\b|\bjmap\b|\bjstack\b",
    "python_service": r"\bpy-spy\b|\btracemalloc\b|\bmemray\b",
    "dotnet": r"\bdotnet-\w+",
    "nodejs": r"--inspect\b|--heapsnapshot",
    "ruby": r"\bstackprof\b|\brbtrace\b",
}
"""What belongs to one product alone, by its id."""


def technology(name: str, team: Responsibility = DB, *commands_of: str) -> Technology:
    return Technology(name, name, team, (name,), CHECKS, commands_of)


NAMED = {
    each.id: each
    for each in (
        technology("postgresql"),
        technology("mysql"),
        technology("oracle"),
        technology("galera", DB, "mysql"),
        technology("rds", DB, "postgresql", "mysql"),
        technology("jvm", BE),
    )
}


@pytest.mark.parametrize(
    ("names", "enclosed", "after_colon"),
    [
        ("mysql", "List the clients (`SHOW PROCESSLIST`) by age.", "列出用戶端：`SHOW PROCESSLIST`。"),
        ("galera mysql", "List the clients (`SHOW PROCESSLIST`) by age.", "列出用戶端：`SHOW PROCESSLIST`。"),
        ("rds postgresql", "List the clients (`pg_stat_activity`) by age.", "列出用戶端：`pg_stat_activity`。"),
        ("oracle", "List the clients by age.", "列出用戶端。"),
        *(
            (
                names,
                "List the clients (`pg_stat_activity`, `SHOW PROCESSLIST`) by age.",
                "列出用戶端：`pg_stat_activity`、`SHOW PROCESSLIST`。",
            )
            for names in ("", "jvm", "rds", "postgresql mysql")
        ),
    ],
)
def test_what_the_named_products_offer_is_shown(names: str, enclosed: str, after_colon: str) -> None:
    named = {name: NAMED[name] for name in names.split()}
    assert chosen(ENCLOSED, named, DB, ", ") == enclosed
    assert chosen(AFTER_COLON, named, DB, "、") == after_colon


def test_what_differs_in_a_product_stands_for_it_alone() -> None:
    named = {name: NAMED[name] for name in ("mysql", "galera")}
    assert chosen(WHOLE, named, DB, ", ") == "wsrep_OSU_method=RSU"
    assert chosen(WHOLE, {"oracle": NAMED["oracle"]}, DB, ", ") == ""


@pytest.mark.parametrize(
    "text", [ENCLOSED, AFTER_COLON, WHOLE, 'Read `up{job="x"}`.', "Read `find({what: /x/})`.", "{mysql: `a`}"]
)
def test_lists_that_leave_whole_sentences_pass(text: str) -> None:
    check_lists(text, NAMED)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("See it: {mariadb: `a`}.", "unknown technologies mariadb"),
        ("See {mysql: `a`}.", "in parentheses or after a colon"),
        ("See it ({mysql: `a`} or so).", "in parentheses or after a colon"),
        ("See it：({mysql: `a`}）。", "in parentheses or after a colon"),
        ("See it ({mysql: `a`.", "malformed list"),
        ("See it ({mysql:`a` | redis:`b`}).", "malformed list"),
    ],
)
def test_other_lists_are_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        check_lists(text, NAMED)


def test_the_loader_checks_all_lists() -> None:
    texts = sources()
    name = "causes/db_connections.toml"
    broken = texts[name].replace("({mysql: ", "({mariadb: ", 1)
    assert broken != texts[name]
    with pytest.raises(ValueError, match="unknown technologies mariadb"):
        parse(texts | {name: broken})


@given(st.text())
def test_a_text_without_a_list_stays(text: str) -> None:
    if not keys_of_lists(text):
        assert chosen(text, NAMED, DB, ", ") == text == without_lists(text)


@pytest.mark.parametrize(
    ("language", "separator", "text"), [(Language.EN, ", ", "`pg_isready`"), (Language.ZH_TW, "、", "`pg_isready`")]
)
def test_a_decision_shows_the_part_of_its_product(language: Language, separator: str, text: str) -> None:
    postgres = judge(case_from(alert("PostgresDown", "PostgreSQL is down", {"service": "orders"})), language)
    assert text in postgres.description
    assert "mysqladmin" not in postgres.description
    unknown = judge(case_from(alert("DatabaseDown", "The database is down", {"service": "orders"})), language)
    assert f"{text}{separator}`mysqladmin ping`" in unknown.description
    assert "{" not in unknown.description


@pytest.fixture(scope="module")
def rule_set() -> RuleSet:
    return parse(sources())


def _checks(rule_set: RuleSet) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each check of a cause or technology in all languages, with its id."""
    by_id = [(each.id, each.checks) for each in rule_set.causes]
    by_id += [(each.id, each.checks) for each in rule_set.technologies]
    for name, checks in by_id:
        for texts in zip(*(checks[language] for language in Language), strict=True):
            yield name, texts


def _texts(rule_set: RuleSet) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield from _checks(rule_set)
    for cause in rule_set.causes:
        for item in cause.tuning:
            yield cause.id, (*item.text.values(), item.config)


def test_commands_of_several_products_stand_in_lists(rule_set: RuleSet) -> None:
    for name, texts in _texts(rule_set):
        for text in texts:
            found = [key for key, pattern in COMMANDS.items() if re.search(pattern, without_lists(text))]
            assert len(found) < 2, (name, text)


def test_both_languages_list_the_same_products(rule_set: RuleSet) -> None:
    for name, texts in _checks(rule_set):
        first, *others = (keys_of_lists(text) for text in texts)
        assert all(each == first for each in others), name


def test_commands_are_of_known_technologies(rule_set: RuleSet) -> None:
    known = {each.id for each in rule_set.technologies}
    assert all(known.issuperset(each.commands_of) for each in rule_set.technologies)
