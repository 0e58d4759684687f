"""Hidden characters: those that a reader cannot see, or that change how other characters are displayed."""

import unicodedata

_HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_LINES = "\n\t"


def is_hidden(char: str) -> bool:
    """Return whether a character is a control, format, surrogate, private-use, unassigned or separator character."""
    return unicodedata.category(char) in _HIDDEN_CATEGORIES


def without_hidden(text: str) -> str:
    """Return a text without hidden characters; line breaks and tabs stay, and every line break becomes a line feed."""
    if text.isprintable():
        return text
    lines = text.replace("\r\n", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "\n".join(line if line.isprintable() else _visible(line) for line in lines.split("\n"))


def _visible(line: str) -> str:
    return "".join(char for char in line if char == "\t" or not is_hidden(char))


def escape_hidden(text: str, *, keep_lines: bool = False) -> str:
    """Return a text with each character that is not printable as its code point, such as `<U+202E>`.

    Args:
        text: Any text.
        keep_lines: Leave line breaks and tabs as they are.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or (keep_lines and char in _LINES) else _escape(char) for char in text)


def _escape(char: str) -> str:
    return f"<U+{ord(char):04X}>"
