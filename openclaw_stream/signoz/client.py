"""HTTP to SigNoz: a deadline, a capped body, and the key in a header and nowhere else."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import httpx

from openclaw_stream.errors import OpenClawError
from openclaw_stream.http_client import BodyTooLargeError, HttpResponse, dig, listed, open_client, send
from openclaw_stream.text import Hidden, safe_text

_PATH = "/api/v5/query_range"
_SAID_MAX = 4096
_SHOWN_MAX = 300
_HINTS = {
    401: "set SIGNOZ_API_KEY to a key of this server",
    403: "the key of SIGNOZ_API_KEY may not query",
    404: "SIGNOZ_URL must be the root of a SigNoz of v0.87 or newer",
}


class SigNozError(OpenClawError):
    """SigNoz did not answer; the message is free of secrets.

    `said` is what the server itself said. `refused` tells that it did not like the question: that says nothing
    against its health.
    """

    def __init__(self, message: str, *, said: str = "", refused: bool = False) -> None:
        super().__init__(message)
        self.said = said
        self.refused = refused


class Client:
    """The connections to one server; `url` is its root."""

    def __init__(self, url: str, key: str | None) -> None:
        self._key = key
        self._client = open_client(url, {"SIGNOZ-API-KEY": key} if key else {})

    async def query(self, body: Mapping[str, Any], deadline: float) -> Any:
        """Return the `data` of an answer, as decoded JSON; `deadline` is in the event loop's time.

        Raises:
            SigNozError: There is none.
        """
        try:
            async with asyncio.timeout_at(deadline):
                response = await send(self._client, "POST", _PATH, json.dumps(body).encode())
        except TimeoutError:
            raise SigNozError("SigNoz gave no answer in time") from None
        except BodyTooLargeError as error:
            raise SigNozError(f"SigNoz answered {error}") from None
        except httpx.HTTPError as error:
            # Unchained: an exception of the client carries the request with its headers.
            raise SigNozError(f"SigNoz cannot be reached: {self._safe(f'{type(error).__name__} {error}')}") from None
        if response.status != httpx.codes.OK or dig(response.document, "status") != "success":
            raise self._refusal(response)
        return dig(response.document, "data")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    def _refusal(self, response: HttpResponse) -> SigNozError:
        status, document = response.status, response.document
        said = self._safe(_message(document) or response.body.decode(errors="replace"), _SAID_MAX)
        hint = f"; {_HINTS[status]}" if status in _HINTS else ""
        what = f"{status} without JSON of its own" if dig(document, "status") is None else str(status)
        message = f"SigNoz answered {what}: {self._safe(said) or 'an empty body'}{hint}"
        return SigNozError(message, said=said, refused=status == httpx.codes.BAD_REQUEST)

    def _safe(self, text: str, limit: int = _SHOWN_MAX) -> str:
        return safe_text(text, limit, hidden=Hidden.ESCAPE, one_line=True, secrets=[self._key or ""])


def _message(document: Any) -> str:
    """Return all an error says: its message and what it adds, each of which may be missing."""
    error = dig(document, "error")
    additions = dig(error, "errors")
    parts = [dig(error, "message") or error, *(dig(each, "message") for each in listed(additions))]
    return "; ".join(part for part in parts if part and isinstance(part, str))
