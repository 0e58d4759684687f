"""The demo as a user starts it: a process with its output and its exit code."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka.admin import AdminClient

COMMAND = (sys.executable, "-m", "openclaw_stream", "demo")
QUICK = {"OPENCLAW_GROUP_WAIT": "1", "OPENCLAW_RESOLVE_HOLD": "1", "OPENCLAW_MAX_SILENCE": "3"}
WITHIN = 100
OWN_PREFIXES = (
    *("KAFKA_", "OPENCLAW_", "COL", "OLLAMA_", "GEMINI_", "CLAUDE_", "OPENAI_", "SIGNOZ_", "LANGFUSE_", "REDIS_"),
    *("AI_", "MOCK_", "SHADOW_"),
)
"""What the names of the settings begin with."""


def environment(temporary: Path, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_PREFIXES)}
    return {**kept, "TMPDIR": str(temporary), **variables}


def demo(*arguments: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], env=env, capture_output=True, text=True, check=False, timeout=WITHIN
    )
    assert "Traceback" not in done.stdout + done.stderr
    return done


def counts(output: str) -> dict[str, int]:
    """The rows of the summary table."""
    return {name.strip(): int(count) for name, count in re.findall(r"^│ ([a-z ]+?) +│ +(\d+) │", output, re.MULTILINE)}


def own_kafka(bootstrap: str) -> dict[str, str]:
    return {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, **QUICK}


def topics(bootstrap: str) -> set[str]:
    known = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}).list_topics(timeout=WITHIN).topics
    return {name for name in known if not name.startswith("__")}
