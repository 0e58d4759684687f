"""The reason that an alert states for its trouble in so many words: "because …", "due to …", "error: …"."""

import re

_LETTERS_MIN = 5
_STATED = re.compile(
    r"\b(?:because(?: of)?|due to|caused by|(?:fails?|failed|failing|refused|rejected|exited) with(?: an?)?"
    r"|(?:last |root )?(?:reason|cause|error)(?: is|:)|exception:|message:) +"
    r"|(?:因為|由於|起因於|(?:原因|錯誤|錯誤訊息)(?:是|為|[：:])) *",
    re.IGNORECASE,
)
_END = re.compile(r"[.!?](?=\s|$)|[。！？\n|]| / | \(instance ")
_NOT_CERTAIN = re.compile(
    r"\b(?:may|might|could|can|possibly|probably|perhaps|usually|often|typically|likely|not|whether|if|unless)\b"
    r"|可能|也許|通常|不是|是否",
    re.IGNORECASE,
)
_NO_REASON = re.compile(
    r"[\"“']?(?:threshold crossed|your\b)|(?:expire|run|start|end|renew|close|finish)\b"
    r"|(?:this|that|it|these|those|none)\b|unknown",
    re.IGNORECASE,
)


def stated_reason(text: str) -> str:
    """Return the first reason that a text states as certain, without what introduces it; empty if there is none."""
    for sentence in _END.split(text):
        match = _STATED.search(sentence)
        if match and not _NOT_CERTAIN.search(sentence):
            reason = sentence[match.end() :].strip(" ,;:，；：")
            if sum(map(str.isalpha, reason)) >= _LETTERS_MIN and not _NO_REASON.match(reason):
                return reason
    return ""
