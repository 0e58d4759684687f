"""The finding about one dependency, and how findings are printed."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from openclaw_stream.text import Hidden, safe_text

_TEXT_MAX = 1500


class FindingStatus(StrEnum):
    """State of a dependency: it works, does not work in full, or is missing or unusable."""

    WORKS = "works"
    DEGRADED = "degraded"
    MISSING = "missing"


_STYLES = {FindingStatus.WORKS: "green", FindingStatus.DEGRADED: "yellow", FindingStatus.MISSING: "bright_black"}


@dataclass(frozen=True, slots=True)
class Finding:
    """State of a dependency and what to do about it; `fatal` if the worker cannot run in this state."""

    dependency: str
    state: FindingStatus
    text: str
    fatal: bool = False


async def run_probe(dependency: str, probe: Awaitable[Finding], seconds: float, *, needed: bool = False) -> Finding:
    """Return the finding of a probe, also for a timeout or error: it must not hide the other dependencies."""
    try:
        async with asyncio.timeout(seconds):
            return await probe
    except TimeoutError:
        text = f"no answer within {seconds:g} s; check its address and the network"
    except Exception as error:  # noqa: BLE001 - see the docstring
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
    for heading in ("", "dependency", "finding"):
        table.add_column(heading, overflow="fold")
    for found in findings:
        style = "red" if found.fatal else _STYLES[found.state]
        table.add_row(Text(found.state, style=style), Text(found.dependency), Text(_line(found)))
    console.print(table)


def _line(found: Finding) -> str:
    return safe_text(found.text, _TEXT_MAX, hidden=Hidden.ESCAPE, one_line=True)
