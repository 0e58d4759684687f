"""Helpers for a demo started with `--keep`: `python -m openclaw_stream.demo send [JSON…]` and `… read`."""

import asyncio
import sys
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from openclaw_stream.demo.input_records import InputRecord, record_key
from openclaw_stream.demo.producer import produce
from openclaw_stream.errors import OpenClawError
from openclaw_stream.settings import Settings, load_settings
from openclaw_stream.stream.kafka.connection import connection, unreachable_error

_USAGE = "usage: python -m openclaw_stream.demo send [JSON…] (or one record per line on standard input) | read\n"
_WRONG_USAGE = 2


async def send(settings: Settings, values: Sequence[bytes]) -> None:
    """Send alert records, each with the key of its scope."""
    records = [InputRecord(0.0, record_key(value), value) for value in values]
    await produce(settings, records)
    sys.stdout.write(f"sent {len(records)} to {settings.topics.alerts}\n")


async def read(settings: Settings) -> None:
    """Print every decision as a line of JSON, from the beginning of the topic, until interrupted."""
    consumer = AIOKafkaConsumer(
        settings.topics.decisions,
        **connection(settings.kafka),
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    async with consumer:
        async for record in consumer:
            sys.stdout.write(f"{record.value.decode()}\n")
            sys.stdout.flush()


def main(arguments: Sequence[str]) -> int:
    """Run a helper; return the exit code."""
    if not arguments or arguments[0] not in {"send", "read"} or (arguments[0] == "read" and arguments[1:]):
        sys.stderr.write(_USAGE)
        return _WRONG_USAGE
    try:
        settings = load_settings()
        if arguments[0] == "read":
            asyncio.run(read(settings))
        else:
            values = [text.encode() for text in arguments[1:]] or sys.stdin.buffer.read().splitlines()
            asyncio.run(send(settings, [value for value in values if value.strip()]))
    except KeyboardInterrupt:
        return 0
    except BrokenPipeError:
        return 0
    except (KafkaError, OSError) as error:
        sys.stderr.write(f"error: {unreachable_error(settings.kafka, error)}\n")
        return 1
    except OpenClawError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
