"""The rule set: its indexes, and the check of its consistency."""

from dataclasses import replace

import pytest

from openclaw_stream.arbitration.rules.loading import parse, sources
from openclaw_stream.arbitration.rules.rule_set import NAMED_SERVICE, Cause, Rule, RuleSet
from openclaw_stream.vocabulary import Language, Responsibility
from tests.arbitration.rules.rule_sets import BE, DB, INFRA, RULE_SET, cause

USED = ("latency", "errors", "dns", "database", "disk", "queries", "space", "low")
LAST = tuple(cause("any", team, ()) for team in Responsibility)
CONSISTENT = replace(RULE_SET, categories=dict.fromkeys(USED, ()), causes=(*RULE_SET.causes, *LAST))


def test_a_rule_with_an_unknown_category_is_refused() -> None:
    texts = sources()
    broken = texts["routing.toml"].replace('when = "datastore"', 'when = "datastor"')
    with pytest.raises(ValueError, match=r"datastor$"):
        parse(texts | {"routing.toml": broken})


def test_a_team_without_an_unconditional_cause_is_refused() -> None:
    texts = sources()
    with pytest.raises(ValueError, match="FE must have no conditions"):
        parse(texts | {"causes/fe_unknown.toml": texts["causes/fe_unknown.toml"].replace('when = ""', 'when = "rum"')})


def test_a_consistent_rule_set_passes() -> None:
    CONSISTENT.check()
    assert NAMED_SERVICE not in CONSISTENT.categories, "no term has it: it needs no entry in the vocabulary"


@pytest.mark.parametrize("place", ["when", "unless", "alternative"])
def test_a_category_without_terms_is_unknown_wherever_it_is_used(place: str) -> None:
    rule = Rule(BE, (("dns",), ("disk", "odd") if place == "when" else ("disk",)), ("odd",) * (place == "unless"), 1.0)
    causes = (cause("odd", DB, (("disk",),), (("dns",), ("odd",))),) if place == "alternative" else ()
    broken = replace(CONSISTENT, rules=(rule,), causes=(*causes, *LAST))
    with pytest.raises(ValueError, match=r"^rules use categories that are not in the vocabulary: odd$"):
        broken.check()


def test_all_unknown_categories_are_named_in_order() -> None:
    broken = replace(CONSISTENT, categories={"dns": (), "disk": ()})
    with pytest.raises(ValueError, match=r"vocabulary: database, errors, latency, low, queries, space$"):
        broken.check()


@pytest.mark.parametrize(
    "causes",
    [
        (),
        (cause("only", INFRA, (("dns",),)),),
        (cause("any", INFRA, ()), cause("last", INFRA, (("dns",),))),
        (cause("last", INFRA, (("dns",),), ()),),
        (cause("never", INFRA),),
    ],
)
def test_the_last_cause_of_every_team_must_always_apply(causes: tuple[Cause, ...]) -> None:
    others = (each for each in LAST if each.team is not INFRA)
    with pytest.raises(ValueError, match=r"^the last cause of INFRA must have no conditions"):
        replace(CONSISTENT, causes=(*others, *causes)).check()


def test_rules_are_found_by_each_category_of_their_first_condition() -> None:
    index = RULE_SET.rules_by_category
    prior, slow, named, database, disk, dns = RULE_SET.rules
    assert index == {
        "": (prior,),
        "latency": (slow,),
        "errors": (slow,),
        NAMED_SERVICE: (named,),
        "database": (database, disk),
        "dns": (dns,),
    }


def test_a_rule_set_without_priors_has_none_to_find() -> None:
    assert replace(RULE_SET, rules=()).rules_by_category == {"": ()}


def test_causes_keep_their_order_within_their_team() -> None:
    by_team = RULE_SET.causes_by_team
    assert [each.id for each in by_team[DB]] == ["disk", "slow", "space", "other"]
    assert by_team[Responsibility.COLLAB] == ()
    assert set(by_team) == set(Responsibility)


def test_the_categories_of_a_cause_are_those_of_all_alternatives() -> None:
    assert cause("c", DB, (("a", "b"), ("c",)), (("d",),), ()).categories == {"a", "b", "c", "d"}
    assert cause("c", DB, ()).categories == frozenset()


@pytest.mark.parametrize(
    ("kind", "team", "key"),
    [
        ("node", DB, "node"),
        ("service", BE, "service/BE"),
        ("service", INFRA, "service"),
        ("host", DB, "alert/DB"),
        ("host", INFRA, "alert"),
    ],
)
def test_the_checks_of_a_subject_are_the_most_specific(kind: str, team: Responsibility, key: str) -> None:
    subjects = {name: dict.fromkeys(Language, (name,)) for name in RULE_SET.subjects}
    assert replace(RULE_SET, subjects=subjects).subject_checks(kind, team)[Language.EN] == (key,)


def test_a_rule_set_without_checks_for_any_subject_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^subjects.toml needs \[alert\]"):
        replace(CONSISTENT, subjects={}).check()


def test_terms_of_technologies_have_their_category() -> None:
    assert found(RULE_SET, "MySQL is down") == [("mysql", ("technology.mysql",))]


def found(rule_set: RuleSet, text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(match.term.text, match.term.categories) for match in rule_set.lexicon.sentences(text)[0]]


def test_the_lexicon_has_subcategories_only_where_a_rule_uses_them() -> None:
    categories = {
        "store": ("redis", "redis exporter"),
        "store.cache": ("redis",),
        "store.exporter": ("redis exporter",),
    }
    rules = (Rule(DB, (("store.cache",),), (), 1.0),)
    rule_set = replace(RULE_SET, categories=categories, rules=rules, causes=())
    assert found(rule_set, "redis is down") == [("redis", ("store", "store.cache"))]
    assert found(rule_set, "redis exporter is down") == [("redis exporter", ("store",))]


def test_a_term_that_no_rule_uses_hides_a_shorter_one() -> None:
    categories = {"ui": ("frontend",), "tool": ("query frontend",)}
    rule_set = replace(RULE_SET, categories=categories, rules=(Rule(BE, (("ui",),), (), 1.0),), causes=())
    assert found(rule_set, "frontend slow") == [("frontend", ("ui",))]
    assert found(rule_set, "query frontend slow") == [("query frontend", ("tool",))]


def test_tokens_whose_ending_belongs_to_the_word_are_not_stemmed() -> None:
    rule_set = replace(RULE_SET, categories={"queue": ("nats",)}, unstemmed=("nats",), rules=(), causes=())
    assert found(rule_set, "nats") == [("nats", ("queue",))]
    assert found(rule_set, "nat") == []
