"""The real worker, which tells on SIGUSR2 how many asyncio tasks it has: nothing outside a process can count them."""

import asyncio
import os
import signal
from pathlib import Path

from openclaw_stream.cli import main


def tell(signum: int, frame: object) -> None:
    """Write the number of tasks into a file named after the process."""
    del signum, frame
    told = Path(os.environ["CHAOS_FOLDER"]) / f"tasks-{os.getpid()}"
    told.write_text(f"{len(asyncio.all_tasks())}")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR2, tell)
    main()
