"""Checks every dependency of the worker, and reports what to do where one does not work.

Kafka is required, with its topics, the consumer group, writing and reading, and a file of owners must be right where
one is set: the check fails where the worker could not run. All other dependencies are optional, so their state is only
reported; with `strict` the check also fails where a configured one does not work, for a pipeline that is about to roll
out these settings. One that is not configured is no failure.
"""

import asyncio
from typing import Final

from rich.console import Console

from openclaw_stream.check.finding import Finding, FindingStatus, run_probe, show
from openclaw_stream.check.kafka import check_kafka
from openclaw_stream.check.services import (
    check_langfuse_server,
    check_models,
    check_owners,
    check_redis,
    check_signoz,
)
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection

__all__ = ["SECONDS", "Finding", "FindingStatus", "check", "run_check"]

SECONDS: Final = 15.0
"""Timeout of each dependency; twice for Kafka: the topics first, then group, outputs and reads."""


def run_check(settings: Settings, *, strict: bool) -> int:
    """Check all dependencies and print the findings.

    Args:
        settings: The settings to check.
        strict: Whether a configured optional dependency that does not work is a failure.

    Returns:
        0, or 1 for a failure.

    Raises:
        SettingsError: A certificate or key cannot be loaded.
    """
    connection(settings.kafka)
    findings = asyncio.run(check(settings))
    show(findings, Console(highlight=False))
    return int(any(found.fatal or (strict and found.state is FindingStatus.DEGRADED) for found in findings))


async def check(settings: Settings, seconds: float = SECONDS) -> list[Finding]:
    """Check all dependencies concurrently; the findings are in a fixed order."""
    probes = {
        "Redis": check_redis(settings.chain),
        "SigNoz": check_signoz(settings.signoz),
        **check_models(settings),
        "Langfuse": check_langfuse_server(settings.langfuse),
        "owners": check_owners(settings.ownership),
    }
    kafka, others = await asyncio.gather(
        check_kafka(settings, seconds),
        asyncio.gather(*(run_probe(name, probe, seconds) for name, probe in probes.items())),
    )
    return [*kafka, *others]
