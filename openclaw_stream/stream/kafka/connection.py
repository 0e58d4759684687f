"""Kafka clients: settings as aiokafka's keyword arguments, starting, request timeouts, and stopping."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Collection
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaError, RequestTimedOutError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.group import JoinGroupRequest, SyncGroupRequest
from aiokafka.util import NO_EXTENSIONS

from openclaw_stream.errors import FatalError, RetryableError, SettingsError
from openclaw_stream.resilience.deadline import cancel, within
from openclaw_stream.settings import KafkaSettings
from openclaw_stream.stream.kafka.fetch_size import MAX_FETCH_BYTES, MAX_PARTITION_FETCH_BYTES, FetchSize

CLIENT_ID = "openclaw-stream"
_ADMIN_TIMEOUT_MS = 10_000
_FETCH_WAIT_MS = 100
_METADATA_AGE_MS = 10_000
"""Upper bound of the time until added partitions and recreated topics are detected."""
_JOIN_MARGIN_SECONDS = 3.0
_STOP_SECONDS = 2.0
_CLIENT_PARTS = {"client", "_client", "_coordinator", "_fetcher", "_message_accumulator", "_sender"}
"""Attributes of a consumer, producer or admin client that run tasks or hold connections."""
log = structlog.get_logger(__name__)
_aiokafka_log = logging.getLogger("aiokafka")


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """Return the keyword arguments with which a consumer, producer or admin client connects.

    Raises:
        SettingsError: A certificate or key cannot be loaded.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": CLIENT_ID,
        "request_timeout_ms": int(kafka.request_timeout * 1000),
        "security_protocol": kafka.security_protocol,
    }
    if kafka.uses_ssl:
        arguments["ssl_context"] = _ssl_context(kafka)
    if kafka.sasl_password is not None:
        arguments["sasl_mechanism"] = kafka.sasl_mechanism
        arguments["sasl_plain_username"] = kafka.sasl_username
        arguments["sasl_plain_password"] = kafka.sasl_password.get_secret_value()
    return arguments


def require_codecs() -> None:
    """Check that batches of every compression can be read: a topic may hold any of them.

    Raises:
        FatalError: A library is missing.
    """
    known = {"snappy": codec.has_snappy(), "lz4": codec.has_lz4(), "zstd": codec.has_zstd()}
    missing = [name for name, supported in known.items() if not supported]
    if missing:
        raise FatalError(
            f"records compressed with {', '.join(missing)} cannot be read; pip install 'aiokafka[lz4,snappy,zstd]'"
        )


def has_compiled_extension() -> bool:
    """Whether aiokafka's compiled extension is installed; without it consuming costs about thirty times as much CPU."""
    return not NO_EXTENSIONS


