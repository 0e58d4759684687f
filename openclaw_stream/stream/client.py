"""How every Kafka client of this package connects: one place turns settings into aiokafka's keyword arguments."""

import asyncio
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.util import NO_EXTENSIONS

from openclaw_stream.errors import FatalError, RetryableError, SettingsError
from openclaw_stream.settings import KafkaSettings

_ADMIN_TIMEOUT_MS = 10_000
_STOP_SECONDS = 3.0
_aiokafka_log = logging.getLogger("aiokafka")


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """Return what consumer, producer and admin client need to connect.

    Raises:
        SettingsError: A certificate or key cannot be loaded.
    """
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": "openclaw-stream",
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
    missing = [name for name, there in known.items() if not there]
    if missing:
        raise FatalError(
            f"records compressed with {', '.join(missing)} cannot be read; pip install 'aiokafka[lz4,snappy,zstd]'"
        )


def decodes_natively() -> bool:
    """Whether aiokafka's compiled extension is there; without it reading costs some thirty times as much."""
    return not NO_EXTENSIONS


@contextlib.asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """Connect an admin client for the length of a block.

    Raises:
        RetryableError: The brokers cannot be reached, or did not answer in time; also from within the block.
        SettingsError: A certificate or key cannot be loaded.
    """
    client = AIOKafkaAdminClient(**connection(kafka), request_timeout_ms=_ADMIN_TIMEOUT_MS)
    with _Reason() as reason:
        try:
            await client.start()
            yield client
        except (KafkaError, OSError, TimeoutError) as error:
            raise unreachable(kafka, reason.text or error) from error
        finally:
            await client.close()


async def stop(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer and close its connections, whatever state it is in; without a broker it is not waited for long.

    aiokafka cancels a fetch that waits to be tried again, and awaits it: whoever stops such a consumer would look as if
    he were cancelled himself, and the connections would stay open.
    """
    stopping = asyncio.create_task(consumer.stop())
    try:
        await asyncio.wait({stopping}, timeout=_STOP_SECONDS)
    finally:
        stopping.cancel()
    await asyncio.wait({stopping})
    if stopping.cancelled() or stopping.exception():
        await consumer._client.close()  # noqa: SLF001 - nothing else closes it now


def unreachable(kafka: KafkaSettings, reason: str | BaseException) -> RetryableError:
    """Word a failure to talk to the brokers."""
    text = str(reason) or type(reason).__name__
    return RetryableError(f"no answer from Kafka at {kafka.bootstrap_servers} (KAFKA_BOOTSTRAP_SERVERS): {text}")


class _Reason(logging.Handler):
    """Keeps the last error aiokafka logged: why it cannot connect, a wrong password say, is in no exception."""

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
        # An empty passphrase: otherwise OpenSSL would ask for one on the terminal.
        try:
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, password="")
        except (OSError, ValueError) as error:
            raise SettingsError(
                f"KAFKA_SSL_CERTFILE={kafka.ssl_certfile} with KAFKA_SSL_KEYFILE={kafka.ssl_keyfile} cannot be "
                f"loaded (a key must have no passphrase): {error}"
            ) from error
    return context
