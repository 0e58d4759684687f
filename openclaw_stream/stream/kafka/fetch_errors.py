"""Maps aiokafka's errors to this package's, wherever offsets, group states or descriptions are fetched."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.errors import KafkaError

from openclaw_stream.errors import RetryableError
from openclaw_stream.stream.kafka.permissions import READ_AUTHORIZATION_ERRORS, denied_read_error


@contextmanager
def fetch_errors(what: str, *, topic: str = "", group_id: str = "") -> Iterator[None]:
    """Raise this package's error for one of aiokafka's, or a timeout, in a block that fetches.

    Args:
        what: Object of the message `cannot fetch …`, such as `log start offsets of alerts-0`.
        topic: The topic that is read; named in the error when the user lacks the right.
        group_id: The consumer group, likewise.

    Raises:
        DeniedError: The user may not read the topic or the group.
        RetryableError: The brokers answered with an error, or not in time.
    """
    try:
        yield
    except READ_AUTHORIZATION_ERRORS as error:
        raise denied_read_error(error, topic, group_id) from error
    except (KafkaError, TimeoutError, OSError) as error:
        raise RetryableError(f"cannot fetch {what}: {str(error) or type(error).__name__}") from error
