"""Removes what models write around an answer: thoughts, and the markers of their families."""

import json
import re
from collections.abc import Iterator

_NAMES = r"(?:seed:)?(?:think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad)"
_FINAL = re.compile(
    r"<\|channel\|>\s*final\b[^{<]*(?:<\|constrain\|>\s*\w*\s*)?<\|message\|>|assistantfinal(?=\s*[{`~])"
)
_CLOSING = re.compile(
    rf"</{_NAMES}\s*>|<\|/{_NAMES}\|>|\[/THINK\]|<\|end_of_thought\|>|<\|END_THINKING\|>|<\|inner_suffix\|>|◁/think▷"
    rf"|<channel\|>|{_FINAL.pattern}",
    re.IGNORECASE,
)
_OPENING = re.compile(
    rf"\A\s*(?:<{_NAMES}\s*>|<\|{_NAMES}\|>|\[THINK\]|<\|begin_of_thought\|>|<\|START_THINKING\|>|<\|inner_prefix\|>"
    r"|◁think▷|(?:<\|start\|>assistant)?<\|channel\|?>\s*(?:analysis|commentary|thought)|analysis(?=[A-Z]))",
    re.IGNORECASE,
)
_END_OF_TURN = re.compile(
    r"<\|(?:return|end|im_end|eot_id|eom_id|end_of_text|endoftext|END_RESPONSE|end_of_solution)\|>|<end_of_turn>|</s>"
    r"|\[/?INST\]",
    re.IGNORECASE,
)
_STARTS_WITH_JSON = re.compile(r"\A[\s\ufeff\u200b]*(?:[`~]{3,}\w*\s*)?\{")
_OBJECT = re.compile(r"\{")
_BROKEN_MAX = 64


def without_thoughts(text: str) -> str:
    """Return a text without the thoughts before its answer, and without what follows the end of the model's turn.

    Thoughts end at the last closing marker, with or without an opening one; thoughts that never end are all there is,
    and the result is empty. A marker within a JSON object is a part of it: an answer may quote an alert that has one.
    """
    if not (_CLOSING.search(text) or _OPENING.search(text) or _END_OF_TURN.search(text)):
        return text
    objects = list(_objects(text))
    starts_with_json = bool(_STARTS_WITH_JSON.match(text))
    closing = [] if starts_with_json else [each for each in _CLOSING.finditer(text) if _is_outside(each, objects)]
    if not closing and _OPENING.search(text):
        return ""
    start = closing[-1].end() if closing else 0
    first_object = next((begin for begin, _ in objects if begin >= start), len(text) if starts_with_json else start)
    ends = (each.start() for each in _END_OF_TURN.finditer(text, first_object) if _is_outside(each, objects))
    return text[start : next(ends, len(text))]


def _is_outside(marker: re.Match[str], objects: list[tuple[int, int]]) -> bool:
    return not any(start < marker.start() < end for start, end in objects)


def _objects(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the valid JSON objects of a text start and end; the search ends after many broken ones."""
    position = broken = 0
    while broken < _BROKEN_MAX and (match := _OBJECT.search(text, position)):
        try:
            _, position = json.JSONDecoder().raw_decode(text, match.start())
        except (ValueError, RecursionError):
            position, broken = match.end(), broken + 1
        else:
            yield match.start(), position
