import gc
import platform
import weakref
from pathlib import Path

from openclaw_stream.stream.memory import free_memory

_GLIBC = platform.libc_ver()[0] == "glibc"


class Node:
    """Part of a cycle."""


def resident() -> int:
    """Return the bytes of memory that this process takes, 0 where nobody tells."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def test_free_memory_between_what_stays_goes_back() -> None:
    blocks = [bytes(2000) for _ in range(50_000)]
    stays = blocks[::50]
    del blocks
    before = resident()
    free_memory(collect_garbage=False)
    given_back = before - resident()
    assert len(stays) == 1000
    assert given_back > 50_000_000 or not (_GLIBC and before)


def test_cycles_are_freed_when_asked_for() -> None:
    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    gone = weakref.ref(node)
    gc.collect()
    gc.disable()
    try:
        del node
        free_memory(collect_garbage=False)
        assert gone() is not None
        free_memory(collect_garbage=True)
        assert gone() is None
    finally:
        gc.enable()
