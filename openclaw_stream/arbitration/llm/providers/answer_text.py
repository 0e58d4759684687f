"""Where the text of an answer is: servers put it into several members, as a text or as a list of parts."""

from typing import Any, Final

from openclaw_stream.http_client import dig, listed

_HIDDEN_MEMBERS: Final = ("thinking", "reasoning", "reasoning_content", "text", "content", "summary")
_DEPTH_MAX = 8


def answer_text(visible: Any, *hidden: Any) -> str:
    """Return the text of an answer; empty where there is none.

    Args:
        visible: The content of the message: a text, a part or a list of parts. Thoughts among the parts are left out.
        hidden: Members for thoughts. Some servers put the whole answer there; they are read where the content has no
            JSON, and so are thoughts among its parts.
    """
    candidates = [_visible(visible), _thoughts(visible), *(_any_text(each) for each in hidden)]
    with_json = (text for text in candidates if "{" in text)
    return next(with_json, candidates[0])


def _is_thought(part: Any) -> bool:
    kind = dig(part, "type")
    return dig(part, "thought") is True or (isinstance(kind, str) and ("think" in kind or "reason" in kind))


def _visible(content: Any) -> str:
    parts = content if isinstance(content, list) else [content]
    return "".join(_any_text(part) for part in parts if not _is_thought(part))


def _thoughts(content: Any) -> str:
    return "".join(_any_text(part) for part in listed(content) if _is_thought(part))


def _any_text(value: Any, depth: int = 0) -> str:
    """Return the text of a value: a text, a list of them, or an object with one of the usual members."""
    if isinstance(value, str) or depth > _DEPTH_MAX:
        return value if isinstance(value, str) else ""
    if isinstance(value, list):
        return "".join(_any_text(each, depth + 1) for each in value)
    members = (value.get(name) for name in _HIDDEN_MEMBERS) if isinstance(value, dict) else ()
    return next((text for each in members if (text := _any_text(each, depth + 1))), "")
