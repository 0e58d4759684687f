"""Texts written by strangers or models: made fit to be published."""

import unicodedata

from openclaw_stream.text.redaction import redact, redact_start

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_KEPT = "\n\t"


def clean(text: str, limit: int) -> str:
    """Return a text without hidden characters or secrets, at most `limit` long."""
    shown = redact(shown_part(text).strip())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def shown_part(text: str) -> str:
    """Return a text without control, bidirectional and invisible characters; lines and tabs stay."""
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(char for char in lines if char in _KEPT or not is_hidden(char))


def visible(text: str, limit: int) -> str:
    """Return a text with all but plain characters and blanks written as `<U+202E>`, without secrets, cut to `limit`."""
    # Redacted first: written out, a character that hides a secret would keep it hidden.
    safe = redact_start(text, 2 * limit)
    shown = "".join(char if char.isprintable() else f"<U+{ord(char):04X}>" for char in safe)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def is_hidden(char: str) -> bool:
    """Tell whether a character is one that a reader cannot see, or that changes how others are seen."""
    return unicodedata.category(char) in _HIDDEN
