"""The chain of models: its deadline, concurrency, budget and answer cache."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from openclaw_stream.settings.groups import SettingsGroup
from openclaw_stream.settings.types import Timeout


def _check_redis(url: SecretStr | None) -> SecretStr | None:
    if url is None:
        return None
    from redis.asyncio import ConnectionPool  # noqa: PLC0415 - slow to import, and rarely needed

    text = url.get_secret_value().strip()
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"redis", "rediss"} and parts.hostname and parts.port != 0
    except ValueError:
        raise ValueError("it is not a URL") from None
    if not known and not (parts.scheme == "unix" and parts.path):
        raise ValueError("it must begin with redis://, rediss:// and a host, or with unix:// and a path")
    if known and not re.fullmatch(r"(?:/\d*)?", parts.path):
        raise ValueError("its path is not the number of a database")
    try:
        ConnectionPool.from_url(text).make_connection()  # type: ignore[no-untyped-call] # not typed there
    except (TypeError, ValueError):
        raise ValueError("the client does not know one of its options") from None
    return SecretStr(text)


RedisUrl = Annotated[SecretStr | None, AfterValidator(_check_redis)]
Concurrency = Annotated[int, Field(ge=1, le=256)]
TimeToLive = Annotated[int, Field(ge=1, le=604_800)]

_CONCURRENCY = "1 to 256: calls that run at the same time"
_TTL = "whole seconds, 1 to a week: how long an answer"


class ChainSettings(SettingsGroup):
    """The chain, its budget and its cache."""

    decision_deadline: Timeout = Field(
        120,
        description="seconds, 1 to 3600, not below OPENCLAW_TIMEOUT: from entering the queue until the rules decide",
        validation_alias="OPENCLAW_DECISION_DEADLINE",
    )
    budget_usd_per_hour: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = Field(
        None,
        description="US dollars, 0 or more; unset for no limit",
        validation_alias="OPENCLAW_LLM_BUDGET_USD_PER_HOUR",
    )
    mock_mode: bool = Field(default=False, description="true or false: whether the rules decide instead of models")
    ollama_concurrency: Concurrency = Field(1, description=_CONCURRENCY)
    gemini_concurrency: Concurrency = Field(4, description=_CONCURRENCY)
    claude_concurrency: Concurrency = Field(4, description=_CONCURRENCY)
    openai_concurrency: Concurrency = Field(4, description=_CONCURRENCY)
    redis_url: RedisUrl = Field(
        None, description="redis://, rediss:// or unix://; unset for the memory of this process"
    )
    cache_ttl: TimeToLive = Field(
        1800, description=f"{_TTL} to a single alert is kept", validation_alias="OPENCLAW_CACHE_TTL"
    )
    cache_ttl_incident: TimeToLive = Field(
        3600, description=f"{_TTL} to several alerts is kept", validation_alias="OPENCLAW_CACHE_TTL_INCIDENT"
    )
