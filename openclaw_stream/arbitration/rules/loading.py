"""Reads the rule set from the TOML files in this folder.

vocabulary/*.toml  terms by category; matching ignores case, plural and word separators, the longest term wins, and a
                   term may have several categories
routing.toml       rules from categories to the responsible team, field weights, the confidence curve
causes/*.toml      per team: likely causes, what to check first, and tuning, in both languages
technologies/*.toml  products and platforms: the terms that name them, and what to check first
                   (checks and tuning may have lists of what each product offers: see alternatives.py)
subjects.toml      what to check first by kind of subject, where nothing more is known
phrases.toml       the sentences of a judgement
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from openclaw_stream.arbitration.rules.alternatives import check_lists
from openclaw_stream.arbitration.rules.rule_set import (
    Cause,
    Checks,
    Condition,
    ConfidenceCurve,
    FieldWeights,
    Rule,
    RuleSet,
    SecondTeam,
    Technology,
    TuningAdvice,
)
from openclaw_stream.vocabulary import Language, Responsibility, TuningType


def sources() -> dict[str, str]:
    """Return the text of all TOML files of the rule set by relative path."""
    root = files(__package__)
    folders = {"": root} | {f"{name}/": root / name for name in ("causes", "technologies", "vocabulary")}
    return {
        f"{prefix}{entry.name}": entry.read_text(encoding="utf-8")
        for prefix, folder in folders.items()
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    }


def version(texts: Mapping[str, str]) -> str:
    """Return a hash of all files, 12 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def parse(texts: Mapping[str, str]) -> RuleSet:
    """Parse the rule set from the text of its files by relative path.

    Raises:
        ValueError: A rule uses an unknown category, a name is defined twice, or a list of alternatives is malformed.
        KeyError: A part is missing.
    """
    parsed = {name: tomllib.loads(text) for name, text in texts.items()}
    vocabulary = _merged(parsed, "vocabulary")
    unstemmed = tuple(term for terms in vocabulary.pop("unstemmed").values() for term in terms)
    routing = parsed["routing.toml"]
    rule_set = RuleSet(
        categories=dict(_categories(vocabulary)),
        unstemmed=unstemmed,
        rules=tuple(_rule(rule, routing["groups"]) for rule in routing["routing"]["rules"]),
        causes=tuple(_cause(key, cause) for key, cause in _merged(parsed, "causes").items()),
        technologies=tuple(_technology(key, entry) for key, entry in _merged(parsed, "technologies").items()),
        subjects={kind: _checks(entry) for kind, entry in parsed["subjects.toml"].items()},
        fields=_fields(routing["fields"]),
        symptoms=frozenset(routing["ownership"]["symptoms"]),
        resources=tuple(routing["ownership"]["resources"]),
        confidence=_confidence_curve(routing["confidence"]),
        phrases={language: parsed["phrases.toml"][language] for language in Language},
        seconds=tuple(map(_second_team, routing["second"]["beside"])),
        close_seconds=tuple(map(_second_team, routing["second"]["close"])),
    )
    rule_set.check()
    for text in _texts_with_lists(rule_set):
        check_lists(text, {each.id for each in rule_set.technologies})
    return rule_set


def _texts_with_lists(rule_set: RuleSet) -> Iterator[str]:
    """Yield all texts that may have lists of alternatives."""
    by_cause, by_technology = [each.checks for each in rule_set.causes], [each.checks for each in rule_set.technologies]
    for checks in (*by_cause, *by_technology, *rule_set.subjects.values()):
        for texts in checks.values():
            yield from texts
    for advice in (item for cause in rule_set.causes for item in cause.tuning):
        yield from (*advice.text.values(), advice.config)


def _merged(parsed: Mapping[str, Mapping[str, Any]], folder: str) -> dict[str, Any]:
    """Return the entries of all files of a folder, in the order of the file names."""
    entries: dict[str, Any] = {}
    for name in sorted(parsed):
        if name.startswith(f"{folder}/"):
            repeated = entries.keys() & parsed[name]
            if repeated:
                raise ValueError(f"{name} repeats {', '.join(sorted(repeated))}")
            entries |= parsed[name]
    return entries


def _categories(vocabulary: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each category with all its terms, then its subcategories as `category.subcategory`."""
    for category, groups in vocabulary.items():
        yield category, tuple(term for terms in groups.values() for term in terms)
        for group, terms in groups.items():
            yield f"{category}.{group}", tuple(terms)


def _conditions(when: str) -> tuple[Condition, ...]:
    return tuple(tuple(condition.split("|")) for condition in when.split())


def _rule(entry: Mapping[str, Any], groups: Mapping[str, str]) -> Rule:
    unless = [
        category
        for name in entry.get("unless", "").split()
        for category in (groups[name[1:]].split() if name.startswith("@") else [name])
    ]
    return Rule(Responsibility(entry["team"]), _conditions(entry["when"]), tuple(unless), float(entry["weight"]))


def _second_team(entry: Mapping[str, str]) -> SecondTeam:
    return SecondTeam(Responsibility(entry["first"]), Responsibility(entry["second"]), _conditions(entry["when"]))


def _cause(key: str, entry: Mapping[str, Any]) -> Cause:
    when = entry["when"]
    return Cause(
        id=key,
        team=Responsibility(entry["team"]),
        alternatives=tuple(_conditions(each) for each in ([when] if isinstance(when, str) else when)),
        unless=tuple(entry.get("unless", "").split()),
        refines=entry.get("refines", False),
        depth=int(entry["depth"]),
        title=_by_language(entry, "title"),
        explanation=_by_language(entry, "explanation"),
        checks={language: tuple(entry[language]["checks"]) for language in Language},
        tuning=tuple(
            TuningAdvice(TuningType(item["type"]), _by_language(item), item.get("config", ""))
            for item in entry.get("tuning", ())
        ),
    )


def _technology(key: str, entry: Mapping[str, Any]) -> Technology:
    commands_of = tuple(entry.get("commands_of", ()))
    return Technology(
        key, entry["name"], Responsibility(entry["team"]), tuple(entry["terms"]), _checks(entry), commands_of
    )


def _checks(entry: Mapping[str, Any]) -> Checks:
    return {language: tuple(entry[language]) for language in Language}


def _by_language(entry: Mapping[str, Any], key: str = "") -> dict[Language, str]:
    return {language: entry[language][key] if key else entry[language] for language in Language}


def _fields(entry: Mapping[str, Any]) -> FieldWeights:
    fields: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    return FieldWeights(**fields)


def _confidence_curve(entry: Mapping[str, Any]) -> ConfidenceCurve:
    return ConfidenceCurve(
        margins=tuple((float(x), float(y)) for x, y in entry["margins"]),
        ceilings=tuple((float(x), float(y)) for x, y in entry["ceilings"]),
        unknown=float(entry["unknown"]),
    )
