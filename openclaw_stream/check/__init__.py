"""What the worker depends on: whether it works, and what to do where it does not.

Kafka is needed, with its topics, the consumer group, writing and reading: the check fails where the worker could not
run. The worker does without anything else, so that is reported only; `strict` fails, too, where something that is
configured does not work, for a pipeline that is about to roll these settings out. What is not configured is no failure.
"""

import asyncio
from typing import Final

from rich.console import Console

from openclaw_stream.check.finding import Finding, FindingStatus, bounded, show
from openclaw_stream.check.kafka import check_kafka
from openclaw_stream.check.services import check_langfuse_server, check_models, check_redis, check_signoz
from openclaw_stream.settings import Settings
from openclaw_stream.stream.kafka.connection import connection

__all__ = ["SECONDS", "Finding", "FindingStatus", "check", "run_check"]

SECONDS: Final = 15.0
"""How long one dependency may take to answer; Kafka twice that, for the trials after the first answer."""


def run_check(settings: Settings, *, strict: bool) -> int:
    """Check everything and print it.

    Args:
        settings: What is configured.
        strict: Whether something that is configured and does not work is a failure although the worker does without.

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
    """Ask every dependency at the same time; the findings are in a fixed order, whatever answered first."""
    probes = {
        "Redis": check_redis(settings.chain),
        "SigNoz": check_signoz(settings.signoz),
        **check_models(settings),
        "Langfuse": check_langfuse_server(settings.langfuse),
    }
    kafka, others = await asyncio.gather(
        check_kafka(settings, seconds),
        asyncio.gather(*(bounded(name, probe, seconds) for name, probe in probes.items())),
    )
    return [*kafka, *others]
