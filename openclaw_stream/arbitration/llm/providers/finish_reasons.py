"""Why an answer ended, from the spellings of many servers."""

from enum import StrEnum
from typing import Final


class Ending(StrEnum):
    """How the generation of an answer ended."""

    COMPLETE = "complete"
    CUT = "cut"
    BLOCKED = "blocked"
    REFUSED = "refused"
    CONTEXT = "context"
    UNKNOWN = "unknown"


_SPELLINGS: Final[dict[Ending, str]] = {
    # Ollama ends with `load` where it has only loaded the model: the answer is then empty.
    Ending.COMPLETE: "stop end_turn end stop_sequence eos eos_token finish finished complete completed done "
    "load unload",
    Ending.CUT: "length max_tokens max_length max_output_tokens max_completion_tokens max_new_tokens model_length "
    "limit token_limit incomplete",
    Ending.BLOCKED: "content_filter content_filtered safety image_safety recitation prohibited_content spii blocklist "
    "guardrail_intervened sensitive language",
    Ending.REFUSED: "refusal refused",
    Ending.CONTEXT: "model_context_window_exceeded context_length_exceeded",
}
_ENDINGS: Final = {spelling: ending for ending, text in _SPELLINGS.items() for spelling in text.split()}


def ending_of(reason: object) -> Ending:
    """Return how an answer ended; UNKNOWN for an unknown reason or none. Case and hyphens are ignored."""
    folded = str(reason).casefold().replace("-", "_").removeprefix("finish_reason_")
    return _ENDINGS.get(folded, Ending.UNKNOWN)
