"""Parsing an answer of up to 64 KiB takes bounded time and does not block the event loop."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.prompt.response import Answer, AnswerError, parse_answer
from tests.arbitration.hostile.corpus import filled
from tests.arbitration.hostile.decision_path import open_decision_path

SIZE = 65_536
SEEDS = [
    *('{"a":', "{", '{"', "{'", "{a", '{"a":"', '"', "\\", '{"a":[', "[", '{"a":"b" "', '{"a":"b",', '{"a":1}'),
    *("//", '{"a":/*', '{"a": #', "```json", '```json{"a":', "<think>", '{"a":\u201c', '{"a": b, c: d ', '{"a":1e'),
    *('{"a": "b"c"', '{"a":(', '{""', '{"a"::', "{,", '{"a":"{', '"kubectl_command":"', '{"a":"\\"', "\u200b{", " "),
]
CUT = filled("{…")
"""A valid answer without its end."""


def read(text: str) -> Answer | None:
    """Return the answer in a text, None if it is invalid; any other exception is a defect."""
    try:
        return parse_answer(text)
    except AnswerError:
        return None


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_parsing_ends_soon(seed: str) -> None:
    """Without a bound, some of these take minutes each."""
    for before in ("", f"{CUT}, "):
        length = SIZE - len(before)
        read(before + (seed * length)[:length])


@pytest.mark.slow
@pytest.mark.timeout(300)
@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from([*SEEDS, CUT, "}", "]", ",", ":", "x", "\n"]), min_size=2, max_size=6).map("".join))
def test_parsing_a_mixture_ends_soon(piece: str) -> None:
    read((piece * SIZE)[:SIZE])


@pytest.mark.parametrize("text", ['{"```json{"a":```json ', '{\'```json{"a":[```json', "{\"```json{'```json"])
def test_any_error_of_the_repair_is_an_invalid_answer(text: str) -> None:
    """json-repair 0.64.6 raises AssertionError for these."""
    assert read(text) is None


@pytest.mark.parametrize("depth", [10, 100, 300, 900, 990, 1000, 3000, 8000])
def test_answers_that_differ_in_a_deep_value_are_refused(depth: int) -> None:
    opening = '{"a":' * depth
    deep = (f'{CUT}, "deep": {opening}{leaf}{"}" * depth}}}' for leaf in (1, 2))
    assert read("\n".join(deep)) is None


@pytest.mark.io
def test_the_event_loop_runs_while_an_answer_is_parsed() -> None:
    """If the answer was parsed in the event loop, a slow answer would not give other tasks more turns."""
    turns: list[None] = []

    async def turn() -> None:
        while True:
            await asyncio.sleep(0)
            turns.append(None)

    with open_decision_path() as path:

        def turned(text: str) -> int:
            before = len(turns)
            path.decide(lambda _: text)
            return len(turns) - before

        turning = path.runner.get_loop().create_task(turn())
        quick = turned("{}")
        slow = turned((f'{CUT}, "x":"' + '{"a":"b" "' * SIZE)[:SIZE])
        turning.cancel()
    assert slow > 4 * quick
