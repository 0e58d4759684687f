"""Where servers put the text of an answer, and how they spell its end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.llm.providers import Failure
from openclaw_stream.arbitration.llm.providers.answer_text import answer_text
from openclaw_stream.arbitration.llm.providers.finish_reasons import Ending, ending_of
from tests.arbitration.llm.providers.calls import Maker, ask, claude, fail, gemini, ollama, openai
from tests.arbitration.llm.providers.loopback import responds

TEXT = '{"verdict": "held"}'


def chat(message: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    return {"choices": [{"finish_reason": reason, "message": message}]}


def ollama_chat(message: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    return {"message": message, "done": True, "done_reason": reason, "prompt_eval_count": 90, "eval_count": 7}


@pytest.mark.io
@pytest.mark.parametrize(
    ("maker", "body"),
    [
        (ollama, ollama_chat({"content": "", "thinking": TEXT})),
        (ollama, ollama_chat({"content": TEXT, "thinking": "perhaps {"})),
        (ollama, ollama_chat({"content": TEXT}, "load")),
        (openai, chat({"content": None, "reasoning_content": TEXT})),
        (openai, chat({"content": "\n", "reasoning": TEXT})),
        (openai, chat({"content": TEXT, "reasoning_content": '{"verdict": "a draft"}'})),
        (openai, chat({"content": [{"type": "text", "text": TEXT[:7]}, {"type": "text", "text": TEXT[7:]}]})),
        (openai, chat({"content": [{"type": "reasoning", "text": "{"}, {"type": "output_text", "text": TEXT}]})),
        (openai, chat({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": TEXT}]}]})),
        (openai, chat({"content": {"type": "text", "text": TEXT}}, "eos_token")),
        (
            claude,
            {
                "content": [{"type": "thinking", "thinking": "{"}, {"type": "text", "text": TEXT}],
                "stop_reason": "end_turn",
            },
        ),
        (
            gemini,
            {
                "candidates": [
                    {"content": {"parts": [{"text": "{", "thought": True}, {"text": TEXT}]}, "finishReason": "STOP"}
                ]
            },
        ),
        (
            gemini,
            {
                "candidates": [
                    {"content": {"parts": [{"text": TEXT, "thought": True}]}, "finishReason": "FINISH_REASON_STOP"}
                ]
            },
        ),
    ],
)
async def test_the_answer_is_found_where_the_server_puts_it(maker: Maker, body: dict[str, Any]) -> None:
    reply, _ = await ask(maker, responds(200, body))
    assert reply.text == TEXT


@pytest.mark.io
@pytest.mark.parametrize("reason", ["length", "MAX_TOKENS", "max_tokens", "model_length", "max-output-tokens"])
async def test_a_cut_answer_states_what_cut_it_and_a_larger_limit(reason: str) -> None:
    error = await fail(openai, responds(200, chat({"content": '{"verd'}, reason)))
    assert (error.failure, error.larger_limit) == (Failure.TRUNCATED, 8192)
    assert "OPENAI_MAX_TOKENS (4096)" in str(error)


@pytest.mark.io
async def test_thoughts_that_use_up_the_limit_are_named() -> None:
    error = await fail(ollama, responds(200, ollama_chat({"content": "", "thinking": "hm, well"}, "length")))
    assert "which its thoughts used up" in str(error)
    assert (error.larger_limit, error.correctable) == (4096, True)


@pytest.mark.io
async def test_ollama_offers_no_limit_beyond_its_context_window() -> None:
    for used, larger in ((5000, 3192), (6144, None), (8000, None)):
        body = {**ollama_chat({"content": "{"}, "length"), "prompt_eval_count": used}
        assert (await fail(ollama, responds(200, body))).larger_limit == larger


@pytest.mark.io
async def test_ollama_is_asked_not_to_think() -> None:
    _, request = await ask(ollama, responds(200, ollama_chat({"content": TEXT})))
    assert request.json["think"] is False


@pytest.mark.parametrize(
    ("reason", "ending"),
    [
        ("STOP", Ending.COMPLETE),
        ("end-turn", Ending.COMPLETE),
        ("Max_Tokens", Ending.CUT),
        ("SAFETY", Ending.BLOCKED),
        ("refusal", Ending.REFUSED),
        ("model_context_window_exceeded", Ending.CONTEXT),
        ("tool_calls", Ending.UNKNOWN),
        (None, Ending.UNKNOWN),
        ({"a": 1}, Ending.UNKNOWN),
    ],
)
def test_reasons_are_read_in_any_spelling(reason: object, ending: Ending) -> None:
    assert ending_of(reason) is ending


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "text", "thinking", "thought", "content", "x"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(_JSON, _JSON)
def test_any_json_has_a_text_that_stands_in_it(visible: Any, hidden: Any) -> None:
    found = answer_text(visible, hidden)
    assert isinstance(found, str)
    assert set(found) <= set(str(visible) + str(hidden)) | set("".join(_strings([visible, hidden])))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in members for text in _strings(each)]
