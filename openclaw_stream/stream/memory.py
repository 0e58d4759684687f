"""Memory of a process that runs for months: when garbage is looked for, and free memory goes back to the system."""

import ctypes
import gc
import platform

_TRIMS = platform.libc_ver()[0] == "glibc"


def calm_collector() -> None:
    """Have the cyclic collector run seldom: alerts and groups make no cycles, and looking for some takes a quarter.

    Failed calls and clients do make some, with their buffers, so it must not hardly ever run either.
    """
    gc.freeze()
    gc.set_threshold(50_000, 10, 5)


def tidy(*, garbage: bool) -> None:
    """Give what is free back to the system, in milliseconds; with `garbage` free cycles first, in a tenth of a second.

    Buffers of megabytes come and go between small objects that stay: the heap of glibc would else only ever grow.
    """
    if garbage:
        gc.collect()
    if _TRIMS:
        ctypes.CDLL(None).malloc_trim(0)
