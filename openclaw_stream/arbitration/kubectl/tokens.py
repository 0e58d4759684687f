"""Splits a command line into words without a shell; characters with a meaning in a shell are refused."""

import re
import unicodedata

from openclaw_stream.arbitration.kubectl.command import RefusedCommand

MAX_LENGTH = 800
"""Longest text that is parsed: the canonical form, with full kind and namespace, must fit 1,000 characters."""

_TOKEN = re.compile(r"""[ ]*(?=[^ ])(?P<word>[A-Za-z0-9._/=,:@%+-]*)(?P<quoted>'[^']*'|"(?:[^"\\]|\\")*")?(?=[ ]|\Z)""")
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
    "'": "quotes text; only the JSON of a patch may be quoted",
    '"': "quotes text; only the JSON of a patch may be quoted",
}
_CONTROLS = {"\n": "a line break", "\r": "a line break", "\t": "a tab", "\0": "a null character"}


def tokenise(text: str) -> list[str]:
    """Split a command line at blanks; only the JSON of a patch may be quoted.

    Raises:
        RefusedCommand: The text is too long, is not printable ASCII, or has characters with a meaning in a shell.
    """
    _check_characters(text)
    tokens: list[str] = []
    line = text.rstrip(" ")
    position = 0
    while position < len(line):
        match = _TOKEN.match(line, position)
        if match is None:
            raise RefusedCommand(_refusal(line[position:]))
        tokens.append(_unquoted(match, tokens[-1:]))
        position = match.end()
    return tokens


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise RefusedCommand(f"the command is longer than {MAX_LENGTH} characters")
    for char in text:
        if not " " <= char <= "~":
            name = _CONTROLS.get(char) or unicodedata.name(char, "an unnamed character")
            raise RefusedCommand(f"the command contains {name} (U+{ord(char):04X}); only printable ASCII is allowed")


def _unquoted(match: re.Match[str], before: list[str]) -> str:
    word, quoted = match["word"], match["quoted"]
    if not quoted:
        return word
    if word not in {"-p=", "--patch="} and not (not word and before and before[0] in {"-p", "--patch"}):
        raise RefusedCommand("the command contains quotes; only the JSON of a patch may be quoted")
    inner = quoted[1:-1]
    return word + (inner if quoted[0] == "'" else inner.replace('\\"', '"'))


def _refusal(rest: str) -> str:
    char = next((char for char in rest if not _WORD_CHARACTER.match(char)), "")
    return f"the shell character {char} {_SHELL.get(char, 'is not part of the grammar')}"
