"""The demo's settings, as environment variables for the worker; variables set by the user are kept."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

from openclaw_stream.settings import ChainSettings, KafkaSettings, TopicSettings

_DEFAULTS = {
    "OPENCLAW_LANGUAGE": "en",
    "OPENCLAW_GROUP_WAIT": "2",
    "OPENCLAW_GROUP_WAIT_CRITICAL": "1",
    "OPENCLAW_GROUP_INTERVAL": "5",
    "OPENCLAW_RESOLVE_HOLD": "4",
    "OPENCLAW_MAX_SILENCE": "12",
    "OPENCLAW_COMMIT_INTERVAL": "1",
    "OPENCLAW_LOG_FORMAT": "console",
}
_BOOTSTRAP = KafkaSettings.variable("bootstrap_servers")
_HTTP = "OPENCLAW_HTTP_ADDR"


def has_own_kafka(given: Mapping[str, str]) -> bool:
    """Return whether the user has set a Kafka, which is then used instead of the embedded one."""
    return bool(_upper(given).get(_BOOTSTRAP))


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the demo sets in addition to the `given` environment; an empty value unsets one.

    On the user's own Kafka the topics and the group get unique names, so that existing ones are not touched. The
    user's KAFKA_* variables do not apply to the embedded one.
    """
    user = _upper(given)
    chosen = {name: value for name, value in _DEFAULTS.items() if not user.get(name)}
    if _HTTP not in user:
        chosen[_HTTP] = ""
    if has_own_kafka(given):
        run = f"openclaw-demo-{uuid4().hex[:8]}"
        chosen |= {
            TopicSettings.variable(field): f"{run}.{field}".replace("_", "-") for field in TopicSettings.model_fields
        }
        chosen[KafkaSettings.variable("group_id")] = run
    else:
        chosen |= {KafkaSettings.variable(field): "" for field in KafkaSettings.model_fields}
    chosen[KafkaSettings.variable("auto_offset_reset")] = "earliest"
    return chosen


@contextmanager
def applied(chosen: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process, and so of its children, within a block."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.upper() in chosen]:
        del os.environ[name]
    os.environ.update(chosen)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def use_kafka(bootstrap_servers: str) -> None:
    """Set the bootstrap servers to those of the embedded Kafka."""
    os.environ[_BOOTSTRAP] = bootstrap_servers


def use_redis(redis_url: str) -> None:
    """Set the URL of the embedded Valkey, in which the worker caches the answers of models."""
    os.environ[ChainSettings.variable("redis_url")] = redis_url


def _upper(given: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in given.items()}
