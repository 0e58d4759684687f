"""Thoughts and markers around an answer, in the spellings of several families of models."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.prompt.json_extraction import is_whole
from openclaw_stream.arbitration.llm.prompt.thoughts import without_thoughts

ANSWER = json.dumps({"primary_responsibility": "DB", "reasoning": "the pool is full"})
DRAFT = '{"primary_responsibility": "FE"}'
MARKERS = [
    ("<think>", "</think>"),
    ("<thinking>\n", "\n</thinking>\n"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("<|begin_of_thought|>", "<|end_of_thought|><|begin_of_solution|>"),
    ("<|START_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final <|constrain|>json<|message|>"),
    ("<|channel>thought\n", "<channel|>"),
    ("analysisWe look at it.", "assistantfinal"),
]


@pytest.mark.parametrize("draft", ["perhaps the pool", f"perhaps {DRAFT}?", "a { brace", "", f"{DRAFT}\nor {DRAFT}"])
@pytest.mark.parametrize(("opening", "closing"), MARKERS)
def test_thoughts_before_the_answer_are_removed(opening: str, closing: str, draft: str) -> None:
    found = without_thoughts(f"{opening}{draft}{closing}{ANSWER}")
    assert found.removeprefix("<|begin_of_solution|>").removeprefix("<|START_RESPONSE|>").strip() == ANSWER


@pytest.mark.parametrize("closing", ["</think>", "</thought>", "[/THINK]", "</reasoning>", "<|/think|>"])
def test_thoughts_without_an_opening_marker_are_removed(closing: str) -> None:
    assert without_thoughts(f"Perhaps {DRAFT}? No.\n{closing}\n\n{ANSWER}").strip() == ANSWER


@pytest.mark.parametrize("opening", [opening for opening, _ in MARKERS])
def test_thoughts_that_never_end_leave_nothing(opening: str) -> None:
    assert without_thoughts(opening + ANSWER) == ""


@pytest.mark.parametrize("marker", ["<|return|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "</s>"])
def test_what_follows_the_end_of_the_turn_is_removed(marker: str) -> None:
    assert without_thoughts(f"{ANSWER}{marker}<|im_start|>user\n{DRAFT}") == ANSWER


@given(st.sampled_from([*(closing for _, closing in MARKERS), "<|im_end|>"]), st.sampled_from(["", "```json\n", "\n "]))
def test_a_marker_that_the_answer_quotes_is_a_part_of_it(marker: str, before: str) -> None:
    quoted = json.dumps({"primary_responsibility": "DB", "reasoning": f"it says {marker}{{'primary': 'FE'}} here"})
    assert without_thoughts(before + quoted) == before + quoted
    assert without_thoughts(before + quoted[:-1]) == before + quoted[:-1]


@given(st.text(alphabet=st.sampled_from('{}"</think>[THINK]analysis<|channel|>final<|message|> a:')))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert without_thoughts(text) in text


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        (ANSWER, True),
        (f"{ANSWER}  \n", True),
        (f"```\n{ANSWER}", True),
        (ANSWER[:-1], False),
        ("", False),
        ("no", False),
    ],
)
def test_a_cut_object_is_not_whole(text: str, whole: bool) -> None:  # noqa: FBT001
    assert is_whole(text) is whole
