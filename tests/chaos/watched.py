"""The real worker, which writes its number of asyncio tasks on SIGUSR2: they cannot be counted from outside."""

import asyncio
import os
import signal
from pathlib import Path

from openclaw_stream.cli import main


def write_task_count(signum: int, frame: object) -> None:
    """Write the number of tasks into a file named after the process."""
    del signum, frame
    path = Path(os.environ["CHAOS_FOLDER"]) / f"tasks-{os.getpid()}"
    path.write_text(f"{len(asyncio.all_tasks())}")


if __name__ == "__main__":
    signal.signal(signal.SIGUSR2, write_task_count)
    main()
