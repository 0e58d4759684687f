"""Reading an answer takes bounded time, whatever 64 KiB a model writes, and nobody else waits for it."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.prompt.response import Answer, AnswerError, parse_answer
from tests.arbitration.hostile.corpus import filled
from tests.arbitration.hostile.path import open_path

SIZE = 65_536
SEEDS = [
    *('{"a":', "{", '{"', "{'", "{a", '{"a":"', '"', "\\", '{"a":[', "[", '{"a":"b" "', '{"a":"b",', '{"a":1}'),
    *("//", '{"a":/*', '{"a": #', "```json", '```json{"a":', "<think>", '{"a":\u201c', '{"a": b, c: d ', '{"a":1e'),
    *('{"a": "b"c"', '{"a":(', '{""', '{"a"::', "{,", '{"a":"{', '"kubectl_command":"', '{"a":"\\"', "\u200b{", " "),
]
CUT = filled("{…")
"""A good answer without its end."""


def read(text: str) -> Answer | None:
    """Return the answer in a text, if there is one; any other exception is a fault."""
    try:
        return parse_answer(text)
    except AnswerError:
        return None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_reading_ends_soon(seed: str) -> None:
    """Without a bound, some of these take minutes each."""
    for before in ("", f"{CUT}, "):
        room = SIZE - len(before)
        read(before + (seed * room)[:room])


@pytest.mark.timeout(300)
@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from([*SEEDS, CUT, "}", "]", ",", ":", "x", "\n"]), min_size=2, max_size=6).map("".join))
def test_reading_a_mixture_ends_soon(piece: str) -> None:
    read((piece * SIZE)[:SIZE])


@pytest.mark.parametrize("text", ['{"```json{"a":```json ', '{\'```json{"a":[```json', "{\"```json{'```json"])
def test_any_error_of_the_repair_means_that_there_is_no_answer(text: str) -> None:
    """json-repair 0.64.6 raises AssertionError for these."""
    assert read(text) is None


@pytest.mark.parametrize("depth", [10, 100, 300, 900, 990, 1000, 3000, 8000])
def test_answers_that_differ_deep_inside_are_told_apart_or_refused(depth: int) -> None:
    opening = '{"a":' * depth
    deep = (f'{CUT}, "deep": {opening}{leaf}{"}" * depth}}}' for leaf in (1, 2))
    assert read("\n".join(deep)) is None


def test_the_loop_turns_while_an_answer_is_read() -> None:
    """Were the answer read in the loop, it would turn no more often for one that takes long to read."""
    turns: list[None] = []

    async def turn() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(None)

    with open_path() as path:

        def turned(said: str) -> int:
            before = len(turns)
            path.decide(lambda _: said)
            return len(turns) - before

        turning = path.runner.get_loop().create_task(turn())
        quick = turned("{}")
        slow = turned((f'{CUT}, "x":"' + '{"a":"b" "' * SIZE)[:SIZE])
        turning.cancel()
    assert slow > 4 * quick
