"""Lists in checks and tuning of what each product offers for the same step, such as ``{postgresql: `pg_isready` | …}``.

Of a list is shown: the part of the product that the alert names; nothing where the alert names others only; everything
where it names none. The keys are ids of technologies. A list stands in parentheses or after a colon, which go with it
where nothing of it is shown, or is the whole text.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from openclaw_stream.arbitration.rules.rule_set import Technology
from openclaw_stream.vocabulary import Responsibility

_LIST = re.compile(r"`[^`]*`|(?P<before> ?[(（]|[:：] ?)?\{(?P<parts>[a-z][a-z0-9_]*: [^{}]+)\}(?P<after>[)）])?")
"""A list, or code outside of lists, whose braces mean something else."""

_KEY = re.compile(r"([a-z][a-z0-9_]*): ")
_BETWEEN = re.compile(r" \| (?=[a-z][a-z0-9_]*: )")
_OPENING = re.compile(r"\{\s*[a-z][a-z0-9_]*:")


def chosen(text: str, named: Mapping[str, Technology], team: Responsibility, separator: str) -> str:
    """Return a text with what is shown of its lists; empty where the text is one list of other products.

    Args:
        text: A check or advice from the rule set.
        named: The technologies that the alert names, by id.
        team: The responsible team; only a technology of this team shows that the other products are not meant.
        separator: What stands between the parts of a list, in the language of the text.
    """

    def shown(match: re.Match[str]) -> str:
        if not match["parts"]:
            return match[0]
        parts = _parts(match)
        keys = _keys_of(named, parts)
        if not keys and all(each.team is not team for each in named.values()):
            keys = list(parts)
        before, after = match["before"] or "", match["after"] or ""
        return f"{before}{separator.join(parts[key] for key in keys)}{after}" if keys else ""

    return _LIST.sub(shown, text)


def _keys_of(named: Mapping[str, Technology], parts: Collection[str]) -> Sequence[str]:
    """Return the parts for what is named; else those whose commands work there too, as MySQL's do in Galera."""
    own = [key for key in parts if key in named]
    general = {key for each in own for key in named[each].commands_of}
    works = {key for each in named.values() for key in each.commands_of}
    return [key for key in own if key not in general] or [key for key in parts if key in works]


def _parts(match: re.Match[str]) -> dict[str, str]:
    return {key: text for part in _BETWEEN.split(match["parts"]) for key, text in (_KEY.split(part, 1)[1:],)}


def keys_of_lists(text: str) -> list[list[str]]:
    """Return the ids of technologies in each list of a text."""
    return [list(_parts(match)) for match in _LIST.finditer(text) if match["parts"]]


def without_lists(text: str) -> str:
    """Return a text without its lists."""
    return _LIST.sub(lambda match: "" if match["parts"] else match[0], text)


def check_lists(text: str, technologies: Collection[str]) -> None:
    """Check the lists of a text.

    Raises:
        ValueError: A list is malformed, names an unknown technology, or would leave a broken sentence behind.
    """
    for match in filter(lambda each: each["parts"], _LIST.finditer(text)):
        if unknown := sorted(_parts(match).keys() - set(technologies)):
            raise ValueError(f"unknown technologies {', '.join(unknown)} in the list of {text!r}")
        before, after = (match["before"] or "").strip(), match["after"] or ""
        is_enclosed = before + after in {"()", "（）"} or (before in {":", "："} and not after)
        if not is_enclosed and match[0] != text:
            raise ValueError(f"a list must stand in parentheses or after a colon in {text!r}")
    if _OPENING.search(_LIST.sub("", text)):
        raise ValueError(f"malformed list in {text!r}")
