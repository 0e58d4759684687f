"""Values of an answer that say nothing or have another form than the schema: they are removed, and the rest stays."""

import re
from collections.abc import Iterable
from typing import Any, Final

Path = tuple[int | str, ...]

_AROUND: Final = " \t\r\n\"'`*_.,:;!()[]<>{}。，、：；！「」『』（）"
_NOTHING: Final = re.compile(
    r"(?:(?:n/?a|nil|null|none|no|nothing|noop|no-op|unknown|empty|tbd|-+)"
    r"|(?:none|not|no|nothing)(?: (?:kubectl|immediate|further|automatic))?"
    r"(?: (?:commands?|actions?|changes?|remediation))?(?: (?:is|are|was))?"
    r"(?: (?:required|needed|necessary|applicable|available|suggested|recommended|provided|specified|possible"
    r"|to run|to execute))?(?: (?:here|yet|now|at this time|for now))?"
    r"|(?:無|沒有|暫無|未提供|未指定|未知|不適用|不需要?|無需|無須|毋須|毋需|不必|不用|免|目前無需?)"
    r"(?:任何|執行|使用|採取|適用|進行|可用|建議)*(?:的)?(?:任何)?(?:kubectl)? ?(?:命令|指令|操作|動作|處置|變更|行動)?"
    r"|(?:无|没有|不适用|不需要?|无需|无须|不必)(?:任何|执行|采取|适用)*(?:kubectl)? ?(?:命令|指令|操作|动作)?)",
    re.IGNORECASE,
)
_LENGTH_MAX: Final = 80
_OF_COMMANDS: Final = re.compile(r"(?:^|\s)-|[/=|;&$<>{}\[\]`\\~*!^#\u2028\u2029]")


def is_nothing(text: str) -> bool:
    """Return whether a text says, in either language, that there is nothing: "None required", "不適用"."""
    words = " ".join(text.strip(_AROUND).split())
    return not words or (len(words) <= _LENGTH_MAX and bool(_NOTHING.fullmatch(words)))


def is_advice(text: str) -> bool:
    """Return whether a text is plain words, without what the flags and targets of a command have."""
    return not _OF_COMMANDS.search(text)


def odd_value(location: Path) -> Path:
    """Return the path of the value to remove for an error at a location: up to the first member of a list."""
    for depth, step in enumerate(location):
        if isinstance(step, int):
            return location[: depth + 1]
    return location


def last_first(paths: Iterable[Path]) -> list[Path]:
    """Return distinct paths in an order in which removing one does not move the others."""
    return sorted(set(paths), key=lambda path: [f"{step:>9}" for step in path], reverse=True)


def remove_value(values: Any, path: Path) -> None:
    """Remove the value at a path."""
    for step in path[:-1]:
        values = values[step]
    del values[path[-1]]