@contextlib.asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect an admin client for the length of a block.

    Raises:
        RetryableError: The brokers cannot be reached, or did not answer in time; also from within the block.
        SettingsError: A certificate or key cannot be loaded.
    """
    client = AIOKafkaAdminClient(**connection(kafka) | {"request_timeout_ms": _ADMIN_TIMEOUT_MS})
    with _LastLoggedError() as logged:
        try:
            await client.start()
            yield client
        except (KafkaError, OSError, TimeoutError) as error:
            raise unreachable_error(kafka, logged.text or error) from error
        finally:
            await stop_client(client)


def group_consumer(kafka: KafkaSettings) -> AIOKafkaConsumer:
    """Return the consumer of a worker, not started, with isolation level `read_committed`.

    Raises:
        SettingsError: A certificate or key cannot be loaded.
    """
    session_ms = int(kafka.session_timeout * 1000)
    return AIOKafkaConsumer(
        **connection(kafka),
        group_id=kafka.group_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        session_timeout_ms=session_ms,
        heartbeat_interval_ms=max(session_ms // 5, 100),
        rebalance_timeout_ms=int(_rebalance_seconds(kafka) * 1000),
        metadata_max_age_ms=_METADATA_AGE_MS,
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        fetch_max_bytes=MAX_FETCH_BYTES,
        max_partition_fetch_bytes=MAX_PARTITION_FETCH_BYTES,
        max_poll_records=None,
    )


def _rebalance_seconds(kafka: KafkaSettings) -> float:
    """How long the group coordinator waits for members to join: revoking a partition may take a while."""
    return max(kafka.session_timeout, 20.0)


def adapt_requests(consumer: AIOKafkaConsumer, kafka: KafkaSettings | None = None) -> None:
    """Adapt fetch sizes and join timeouts of a started consumer.

    aiokafka (0.14.0) has one timeout for all requests. A short one detects a frozen broker early, but the coordinator
    answers a JoinGroup only when all members have joined, which takes up to the rebalance timeout, and a large fetch
    takes longer on a slow link. So fetches shrink after a timeout, and joining has a timeout of its own.

    Args:
        consumer: The consumer; started.
        kafka: Settings of a member of a group; None for a consumer without a group.
    """
    client, send = consumer._client, consumer._client.send  # noqa: SLF001 - no public hook
    size, join_seconds = FetchSize(), (_rebalance_seconds(kafka) if kafka else 0.0) + _JOIN_MARGIN_SECONDS

    async def send_adapted(
        node_id: object, request: object, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
    ) -> object:
        if isinstance(request, FetchRequest):
            return await _fetch(consumer, size, send(node_id, request, group=group))
        if not isinstance(request, JoinGroupRequest | SyncGroupRequest) or not await client.ready(node_id, group=group):
            return await send(node_id, request, group=group)
        connection = client._conns[node_id, group]  # noqa: SLF001
        default, connection._request_timeout = connection._request_timeout, join_seconds  # noqa: SLF001
        try:
            return await send(node_id, request, group=group)
        finally:
            connection._request_timeout = default  # noqa: SLF001

    client.send = send_adapted


async def _fetch(consumer: AIOKafkaConsumer, size: FetchSize, pending: Awaitable[object]) -> object:
    try:
        response = await pending
    except RequestTimedOutError:
        size.record_timeout()
        raise
    else:
        size.record_response()
        return response
    finally:
        fetcher = consumer._fetcher  # noqa: SLF001
        fetcher._fetch_max_bytes, fetcher._max_partition_fetch_bytes = size.total, size.partition  # noqa: SLF001


async def stop_client(client: AIOKafkaConsumer | AIOKafkaProducer | AIOKafkaAdminClient) -> None:
    """Stop a client and close its connections, whatever its state, within a few seconds.

    Without a broker aiokafka's own stop may never return, since its sender keeps retrying, or it returns while a fetch
    waits for its retry, with the connections open.
    """
    try:
        await within(_STOP_SECONDS, client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
    except Exception as error:  # noqa: BLE001 - the client is discarded, whatever the error
        log.debug("Kafka client did not stop, cancelling its tasks", reason=repr(error))
        parts = [part for name, part in vars(client).items() if name in _CLIENT_PARTS]
        await cancel(_tasks_of(parts))
        for opened in [each for part in parts for each in getattr(part, "_conns", {}).values()]:
            opened.close()


def _tasks_of(parts: Collection[object]) -> list["asyncio.Task[Any]"]:
    """Return the tasks that run a method of one of these objects."""
    found = []
    for task in asyncio.all_tasks():
        frame = getattr(task.get_coro(), "cr_frame", None)
        owner = frame.f_locals.get("self") if frame else None
        if any(owner is part for part in parts):
            found.append(task)
    return found


def unreachable_error(kafka: KafkaSettings, reason: str | BaseException) -> RetryableError:
    """Return the error for brokers that cannot be reached."""
    text = str(reason) or type(reason).__name__
    return RetryableError(f"no answer from Kafka at {kafka.bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS): {text}")


class _LastLoggedError(logging.Handler):
    """Keeps the last error that aiokafka logged: why it cannot connect (a wrong password) is in no exception."""

    text = ""

    def __enter__(self) -> Self:
        _aiokafka_log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _aiokafka_log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.text = record.getMessage()


def _ssl_context(kafka: KafkaSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
    except OSError as error:
        raise SettingsError(f"KAFKA_SSL_CAFILE={kafka.ssl_cafile} cannot be loaded: {error}") from error
    if kafka.ssl_certfile is not None:
        # An empty passphrase: otherwise OpenSSL would prompt for one on the terminal.
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, password="")
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"KAFKA_SSL_CERTFILE={kafka.ssl_certfile} with KAFKA_SSL_KEYFILE={kafka.ssl_keyfile} cannot be "
                f"loaded (a key must have no passphrase): {error}"
            ) from error
    return context
