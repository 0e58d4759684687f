"""Reading the table of rules from the TOML files beside this module.

vocabulary/*.toml headings and their words: singular and plural, CamelCase, snake_case and hyphens are alike, the
                  longest word wins, and a word may stand under several headings
routing.toml      from headings to the responsible team, with weights; how sure a margin makes
causes/*.toml     per team: what it may be, what to do, what to tune, in both languages
phrases.toml      the sentences around them
"""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

from openclaw_stream.arbitration.rules.table import Cause, Fields, Need, Row, Sureness, Table, Tuning
from openclaw_stream.vocabulary import Language, Responsibility, TuningType


def sources() -> dict[str, str]:
    """Return the text of the files that make up the table, by name."""
    root = files(__package__)
    found = {"": root, "causes/": root / "causes", "vocabulary/": root / "vocabulary"}
    return {
        f"{folder}{entry.name}": entry.read_text(encoding="utf-8")
        for folder, place in found.items()
        for entry in place.iterdir()
        if entry.name.endswith(".toml")
    }


def version(texts: Mapping[str, str]) -> str:
    """Return a short hash of the table's content: it changes when any rule does."""
    digest = hashlib.sha256()
    for name, text in sorted(texts.items()):
        digest.update(f"{name}\0{text}\0".encode())
    return digest.hexdigest()[:12]


def parse(texts: Mapping[str, str]) -> Table:
    """Read the table from the text of its files by name.

    Raises:
        ValueError: a rule asks for what does not exist, or something is there twice.
        KeyError: a part is missing.
    """
    read = {name: tomllib.loads(text) for name, text in texts.items()}
    vocabulary = _folder(read, "vocabulary")
    as_is = tuple(word for words in vocabulary.pop("as_is").values() for word in words)
    routing = read["routing.toml"]
    table = Table(
        headings=dict(_headings(vocabulary)),
        as_is=as_is,
        rows=tuple(_row(row, routing["groups"]) for row in routing["table"]["rows"]),
        causes=tuple(_cause(key, cause) for key, cause in _folder(read, "causes").items()),
        fields=_fields(routing["fields"]),
        sureness=_sureness(routing["sureness"]),
        phrases={language: read["phrases.toml"][language] for language in Language},
    )
    table.check()
    return table


def _folder(read: Mapping[str, Mapping[str, Any]], folder: str) -> dict[str, Any]:
    """Return the entries of a folder's files, in the order of their names."""
    entries: dict[str, Any] = {}
    for name in sorted(read):
        if name.startswith(f"{folder}/"):
            twice = entries.keys() & read[name]
            if twice:
                raise ValueError(f"{name} repeats {', '.join(sorted(twice))}")
            entries |= read[name]
    return entries


def _headings(vocabulary: Mapping[str, Mapping[str, list[str]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for heading, groups in vocabulary.items():
        yield heading, tuple(word for words in groups.values() for word in words)
        for group, words in groups.items():
            yield f"{heading}.{group}", tuple(words)


def _needs(when: str) -> tuple[Need, ...]:
    return tuple(tuple(need.split("|")) for need in when.split())


def _row(row: Mapping[str, Any], groups: Mapping[str, str]) -> Row:
    unless = [
        heading
        for word in row.get("unless", "").split()
        for heading in (groups[word[1:]].split() if word.startswith("@") else [word])
    ]
    return Row(Responsibility(row["team"]), _needs(row["when"]), tuple(unless), float(row["weight"]))


def _cause(key: str, cause: Mapping[str, Any]) -> Cause:
    when = cause["when"]
    return Cause(
        id=key,
        team=Responsibility(cause["team"]),
        ways=tuple(_needs(way) for way in ([when] if isinstance(when, str) else when)),
        depth=int(cause["depth"]),
        remedy=cause.get("remedy", "none"),
        title=_texts(cause, "title"),
        what=_texts(cause, "what"),
        first=_texts(cause, "first"),
        tuning=tuple(
            Tuning(TuningType(item["type"]), _texts(item), item.get("config", "")) for item in cause.get("tuning", ())
        ),
    )


def _texts(source: Mapping[str, Any], key: str = "") -> dict[Language, str]:
    return {language: source[language][key] if key else source[language] for language in Language}


def _fields(read: Mapping[str, Any]) -> Fields:
    fields: dict[str, Any] = {
        key: frozenset(value) if isinstance(value, list) else value for key, value in read.items()
    }
    return Fields(**fields)


def _sureness(read: Mapping[str, Any]) -> Sureness:
    return Sureness(
        margins=tuple((float(x), float(y)) for x, y in read["margins"]),
        ceilings=tuple((float(x), float(y)) for x, y in read["ceilings"]),
        unknown=float(read["unknown"]),
    )
