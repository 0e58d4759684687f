"""Answers of language models, kept for incidents that call for the same ones."""

from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import Counter
from pydantic import BaseModel, ConfigDict, ValidationError

from openclaw_stream.arbitration.llm.key_value_store import Store
from openclaw_stream.arbitration.llm.prompt.response import Answer
from openclaw_stream.events.decision import Judgement
from openclaw_stream.incidents.case import Case
from openclaw_stream.text.display import visible

_VERSION: Final = 1
_SIZE_MAX = 128 * 1024
_NAME_MAX, _WARNING_MAX, _WARNINGS_MAX = 100, 300, 32


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """An answer, and whose it is."""

    answer: Answer
    provider: str
    model: str


class _Entry(BaseModel):
    """What is kept. Whoever reads it validates it again: who can write to the store cannot give orders."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_version: Literal[1] = _VERSION
    key: str
    provider: str
    model: str
    judgement: Judgement
    repaired: bool
    dropped: tuple[str, ...]


class AnswerCache:
    """Answers by key; only what a language model said, and validation took, may be put here.

    Args:
        store: Where the entries are.
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
        """Return the answer of a key, within the patience of the store."""
        value = await self._store.get(_name(key))
        if value is None:
            self._lookups.labels("miss").inc()
            return None
        found = _read(key, value)
        self._lookups.labels("hit" if found else "unreadable").inc()
        return found

    async def put(self, key: str, found: ProviderAnswer, case: Case) -> None:
        """Keep an answer for as long as it is good for such a case."""
        entry = _Entry(
            key=key,
            provider=found.provider,
            model=found.model,
            judgement=found.answer.judgement,
            repaired=found.answer.repaired,
            dropped=found.answer.dropped,
        )
        ttl = self._ttl_incident if case.distinct_alerts > 1 else self._ttl
        await self._store.put(_name(key), entry.model_dump_json().encode(), ttl)


def _name(key: str) -> str:
    return f"openclaw:answer:{key}"


def _read(key: str, value: bytes) -> ProviderAnswer | None:
    """Return the answer of an entry; None for one that is corrupt, of another version or of another key."""
    if len(value) > _SIZE_MAX:
        return None
    try:
        entry = _Entry.model_validate_json(value)
    except ValidationError:
        return None
    if entry.key != key:
        return None
    dropped = tuple(visible(warning, _WARNING_MAX) for warning in entry.dropped[:_WARNINGS_MAX])
    answer = Answer(entry.judgement, entry.repaired, dropped)
    return ProviderAnswer(answer, visible(entry.provider, _NAME_MAX), visible(entry.model, _NAME_MAX))
