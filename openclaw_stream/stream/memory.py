"""Memory of a process that runs for months: when garbage is collected, and free memory is returned to the system."""

import ctypes
import gc
import platform

_TRIMS = platform.libc_ver()[0] == "glibc"


def reduce_garbage_collections() -> None:
    """Make the cyclic collector run rarely: alerts and groups form no cycles, and searching takes a quarter.

    It still has to run, since failed calls and clients form cycles that hold buffers.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)


def free_memory(*, collect_garbage: bool) -> None:
    """Return free memory to the system, in milliseconds; with `collect_garbage` after a full collection, in 0.1 s.

    Buffers of megabytes are allocated between small objects that stay: without this the heap of glibc only grows.
    """
    if collect_garbage:
        gc.collect()
    if _TRIMS:
        ctypes.CDLL(None).malloc_trim(0)
