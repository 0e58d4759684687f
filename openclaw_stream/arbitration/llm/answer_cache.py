"""The cache of validated answers, for incidents with the same cache key."""

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_stream.arbitration.llm.key_value_store import Store
from openclaw_stream.arbitration.llm.prompt.response import Answer
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import Hidden, safe_text

_VERSION: Final = 1
_SIZE_MAX = 128 * 1024
_NAME_MAX, _WARNING_MAX, _WARNINGS_MAX = 100, 300, 32


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """A parsed answer, with the provider and the model that gave it."""

    parsed: Answer
    provider: str
    model: str


class _Entry(BaseModel):
    """A stored answer; validated again when it is read, because others may be able to write to the store."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = _VERSION
    key: str
    provider: str
    model: str
    judgement: Judgement
    repaired: bool
    dropped: tuple[str, ...]


class AnswerCache:
    """Answers by cache key; only validated answers of a language model may be stored.

    Args:
        store: Where the entries are stored.
        ttl: Seconds an answer to a single alert is kept.
        ttl_incident: The same for incidents of several alerts.
        lookups: Counts by result: hit, miss or unreadable.
    """

    def __init__(self, store: Store, ttl: int, ttl_incident: int, lookups: Counter) -> None:
        self._store = store
        self._ttl = ttl
        self._ttl_incident = ttl_incident
        self._lookups = lookups

    async def get(self, key: str) -> ProviderAnswer | None:
        """Return the answer of a key, within the store's read timeout; None on a miss."""
        value = await self._store.get(_name(key))
        if value is None:
            self._lookups.labels("miss").inc()
            return None
        answer = _read(key, value)
        self._lookups.labels("hit" if answer else "unreadable").inc()
        return answer

    async def put(self, key: str, answer: ProviderAnswer, case: Case) -> None:
        """Store an answer with the TTL that fits the case."""
        entry = _Entry(
            key=key,
            provider=answer.provider,
            model=answer.model,
            judgement=answer.parsed.judgement,
            repaired=answer.parsed.repaired,
            dropped=answer.parsed.dropped,
        )
        ttl = self._ttl_incident if case.distinct_alerts > 1 else self._ttl
        await self._store.put(_name(key), entry.model_dump_json().encode(), ttl)


def _name(key: str) -> str:
    return f"openclaw:answer:{key}"


def _read(key: str, value: bytes) -> ProviderAnswer | None:
    """Return the answer of an entry; None where it is corrupt, or of another version or key."""
    if len(value) > _SIZE_MAX:
        return None
    try:
        entry = _Entry.model_validate_json(value)
    except ValidationError:
        return None
    if entry.key != key:
        return None
    dropped = tuple(safe_text(warning, _WARNING_MAX, hidden=Hidden.ESCAPE) for warning in entry.dropped[:_WARNINGS_MAX])
    answer = Answer(entry.judgement, entry.repaired, dropped)
    return ProviderAnswer(
        answer,
        safe_text(entry.provider, _NAME_MAX, hidden=Hidden.ESCAPE),
        safe_text(entry.model, _NAME_MAX, hidden=Hidden.ESCAPE),
    )
