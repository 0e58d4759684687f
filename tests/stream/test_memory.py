import gc
import platform
import weakref
from pathlib import Path

from openclaw_stream.stream.memory import free_memory

_GLIBC = platform.libc_ver()[0] == "glibc"


class Node:
    """Part of a reference cycle."""


def resident() -> int:
    """Return the resident memory of this process in bytes, 0 where it cannot be read."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * 4096 if statm.exists() else 0


def test_free_memory_between_live_objects_is_returned_to_the_system() -> None:
    blocks = [bytes(2000) for _ in range(50_000)]
    live = blocks[::50]
    del blocks
    before = resident()
    free_memory(collect_garbage=False)
    returned = before - resident()
    assert len(live) == 1000
    assert returned > 50_000_000 or not (_GLIBC and before)


def test_reference_cycles_are_freed_on_request() -> None:
    node = Node()
    node.itself = node  # type: ignore[attr-defined]
    reference = weakref.ref(node)
    gc.collect()
    gc.disable()
    try:
        del node
        free_memory(collect_garbage=False)
        assert reference() is not None
        free_memory(collect_garbage=True)
        assert reference() is None
    finally:
        gc.enable()
