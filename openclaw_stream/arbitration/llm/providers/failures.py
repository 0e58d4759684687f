"""Classifies the errors of providers: by the error's own code, its words, and the status of the response."""

import re
from collections.abc import Iterator
from typing import Any, Final

import httpx

from openclaw_stream.arbitration.llm.providers.base import Failure
from openclaw_stream.http_client import HttpResponse, dig, listed

_STATUSES: Final = {
    401: Failure.UNAUTHORIZED,
    402: Failure.SPEND_LIMIT,
    403: Failure.UNAUTHORIZED,
    404: Failure.MODEL_MISSING,
    408: Failure.TIMEOUT,
    413: Failure.CONTEXT_TOO_LONG,
    429: Failure.RATE_LIMITED,
    503: Failure.OVERLOADED,
    529: Failure.OVERLOADED,
}
_CODES: Final = {
    "api_key_invalid": Failure.UNAUTHORIZED,
    "billing_hard_limit_reached": Failure.SPEND_LIMIT,
    "budget_exceeded": Failure.SPEND_LIMIT,
    "content_filter": Failure.BLOCKED,
    "context_length_exceeded": Failure.CONTEXT_TOO_LONG,
    "enforced_spend_limit_reached": Failure.SPEND_LIMIT,
    "exceed_context_size_error": Failure.CONTEXT_TOO_LONG,
    "insufficient_quota": Failure.SPEND_LIMIT,
    "insufficient_system_resource": Failure.OVERLOADED,
    "invalid_api_key": Failure.UNAUTHORIZED,
    "model_not_found": Failure.MODEL_MISSING,
    "overloaded_error": Failure.OVERLOADED,
    "rate_limit_error": Failure.RATE_LIMITED,
    "rate_limit_exceeded": Failure.RATE_LIMITED,
    "resource_exhausted": Failure.RATE_LIMITED,
    "too_many_requests": Failure.RATE_LIMITED,
    "unavailable": Failure.OVERLOADED,
}
"""By the error's own code, which takes precedence over the status: servers disagree about statuses."""

_TOO_LONG: Final = re.compile(
    r"context.?(?:size|length|window)|prompt is too long|token count|maximum number of tokens|too many tokens",
    re.IGNORECASE,
)
_SPENT: Final = re.compile(
    r"per[ _-]?(?:day|week|month)|\b[rt]pd\b|(?:daily|weekly|monthly)[ _-](?:\w+[ _-])?(?:limit|quota|cap|budget|usage)"
    r"|credit balance|credits? (?:\w+ ){0,2}(?:depleted|exhausted|used up)|payment[ _]required"
    r"|(?:insufficient|not enough|out of|more)[ _](?:account[ _])?(?:credits?|balance|funds|quota)"
    r"|(?:budget|key limit)[ _](?:(?:has been|was|is) )?(?:exceeded|reached|exhausted)|exceeded (?:\w+ )?budget"
    r"|specified api usage limits|(?:billing|spend|spending)[ _-](?:hard[ _-])?(?:limit|cap)"
    r"|\blimit: 0\b|余额不足|餘額不足|欠费|欠費",
    re.IGNORECASE,
)
"""Quotas of a day and more, and spent money, in the words of many servers; a rate limit ends within a minute."""

_SPENT_STATUSES: Final = {400, 402, 403, 429, 502}
"""502 is that of an error inside of a 200 without a status of its own."""

_INPUT_STATUSES: Final = {400, 422}
_WORDS_MAX = 400
_STATUS_MAX = 599


def failure_of(response: HttpResponse) -> Failure:
    """Return the failure that an error response describes."""
    codes = [str(code).casefold() for code in _codes(response.document)]
    words = " ".join((error_message(response)[:_WORDS_MAX], *codes))
    if response.status in _SPENT_STATUSES and _SPENT.search(words):
        return Failure.SPEND_LIMIT
    by_code = next((_CODES[code] for code in codes if code in _CODES), None)
    if by_code:
        return by_code
    if response.status in _INPUT_STATUSES and _TOO_LONG.search(error_message(response)):
        return Failure.CONTEXT_TOO_LONG
    fallback = Failure.SERVER_ERROR if response.status >= httpx.codes.INTERNAL_SERVER_ERROR else Failure.BAD_REQUEST
    return _STATUSES.get(response.status, fallback)


def embedded_error(response: HttpResponse) -> HttpResponse | None:
    """Return the error inside of a 200 as a response with the error's own status, 502 where it has none."""
    document = response.document
    for error in (dig(document, "error"), dig(document, "choices", 0, "error"), _failed_choice(document)):
        if error:
            status = _status(dig(error, "code")) or _status(dig(error, "status")) or httpx.codes.BAD_GATEWAY
            return HttpResponse(status, response.headers, response.body, {"error": error})
    return None


def error_message(response: HttpResponse) -> str:
    """Return the message of an error response; the whole body where it has none in a known place."""
    error = dig(_unlisted(response.document), "error")
    text = dig(error, "message") or error
    return text if isinstance(text, str) else response.body.decode(errors="replace")


def _failed_choice(document: Any) -> str:
    return "the server ended with an error" if dig(document, "choices", 0, "finish_reason") == "error" else ""


def _status(value: object) -> int | None:
    """Return a status of an error, given as a number or its digits."""
    if isinstance(value, bool) or not re.fullmatch(r"\d{3}", str(value)):
        return None
    return number if httpx.codes.BAD_REQUEST <= (number := int(str(value))) <= _STATUS_MAX else None


def _codes(document: Any) -> Iterator[object]:
    """Yield the codes of an error: its own, those of its details, and the quotas that it violates."""
    document = _unlisted(document)
    error = dig(document, "error")
    yield from (dig(error, name) for name in ("code", "type", "status"))
    for details in (dig(error, "details"), dig(document, "details")):
        for detail in details if isinstance(details, list) else [details]:
            yield from (dig(detail, name) for name in ("error_code", "reason"))
            for violation in listed(dig(detail, "violations")):
                yield dig(violation, "quotaId")
                yield f"limit: {dig(violation, 'quotaValue')}"


def _unlisted(document: Any) -> Any:
    """Return the first document of a list of them, which is how Gemini's compatible endpoint answers an error."""
    return document[0] if isinstance(document, list) and document else document
