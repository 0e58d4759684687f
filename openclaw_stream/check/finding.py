"""What was found of one dependency, and how it is printed."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from openclaw_stream.text.display import visible

_TEXT_MAX = 1500


class FindingStatus(StrEnum):
    """State of a dependency: works in full, is there but does not, or is missing (or cannot be used)."""

    WORKS = "works"
    DEGRADED = "degraded"
    MISSING = "missing"


_STYLES = {FindingStatus.WORKS: "green", FindingStatus.DEGRADED: "yellow", FindingStatus.MISSING: "bright_black"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a dependency, and what to do about it; `fatal` if the worker cannot run with it."""

    dependency: str
    state: FindingStatus
    text: str
    fatal: bool = False


async def bounded(dependency: str, probe: Awaitable[Finding], seconds: float, *, needed: bool = False) -> Finding:
    """Return what a probe finds, or why it did not: its fault must not hide the state of the other dependencies."""
    try:
        async with asyncio.timeout(seconds):
            return await probe
    except TimeoutError:
        text = f"no answer within {seconds:g} s; see whether its address is right and nothing drops the packets"
    except Exception as error:  # noqa: BLE001 - as the docstring says
        text = f"{type(error).__name__}: {error}"
    return Finding(dependency, FindingStatus.MISSING if needed else FindingStatus.DEGRADED, text, fatal=needed)


def show(findings: Sequence[Finding], console: Console) -> None:
    """Print a table on a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        for found in findings:
            needed = " (needed)" if found.fatal else ""
            line = f"{found.state:<8}  {found.dependency}{needed}: {_line(found)}"
            console.print(line, markup=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", "dependency", "what was found"):
        table.add_column(heading, overflow="fold")
    for found in findings:
        style = "red" if found.fatal else _STYLES[found.state]
        table.add_row(Text(found.state, style=style), Text(found.dependency), Text(_line(found)))
    console.print(table)


def _line(found: Finding) -> str:
    return visible(" ".join(found.text.split()), _TEXT_MAX)
