"""Reads the facts that a text states, each with the words that state it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from openclaw_stream.arbitration.remedies import amounts, doubts, patterns
from openclaw_stream.arbitration.remedies.objections import OBJECTIONS
from openclaw_stream.arbitration.remedies.patterns import Fact
from openclaw_stream.text import safe_text

_TEXT_MAX = 2000
_QUOTE_MAX = 140
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[。！？；;\n“”|]+\s*")
_QUOTES = re.compile("[“”]")
_WORD_BREAK = re.compile(r"[_\s-]+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_VERSION = re.compile(r"[:@].*|(?:^|[-_.])v?\d[\w.+-]*$|^v$")
_CPU = r"(?<![A-Za-z])cpu(?!(?: \w+)? throttl)(?![A-Za-z])|處理器"
_MEMORY = r"\b(?:memory|mem|rss)\b|記憶體"
_FREE = r"\b(?:free|available|remaining)\s(?:\w+\s)?(?:memory|mem)\b|(?:可用|剩餘)的?記憶體"
_LOAD = (
    r"\btraffic\b|\brequest (?:rate|volume)|\brequests per second\b|\b[rq]ps\b|\bthroughput\b"
    r"|流量|請求(?:數|量)|負載(?!平衡|均衡)"
    r"|(?<!page )(?<!system )\bload\b(?! (?:balanc|average|time|test|shed))"
)
_HIGH_PERCENT, _LOW_PERCENT = 75, 50
_FULL_PERCENT = 80
_CPU_IDLE = re.compile(r"\bidle\b.{0,12}\bcpu\b|\bcpu\b.{0,12}\bidle\b|CPU\s?閒置", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact with its words, verbatim and on one line.

    `number` is that of the fact, 0 where it has none. `name` is what the fact is about, empty where the words do not
    say it or name the workload itself. `certain` is unset where the words only suppose or ask for it.
    """

    fact: Fact
    words: str
    certain: bool = True
    number: float = 0
    name: str = ""


@lru_cache(maxsize=4096)
def statements(text: str, own_names: tuple[str, ...] = ()) -> tuple[Statement, ...]:
    """Return the facts in a text of an alert; alerts of a system repeat their texts.

    Args:
        text: Any text.
        own_names: Names of the workload; within the text they are no evidence, a service may be called `stripe-proxy`.
    """
    lines = safe_text(text, _TEXT_MAX).splitlines()
    sentences = (" ".join(part.split()) for line in lines for part in _SENTENCE_END.split(line))
    return tuple(found for sentence in sentences if sentence for found in _in_sentence(sentence, own_names))


@lru_cache(maxsize=4096)
def named_facts(name: str) -> tuple[Statement, ...]:
    """Return the facts in the name of an alert, such as `CPUThrottlingHigh`; their words are the whole name."""
    words = quotable(name)
    spaced = " ".join(_WORD_BREAK.split(words))
    return tuple(
        Statement(found.fact, words, found.certain, found.number, found.name) for found in _in_sentence(spaced, ())
    )


def quotable(text: str) -> str:
    """Return a short text as it can be quoted: on one line, and of its parts between typographic quotes the longest."""
    return max(_QUOTES.split(safe_text(text, _QUOTE_MAX, one_line=True)), key=len).strip("… ")


def _in_sentence(sentence: str, own_names: tuple[str, ...]) -> Iterator[Statement]:
    masked = _masked(sentence, own_names)
    other = doubts.other_workload(masked)
    for fact, match in patterns.matches(masked):
        if fact is Fact.DEPENDENCY and not _is_of_others(patterns.OWN_POOL.sub(_filler, masked), match):
            continue
        if not _negated(masked, match) and not (fact is Fact.RELEASE and _is_old(masked, match)):
            words = _quote(sentence, match.start(), match.end())
            certain = _is_certain(masked, match.start(), match.end())
            certain = certain and not doubts.is_doubtful(fact, masked, match.start(), match.end())
            yield Statement(fact, words, certain, name=_other_name(match) or other)
    yield from _measured(sentence, masked, other)
    for fact, match in patterns.matches(masked, OBJECTIONS):
        yield Statement(fact, _quote(sentence, match.start(), match.end()), certain=False)


