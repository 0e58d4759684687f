"""Texts written by strangers or models: made fit to be published."""

import unicodedata

from openclaw_stream.telemetry.redaction import redact

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_KEPT = "\n\t"


def clean(text: str, limit: int) -> str:
    """Return a text without control, bidirectional and invisible characters or secrets, at most `limit` long."""
    seen = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    shown = redact("".join(char for char in seen if char in _KEPT or not is_hidden(char)).strip())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def visible(text: str, limit: int) -> str:
    """Return a text with hidden characters written as `<U+202E>`, without secrets, at most `limit` long."""
    shown = redact("".join(f"<U+{ord(char):04X}>" if is_hidden(char) else char for char in text[: 2 * limit]))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def is_hidden(char: str) -> bool:
    """Tell whether a character is one that a reader cannot see, or that changes how others are seen."""
    return unicodedata.category(char) in _HIDDEN
