"""HTTP client of SigNoz: a deadline, a body of limited size, and the key in a header only."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from openclaw_stream.errors import OpenClawError
from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, listed, open_client, send
from openclaw_stream.text import Hidden, safe_text

_PATH = "/api/v5/query_range"
_SERVER_MESSAGE_MAX = 4096
_SHOWN_MAX = 300
_HINTS = {
    401: "set SIGNOZ_API_KEY to a key of this server",
    403: "the key of SIGNOZ_API_KEY may not query",
    404: "SIGNOZ_URL must be the root of a SigNoz of v0.87 or newer",
}


class SigNozError(OpenClawError):
    """A query of SigNoz failed; the message has no secrets.

    `server_message` is the error message of the server, without secrets. `rejected_query` means that the server works
    and rejects this query.
    """

    def __init__(self, message: str, *, server_message: str = "", rejected_query: bool = False) -> None:
        super().__init__(message)
        self.server_message = server_message
        self.rejected_query = rejected_query


class SigNozClient:
    """The connections to one server; `url` is its root URL."""

    def __init__(self, url: str, key: str | None) -> None:
        self._key = key
        self._client = open_client(url, {"SIGNOZ-API-KEY": key} if key else {})

    async def query(self, body: Mapping[str, Any], deadline: float) -> Any:
        """Return the `data` of the response, as decoded JSON; `deadline` is in the event loop's time.

        Raises:
            SigNozError: There is no response in time, or it is an error.
        """
        try:
            async with asyncio.timeout_at(deadline):
                response = await send(self._client, "POST", _PATH, json.dumps(body).encode())
        except TimeoutError:
            raise SigNozError("SigNoz did not answer in time") from None
        except BodyTooLargeError as error:
            raise SigNozError(f"SigNoz answered {error}") from None
        except httpx.HTTPError as error:
            # Unchained: an exception of the client contains the request with its headers.
            raise SigNozError(f"SigNoz cannot be reached: {self._safe(f'{type(error).__name__} {error}')}") from None
        if response.status != httpx.codes.OK or dig(response.document, "status") != "success":
            raise self._error_of(response)
        return dig(response.document, "data")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _error_of(self, response: HttpResponse) -> SigNozError:
        status, document = response.status, response.document
        text = self._safe(_message(document) or response.body.decode(errors="replace"), _SERVER_MESSAGE_MAX)
        hint = f"; {_HINTS[status]}" if status in _HINTS else ""
        what = f"{status} without a JSON status" if dig(document, "status") is None else str(status)
        message = f"SigNoz answered {what}: {self._safe(text) or 'an empty body'}{hint}"
        return SigNozError(message, server_message=text, rejected_query=status == httpx.codes.BAD_REQUEST)

    def _safe(self, text: str, limit: int = _SHOWN_MAX) -> str:
        return safe_text(text, limit, hidden=Hidden.ESCAPE, one_line=True, secrets=[self._key or ""])


def _message(document: Any) -> str:
    """Return the message of an error and those of its details; each may be missing."""
    error = dig(document, "error")
    details = dig(error, "errors")
    parts = [dig(error, "message") or error, *(dig(each, "message") for each in listed(details))]
    return "; ".join(part for part in parts if part and isinstance(part, str))
