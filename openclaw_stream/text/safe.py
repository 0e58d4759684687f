"""Untrusted text made safe to publish, log or display: one function, one order of steps."""

import re
import string
from collections.abc import Collection
from enum import Enum
from functools import lru_cache

from openclaw_stream.text.hidden import escape_hidden, without_hidden
from openclaw_stream.text.redaction import plain, redact

_OWN_KEY = "[redacted:key]"
_WORD_MAX = 256
_WORD_CHARS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_WORD_FORMS = _WORD_CHARS | {""}  # invisible characters have an empty plain form
_CONTEXT_MAX = 60
_PLAIN_NAME = re.compile(r"[a-z0-9]{1,15}(?:[-.][a-z0-9]{1,15}){0,15}")
"""Most names. No vendor's token consists of parts as short as these, so there is nothing to redact or hide."""
_NOT_IN_NAMES = re.compile(r"[^\w .-]")


class Hidden(Enum):
    """What becomes of hidden characters (controls, direction marks, zero-width characters)."""

    DROP = "drop"
    """Removed, with white space at both ends; line breaks and tabs stay. For text that people and models read."""
    ESCAPE = "escape"
    """Written as `<U+202E>`, line breaks and tabs too. For text quoted in a message, where they may be the fault."""
    ESCAPE_KEEP_LINES = "escape-keep-lines"
    """Written as `<U+202E>`; line breaks and tabs stay. For tracebacks and messages of several lines."""
    KEEP = "keep"
    """Unchanged. For evidence, where names that only look alike must stay different."""


def safe_text(
    text: str,
    limit: int,
    *,
    hidden: Hidden = Hidden.DROP,
    one_line: bool = False,
    show_length: bool = False,
    name: str = "",
    secrets: Collection[str] = (),
) -> str:
    """Return a text without secrets, at most `limit` characters long; a text that is cut ends with `…`.

    The order of the steps is fixed, and each protects the next:

    1. `secrets` are replaced in the whole text, and white space is joined: a bound could cut through a secret.
    2. The input is bounded to about twice the limit, so that the time does not depend on the sender. The word at the
       bound is left out: half a secret has no sign any more.
    3. Secrets are redacted. Redaction sees through hidden characters and escapes, so it comes before these are escaped.
    4. Hidden characters are dropped, escaped or kept. What dropping them has joined is redacted again.
    5. The result is cut.

    Args:
        text: Any text.
        limit: Characters of the result, at least 1.
        hidden: What becomes of hidden characters.
        one_line: Replace each run of white space by one blank.
        show_length: End a text that is cut with its length too, such as `… (70000 characters)`; `limit` is 30 or more.
        name: The name of the label or field that has this text: it may show that a value is a secret.
        secrets: Own keys that the text may contain.
    """
    length, bound = len(text), 2 * limit
    if length <= limit and not name and not secrets and _PLAIN_NAME.fullmatch(text):
        return text
    text = _without(text, secrets)
    if one_line:
        text = " ".join(text.split(maxsplit=bound))
    start = _start(text, bound)
    redacted = _redact_value(start, name) if name else redact(start)
    shown = _show(redacted, hidden, secrets)
    if one_line and shown != redacted:
        shown = " ".join(shown.split())  # a hidden character stood between two blanks
    if len(shown) <= limit and start is text:
        return shown
    ending = f"… ({length} characters)" if show_length else "…"
    return shown[: limit - len(ending)] + ending


def _without(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        if secret:
            text = text.replace(secret, _OWN_KEY)
    return text


def _start(text: str, bound: int) -> str:
    """Return about `bound` characters of a text, 256 more at most; the text itself where it is not longer.

    The word at the bound is left out; of a longer one so much is kept that a secret is recognised by its start.
    """
    if len(text) <= bound + _WORD_MAX:
        return text
    more = text[bound : bound + _WORD_MAX]
    end = len(more)
    while end and _in_word(more[end - 1]):
        end -= 1
    return text[:bound] + (more[:end] or more)


def _in_word(char: str) -> bool:
    return char in _WORD_CHARS or (not char.isspace() and plain(char) in _WORD_FORMS)


def _redact_value(text: str, name: str) -> str:
    """Redact a value behind its name: `password=x` is known as a secret, `x` is not."""
    prefix = _context(name)
    redacted = redact(prefix + text)
    if redacted.startswith(prefix):
        return redacted[len(prefix) :]
    # The name itself is a secret, or was taken as part of one.
    _, sign, value = redacted.partition("=")
    return value if sign else redacted


@lru_cache(maxsize=1024)
def _context(name: str) -> str:
    return f"{_NOT_IN_NAMES.sub('', plain(name[-_CONTEXT_MAX:]))}="


def _show(text: str, hidden: Hidden, secrets: Collection[str]) -> str:
    if text.isprintable() and hidden is not Hidden.DROP:
        return text
    match hidden:
        case Hidden.KEEP:
            return text
        case Hidden.ESCAPE | Hidden.ESCAPE_KEEP_LINES:
            return escape_hidden(text, keep_lines=hidden is Hidden.ESCAPE_KEEP_LINES)
        case Hidden.DROP:
            shown = without_hidden(text)
            return (shown if shown == text else redact(_without(shown, secrets))).strip()
