"""Splits a command line into words without a shell; characters with a meaning in a shell are refused."""

import re
import unicodedata

from openclaw_stream.arbitration.kubectl.command import RefusedCommand

MAX_LENGTH = 800
"""Longest text that is parsed: the canonical form, with full kind and namespace, must fit 1,000 characters."""

_TOKEN = re.compile(
    r"""[ ]*(?=[^ ])(?:(?P<flag>--[a-z-]+=|-[a-z]=?)?(?P<quoted>'[^']*'|"(?:[^"\\]|\\")*")"""
    r"""|(?P<word>[A-Za-z0-9._/=,:@%+-]+))(?=[ ]|\Z)"""
)
_PLAIN = re.compile(r"[A-Za-z0-9._/=,:@%+-]+")
_PATCH_FLAGS = {"-p", "-p=", "--patch="}
_WORD_CHARACTER = re.compile(r"[A-Za-z0-9._/=,:@%+ -]")
_SHELL = {
    ";": "chains commands",
    "&": "chains commands",
    "|": "pipes into another command",
    "<": "redirects",
    ">": "redirects",
    "$": "is expanded",
    "`": "runs another command",
    "(": "opens a subshell",
    ")": "closes a subshell",
    "#": "starts a comment",
    "*": "matches many names",
    "?": "matches many names",
    "[": "matches many names",
    "]": "matches many names",
    "{": "expands to several words",
    "}": "expands to several words",
    "~": "expands to a home folder",
    "!": "expands to an earlier command",
    "\\": "hides the next character",
    "'": "quotes a part of a word; only a whole value may be quoted",
    '"': "quotes a part of a word; only a whole value may be quoted",
}
_CONTROLS = {"\n": "a line break", "\r": "a line break", "\t": "a tab", "\0": "a null character"}


def tokenise(text: str) -> list[str]:
    """Split a command line at blanks; a plain value may be quoted, and the JSON of a patch.

    A code mark around the whole text, or the prompt `$` before it, is ignored.

    Raises:
        RefusedCommand: The text is too long, is not printable ASCII, or has characters with a meaning in a shell.
    """
    _check_characters(text)
    tokens: list[str] = []
    line = _without_marks(text.rstrip(" "))
    position = 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise RefusedCommand(_refusal(line[position:]))
        tokens.append(match["word"] or _unquoted(match, tokens[-1:]))
        position = match.end()
    return tokens


def _without_marks(text: str) -> str:
    line = text.lstrip(" ")
    if line.startswith("`") and line.endswith("`") and line.count("`") == 2:  # noqa: PLR2004 - around the whole
        line = line.strip("` ")
    return line.removeprefix("$ ")


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise RefusedCommand(f"the command is longer than {MAX_LENGTH} characters")
    for char in text:
        if not " " <= char <= "~":
            name = _CONTROLS.get(char) or unicodedata.name(char, "an unnamed character")
            raise RefusedCommand(f"the command contains {name} (U+{ord(char):04X}); only printable ASCII is allowed")


def _unquoted(match: re.Match[str], before: list[str]) -> str:
    flag, inner = match["flag"] or "", match["quoted"][1:-1]
    if flag in _PATCH_FLAGS or (not flag and before and before[0] in {"-p", "--patch"}):
        return flag + (inner if match["quoted"][0] == "'" else inner.replace('\\"', '"'))
    if not _PLAIN.fullmatch(inner):
        raise RefusedCommand("the command quotes more than a plain value; only the JSON of a patch needs quotes")
    return flag + inner


def _refusal(rest: str) -> str:
    char = next((char for char in rest if not _WORD_CHARACTER.match(char)), "")
    return f"the shell character {char} {_SHELL.get(char, 'is not part of the grammar')}"
