"""HTTP to other servers: no key outside a header, capped bodies, and JSON read without trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from openclaw_stream import __version__
from openclaw_stream.errors import OpenClawError, SettingsError
from openclaw_stream.text import Hidden, safe_text

BODY_MAX = 1 << 20
"""Bytes of a body that are read; an answer takes a few thousand."""

_HEADERS = {
    "accept-encoding": "identity",  # compressed, a small body could unfold into a huge one
    "content-type": "application/json",
    "user-agent": f"openclaw-stream/{__version__}",
}
_THIS_MACHINE = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_CONNECT_SECONDS = 5.0
_ERROR_MAX = 300


class BodyTooLargeError(OpenClawError):
    """A server answered with more bytes than are read."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer with its whole body; `document` is the JSON in it, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any


def open_client(base_url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Return a client of one server; each call brings its own deadline.

    A proxy of the environment is used for other machines, but never for this one.

    Raises:
        SettingsError: The environment's proxy or certificates cannot be used.
    """
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers={**_HEADERS, **headers},
            limits=httpx.Limits(max_keepalive_connections=8),  # callers have a limit of their own
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            mounts=dict.fromkeys(_THIS_MACHINE),
        )
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        raise SettingsError(
            "see HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR: "
            f"cannot open an HTTP client with them: {safe_text(str(error), _ERROR_MAX, hidden=Hidden.ESCAPE)}"
        ) from None


async def send(
    client: httpx.AsyncClient,
    method: str,
    path: str,
    content: bytes | None = None,
    *,
    auth: tuple[str, str] | None = None,
) -> HttpResponse:
    """Send a request and read the answer.

    Raises:
        BodyTooLargeError: The body has more than BODY_MAX bytes.
        httpx.HTTPError: There was no answer. It carries the request with its headers: raise nothing from it.
    """
    async with client.stream(method, path, content=content, auth=auth) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > BODY_MAX:
                raise BodyTooLargeError(f"more than {BODY_MAX} bytes")
    return HttpResponse(response.status_code, response.headers, bytes(body), _decoded(body))


def dig(value: object, *path: str | int) -> Any:
    """Return what lies at a path of keys and indexes; None where the path ends before."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def _decoded(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
