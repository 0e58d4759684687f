"""The answer cache: TTLs, and the validation of entries that are read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.answer_cache import AnswerCache, ProviderAnswer
from openclaw_stream.arbitration.llm.key_value_store import MemoryStore
from openclaw_stream.arbitration.llm.prompt.response import parse_answer
from tests.arbitration.llm.model_server import ANSWER, CASE, counter, storm

KEY = "0" * 64
NAME = f"openclaw:answer:{KEY}"
STORED = ProviderAnswer(parse_answer(ANSWER), "gemini", "gemini-x")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def entry() -> dict[str, object]:
    store = MemoryStore()
    await AnswerCache(store, 1800, 3600, counter("result")).put(KEY, STORED, CASE)
    loaded: dict[str, object] = json.loads(await store.get(NAME) or b"{}")
    return loaded


async def read(value: bytes) -> ProviderAnswer | None:
    store = MemoryStore()
    await store.put(NAME, value, 60)
    return await AnswerCache(store, 1800, 3600, counter("result")).get(KEY)


async def test_a_stored_answer_is_returned_unchanged() -> None:
    answer = await read(json.dumps(await entry()).encode())
    assert answer == STORED


async def test_an_answer_to_several_alerts_has_a_longer_ttl() -> None:
    clock = Clock()
    cache = AnswerCache(MemoryStore(clock), 1800, 3600, counter("result"))
    await cache.put("single", STORED, CASE)
    await cache.put("several", STORED, storm())
    clock.now = 1799
    assert await cache.get("single") == STORED
    clock.now = 1801
    assert await cache.get("single") is None
    clock.now = 3599
    assert await cache.get("several") == STORED
    clock.now = 3601
    assert await cache.get("several") is None


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"key": "1" * 64},
        {"judgement": {}},
        {"judgement": None},
        {"more": 1},
        {"repaired": "perhaps"},
        {"provider": None},
    ],
)
async def test_an_entry_of_another_version_key_or_schema_is_ignored(change: dict[str, object]) -> None:
    assert await read(json.dumps({**await entry(), **change}).encode()) is None


async def test_texts_of_an_entry_are_redacted_escaped_and_cut() -> None:
    planted = {"model": "m\u202e" * 1000, "dropped": ["password=hunter2 " + "x" * 50_000, *["y"] * 100]}
    answer = await read(json.dumps({**await entry(), **planted}).encode())
    assert answer is not None
    assert answer.model.startswith("m<U+202E>")
    assert len(answer.model) <= 100
    assert len(answer.parsed.dropped) <= 32
    assert answer.parsed.dropped[0].startswith("password=[redacted:password] ")
    assert max(map(len, answer.parsed.dropped)) <= 300


async def test_an_entry_with_a_confidence_out_of_range_is_ignored() -> None:
    planted = json.loads(json.dumps(await entry()))
    planted["judgement"]["confidence"] = 7
    assert await read(json.dumps(planted).encode()) is None


@given(st.binary(max_size=300))
async def test_garbage_is_ignored(value: bytes) -> None:
    assert await read(value) is None


@pytest.mark.parametrize("value", [b"", b"[" * 100_000, b'{"key":' * 10_000, b" " * 200_000, b"\xff\xfe", b"1e999"])
async def test_hostile_entries_are_ignored(value: bytes) -> None:
    assert await read(value) is None


async def test_lookups_are_counted_by_result() -> None:
    store, lookups = MemoryStore(), counter("result")
    cache = AnswerCache(store, 1800, 3600, lookups)
    await cache.get(KEY)
    await cache.put(KEY, STORED, CASE)
    await cache.get(KEY)
    await store.put(NAME, b"{", 60)
    await cache.get(KEY)
    counts = {name: lookups.labels(name)._value.get() for name in ("miss", "hit", "unreadable")}  # noqa: SLF001
    assert counts == {"miss": 1, "hit": 1, "unreadable": 1}
