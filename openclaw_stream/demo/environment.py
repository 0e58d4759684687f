"""The demo's settings: environment variables, as the worker reads them; what the user has set stands."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from uuid import uuid4

from openclaw_stream.settings import ChainSettings, KafkaSettings, TopicSettings

_UNLESS_SET = {
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
    """Tell whether the user names a Kafka, which then takes the place of the embedded one."""
    return bool(_upper(given).get(_BOOTSTRAP))


def variables(given: Mapping[str, str]) -> dict[str, str]:
    """Return what the demo sets on top of the `given` environment; an empty value unsets.

    On a Kafka of the user's the topics and the group get names that nobody has, so that nothing there is touched; the
    embedded one is no concern of the user's KAFKA_* variables.
    """
    known = _upper(given)
    chosen = {name: value for name, value in _UNLESS_SET.items() if not known.get(name)}
    if _HTTP not in known:
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
    """Set variables of this process, and so of its children, for the length of a block."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.upper() in chosen]:
        del os.environ[name]
    os.environ.update(chosen)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def point_to(bootstrap_servers: str) -> None:
    """Let the settings name a Kafka that was started just now."""
    os.environ[_BOOTSTRAP] = bootstrap_servers


def keep_answers_in(redis_url: str) -> None:
    """Let the worker keep the answers of models in a Valkey that was started just now."""
    os.environ[ChainSettings.variable("redis_url")] = redis_url


def _upper(given: Mapping[str, str]) -> dict[str, str]:
    return {name.upper(): value for name, value in given.items()}
