"""Settings, servers and topics of a demo, removed at its end."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from aiokafka.errors import for_code

from openclaw_stream.demo.decision_sources import DecisionSources, decision_sources
from openclaw_stream.demo.environment import applied, has_own_kafka, use_kafka, use_redis, variables
from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from openclaw_stream.embedded.lock import LOCK_FILE, Lock
from openclaw_stream.errors import EmbeddedError, OpenClawError
from openclaw_stream.settings import Settings, load_settings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.topics import create_topics

_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class DemoServers:
    """Settings of a demo, a description of its servers for the screen, and its decision sources."""

    settings: Settings
    description: str
    sources: DecisionSources


@contextmanager
def start_servers(report: Callable[[str], None]) -> Iterator[DemoServers]:
    """Start the servers and create the topics.

    On the user's own Kafka the demo uses topics of its own, which are deleted at its end.

    Args:
        report: Called with each line to show.

    Raises:
        SettingsError: a variable is wrong; no server was started.
        OpenClawError: a server does not start, or the topics cannot be created.
    """
    own = has_own_kafka(os.environ)
    with ExitStack() as stack:
        stack.enter_context(applied(variables(os.environ)))
        settings = load_settings()
        kafka = f"Kafka {settings.kafka.bootstrap_servers} (yours)"
        if not own:
            report("starting Apache Kafka …")
            server = stack.enter_context(EmbeddedKafka(progress=report))
            use_kafka(server.bootstrap_servers)
            settings = load_settings()
            kafka = f"Apache Kafka {Lock.parse(LOCK_FILE.read_text()).version} {server.bootstrap_servers}"
        valkey = _valkey(settings, stack)
        created = asyncio.run(create_topics(settings, _PARTITIONS)).created
        if own:
            report(f"created topics, deleted at the end: {', '.join(created)}")
            stack.callback(_delete, settings, created, report)
        yield DemoServers(settings, f"{kafka}   {valkey}", asyncio.run(decision_sources(settings)))


def _valkey(settings: Settings, stack: ExitStack) -> str:
    if settings.chain.redis_url:
        return "Redis (yours)"
    try:
        url = stack.enter_context(EmbeddedValkey()).url
    except EmbeddedError as error:
        # The worker then caches answers in its memory.
        return f"no Valkey ({str(error).splitlines()[0]})"
    use_redis(url)
    return f"Valkey {url}"


def _delete(settings: Settings, names: tuple[str, ...], report: Callable[[str], None]) -> None:
    try:
        asyncio.run(_delete_topics(settings, names, report))
    except OpenClawError as error:
        report(f"cannot delete topics {', '.join(names)}: {error}")


async def _delete_topics(settings: Settings, names: tuple[str, ...], report: Callable[[str], None]) -> None:
    async with admin_client(settings.kafka) as admin:
        response = await admin.delete_topics(list(names))
    for name, code in response.topic_error_codes:
        if code:
            report(f"cannot delete topic {name}: {for_code(code).__name__}")
