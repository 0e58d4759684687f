"""What a demo needs before it begins: settings, servers and topics, gone when it ends."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from openclaw_stream.demo.environment import applied, has_own_kafka, keep_answers_in, point_to, variables
from openclaw_stream.demo.means import Means, means_of
from openclaw_stream.embedded import EmbeddedKafka, EmbeddedValkey
from openclaw_stream.embedded.lock import LOCK_FILE, Lock
from openclaw_stream.errors import EmbeddedError, OpenClawError
from openclaw_stream.settings import Settings, load_settings
from openclaw_stream.stream.kafka.connection import admin_client
from openclaw_stream.stream.kafka.topics import create_topics

_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays and with what; `servers` says it to people."""

    settings: Settings
    servers: str
    means: Means


@contextmanager
def stage(say: Callable[[str], None]) -> Iterator[Stage]:
    """Start the servers and create the topics.

    A Kafka of the user's gets topics of this demo alone, which are deleted at its end.

    Raises:
        SettingsError: a variable of the user's is wrong; nothing was started yet.
        OpenClawError: a server does not start, or the topics cannot be created.
    """
    own = has_own_kafka(os.environ)
    with ExitStack() as stack:
        stack.enter_context(applied(variables(os.environ)))
        settings = load_settings()
        kafka = f"Kafka {settings.kafka.bootstrap_servers} (yours)"
        if not own:
            say("starting Apache Kafka …")
            server = stack.enter_context(EmbeddedKafka(progress=say))
            point_to(server.bootstrap_servers)
            settings = load_settings()
            kafka = f"Apache Kafka {Lock.parse(LOCK_FILE.read_text()).version} {server.bootstrap_servers}"
        valkey = _valkey(settings, stack)
        created = asyncio.run(create_topics(settings, _PARTITIONS)).created
        if own:
            say(f"created for this demo, deleted at its end: {', '.join(created)}")
            stack.callback(_delete, settings, created, say)
        yield Stage(settings, f"{kafka}   {valkey}", asyncio.run(means_of(settings)))


def _valkey(settings: Settings, stack: ExitStack) -> str:
    if settings.chain.redis_url:
        return "Redis (yours)"
    try:
        url = stack.enter_context(EmbeddedValkey()).url
    except EmbeddedError as error:
        # The worker keeps its answers in its memory then.
        return f"no Valkey ({str(error).splitlines()[0]})"
    keep_answers_in(url)
    return f"Valkey {url}"


def _delete(settings: Settings, names: tuple[str, ...], say: Callable[[str], None]) -> None:
    try:
        asyncio.run(_delete_topics(settings, names))
    except OpenClawError as error:
        say(f"the topics {', '.join(names)} are still there: {error}")


async def _delete_topics(settings: Settings, names: tuple[str, ...]) -> None:
    async with admin_client(settings.kafka) as admin:
        await admin.delete_topics(list(names))
