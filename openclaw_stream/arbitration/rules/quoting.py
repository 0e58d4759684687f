"""What a decision quotes of an alert: its own words on one line, cut, redacted and without hidden characters."""

import re
from collections.abc import Sequence
from typing import Final

from openclaw_stream.incidents.case import Case, Exemplar
from openclaw_stream.text import safe_text

QUOTE_MAX: Final = 600
"""Characters of a quote."""

_NAME_MAX = 80
_ANNOTATIONS = ("summary", "title"), ("description", "message")
_IDENTIFIER = re.compile(r"[\w.:/@+#-]+", re.ASCII)


def first_named(case: Case, name: str) -> Exemplar | None:
    """Return the first alert of a name."""
    return next((each for each in case.exemplars if each.name == name), None)


def quote(case: Case, name: str) -> str:
    """Return what the first alert of a name says: of message, summary and description what each adds to the others."""
    exemplar = first_named(case, name)
    if exemplar is None:
        return ""
    annotations = {key.lower(): value for key, value in exemplar.annotations.items()}
    texts = [line(exemplar.message)]
    texts += [next((text for key in keys if (text := line(annotations.get(key, "")))), "") for keys in _ANNOTATIONS]
    return cut(" / ".join(_without_repeats(texts)), QUOTE_MAX)


def _without_repeats(texts: Sequence[str]) -> list[str]:
    """Return the texts that add to the others, in order; of equal ones the first."""
    lowered = [text.lower() for text in texts]
    return [
        text
        for position, text in enumerate(texts)
        if not any(
            lowered[position] in other and (lowered[position] != other or n < position)
            for n, other in enumerate(lowered)
            if n != position
        )
    ]


def is_identifier(name: str) -> bool:
    """Return whether a name is one word of ASCII letters, digits and separators; others stand in quotation marks."""
    return _IDENTIFIER.fullmatch(name) is not None


def mentions(text: str, value: str) -> bool:
    """Return whether a text has a value as a word, in any case."""
    return re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", text, re.IGNORECASE) is not None


def line(text: str) -> str:
    """Return untrusted text on one line, without the full stop at its end."""
    return cut(single_line(text, 2 * QUOTE_MAX), QUOTE_MAX).rstrip(".。 ")


def cut(text: str, limit: int) -> str:
    """Cut a text after a word."""
    if len(text) <= limit:
        return text
    return (text[: limit - 1].rpartition(" ")[0] or text[: limit - 1]).rstrip(",;:，；：、 ") + "…"


def single_line(text: str, limit: int = _NAME_MAX) -> str:
    """Return untrusted text on one line of at most `limit` characters, without secrets and hidden characters."""
    return safe_text(text, limit, one_line=True)