def _measured(sentence: str, masked: str, other: str) -> Iterator[Statement]:
    """Yield the facts of a sentence that have numbers or a direction."""
    certain = _is_certain(masked, len(masked), len(masked)) and not doubts.is_doubtful(Fact.CPU_HIGH, masked, 0, 0)
    words = _quote(sentence, 0, len(sentence))
    for fact, numbers in (
        (Fact.REPLICAS, amounts.replicas(masked)),
        (Fact.HPA_MAX, amounts.hpa_maximum(masked)),
        (Fact.MEMORY_LIMIT, amounts.memory_limits(masked)),
        (Fact.CPU_LIMIT, amounts.cpu_limits(masked)),
    ):
        for number in numbers:
            yield Statement(fact, words, certain, number, other)
    if not patterns.OF_OTHERS.search(masked):
        for found in filter(None, (_cpu(masked), _memory(masked), _load(masked))):
            yield Statement(found, words, certain, name=other)


def _cpu(sentence: str) -> Fact | None:
    direction = _level(_CPU, sentence, _HIGH_PERCENT, _LOW_PERCENT)
    if _CPU_IDLE.search(sentence):
        direction = -direction
    return {1: Fact.CPU_HIGH, -1: Fact.CPU_LOW}.get(direction)


def _memory(sentence: str) -> Fact | None:
    if re.search(_FREE, sentence, re.IGNORECASE):
        return Fact.MEMORY_HIGH if amounts.direction_of(_FREE, sentence) < 0 else None
    return Fact.MEMORY_HIGH if _level(_MEMORY, sentence, _FULL_PERCENT, 0) > 0 else None


def _load(sentence: str) -> Fact | None:
    return Fact.LOAD if amounts.direction_of(_LOAD, sentence) > 0 else None


def _level(noun: str, sentence: str, high: float, low: float) -> int:
    """Return 1 for high, -1 for low and 0 for neither, by the percentage in the sentence, else by its words."""
    found = amounts.percent_of(noun, sentence)
    if found is None:
        return amounts.direction_of(noun, sentence)
    percent, compared = found
    if compared > 0:
        return 1 if percent >= low else 0
    return 1 if percent >= high and not compared else -1 if percent <= low else 0


def _masked(sentence: str, own_names: tuple[str, ...]) -> str:
    for name in own_names:
        sentence = re.sub(rf"(?<![\w.-]){re.escape(name)}(?!\w|\.\w)", _filler, sentence, flags=re.IGNORECASE)
    return sentence


def _filler(match: re.Match[str]) -> str:
    return "x" * len(match[0])


def _is_of_others(without_pool: str, match: re.Match[str]) -> bool:
    """Return whether a dependency is still named without the workload's own pool, or by a name that is not its own."""
    if match.groupdict().get("name"):
        return bool(_other_name(match))
    return any(fact is Fact.DEPENDENCY for fact, _ in patterns.matches(without_pool))


def _other_name(match: re.Match[str]) -> str:
    """Return what the words name without its version; empty where that is the workload, or only a version."""
    name = _VERSION.sub("", match.groupdict().get("name") or "")
    return name if name.strip("x").strip("-_.") else ""


def _negated(sentence: str, match: re.Match[str]) -> bool:
    return bool(
        doubts.NEGATED_BEFORE.search(sentence[: match.start()]) or doubts.NEGATED_AFTER.search(sentence[match.end() :])
    )


def _is_old(sentence: str, match: re.Match[str]) -> bool:
    return bool(doubts.NOT_NEW.search(sentence[: match.start()]))


def _is_certain(sentence: str, start: int, end: int) -> bool:
    return not (doubts.UNCERTAIN_BEFORE.search(sentence[:start]) or doubts.UNCERTAIN_AFTER.search(sentence[end:]))


def _quote(sentence: str, start: int, end: int) -> str:
    """Return the sentence, or of a long one the words around what was found."""
    if len(sentence) <= _QUOTE_MAX:
        return sentence.strip("… ")
    room = max(0, _QUOTE_MAX - (end - start)) // 2
    first, last = max(0, start - room), min(len(sentence), max(end, start + 1) + room)
    if first and " " in sentence[first:start]:
        first = sentence.index(" ", first)
    if last < len(sentence) and " " in sentence[end:last]:
        last = sentence.rindex(" ", end, last)
    return sentence[first : min(last, first + _QUOTE_MAX)].strip("… ")
