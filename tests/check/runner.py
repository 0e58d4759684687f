"""Runs `openclaw-stream check` for the tests, in the process and as a program."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest

from openclaw_stream.check import Finding, check
from openclaw_stream.settings import Settings, load_settings

OWN = (
    "OPENCLAW_",
    "KAFKA_",
    "REDIS_",
    "SIGNOZ_",
    "LANGFUSE_",
    "OLLAMA_",
    "GEMINI_",
    "CLAUDE_",
    "OPENAI_",
    "AI_",
    "MOCK_",
)
"""Prefixes of the environment variables that the program reads."""

Environment = dict[str, str]


def settings_of(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


async def findings(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> dict[str, Finding]:
    found = await check(settings_of(monkeypatch, variables))
    assert len({each.dependency for each in found}) == len(found)
    return {each.dependency: each for each in found}


async def call(variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    command = [sys.executable, "-m", "openclaw_stream", "check", *arguments]
    return await asyncio.to_thread(
        subprocess.run,
        command,
        env=inherited | dict(variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
