"""The cache of answers: what is kept, for how long, and what is not believed when it is read."""

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
FOUND = ProviderAnswer(parse_answer(ANSWER), "gemini", "gemini-x")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def entry() -> dict[str, object]:
    store = MemoryStore()
    await AnswerCache(store, 1800, 3600, counter("result")).put(KEY, FOUND, CASE)
    loaded: dict[str, object] = json.loads(await store.get(NAME) or b"{}")
    return loaded


async def read(value: bytes) -> ProviderAnswer | None:
    store = MemoryStore()
    await store.put(NAME, value, 60)
    return await AnswerCache(store, 1800, 3600, counter("result")).get(KEY)


async def test_an_answer_comes_back_as_it_was() -> None:
    found = await read(json.dumps(await entry()).encode())
    assert found == FOUND


async def test_an_answer_to_several_alerts_is_kept_for_longer() -> None:
    clock = Clock()
    cache = AnswerCache(MemoryStore(clock), 1800, 3600, counter("result"))
    await cache.put("single", FOUND, CASE)
    await cache.put("several", FOUND, storm())
    clock.now = 1799
    assert await cache.get("single") == FOUND
    clock.now = 1801
    assert await cache.get("single") is None
    clock.now = 3599
    assert await cache.get("several") == FOUND
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
async def test_an_entry_of_another_version_key_or_form_is_ignored(change: dict[str, object]) -> None:
    assert await read(json.dumps({**await entry(), **change}).encode()) is None


async def test_what_an_entry_says_beside_the_answer_is_shown_like_any_text() -> None:
    planted = {"model": "m\u202e" * 1000, "dropped": ["password=hunter2 " + "x" * 50_000, *["y"] * 100]}
    found = await read(json.dumps({**await entry(), **planted}).encode())
    assert found is not None
    assert found.model.startswith("m<U+202E>")
    assert len(found.model) <= 100
    assert len(found.parsed.dropped) <= 32
    assert found.parsed.dropped[0].startswith("password=[redacted:password] ")
    assert max(map(len, found.parsed.dropped)) <= 300


async def test_a_confidence_out_of_range_is_not_believed() -> None:
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
    await cache.put(KEY, FOUND, CASE)
    await cache.get(KEY)
    await store.put(NAME, b"{", 60)
    await cache.get(KEY)
    counts = {name: lookups.labels(name)._value.get() for name in ("miss", "hit", "unreadable")}  # noqa: SLF001
    assert counts == {"miss": 1, "hit": 1, "unreadable": 1}
