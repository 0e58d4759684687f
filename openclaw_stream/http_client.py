"""HTTP client: keys in headers only, response bodies of limited size, and access to untrusted JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from openclaw_stream import __version__
from openclaw_stream.errors import OpenClawError, SettingsError
from openclaw_stream.text import Hidden, safe_text

BODY_MAX = 1 << 20
"""Most bytes of a response body; a usual one has a few thousand."""

_HEADERS = {
    "accept-encoding": "identity",  # a small compressed body could expand to a huge one
    "content-type": "application/json",
    "user-agent": f"openclaw-stream/{__version__}",
}
_LOCAL_HOSTS = ("all://localhost", "all://127.0.0.1", "all://[::1]")
_CONNECT_SECONDS = 5.0
_ERROR_MAX = 300


class BodyTooLargeError(OpenClawError):
    """A response body is longer than BODY_MAX."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response with its body; `document` is the decoded JSON, None if it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    document: Any


def open_client(base_url: str, headers: Mapping[str, str]) -> httpx.AsyncClient:
    """Return a client for one server; it has no timeout but for connecting, each call has its own deadline.

    Proxies from the environment are used, except for the local host.

    Raises:
        SettingsError: The proxy or certificate settings of the environment cannot be used.
    """
    try:
        return httpx.AsyncClient(
            base_url=base_url,
            headers={**_HEADERS, **headers},
            limits=httpx.Limits(max_keepalive_connections=8),  # callers limit their concurrency
            timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS),
            mounts=dict.fromkeys(_LOCAL_HOSTS),
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
    """Send a request and read the response.

    Raises:
        BodyTooLargeError: The body has more than BODY_MAX bytes.
        httpx.HTTPError: There was no response. It contains the request with its headers: do not chain from it.
    """
    async with client.stream(method, path, content=content, auth=auth) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > BODY_MAX:
                raise BodyTooLargeError(f"more than {BODY_MAX} bytes")
    return HttpResponse(response.status_code, response.headers, bytes(body), _decoded(body))


def dig(value: object, *path: str | int) -> Any:
    """Return the value at a path of keys and indexes; None if the path does not exist."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and an empty list for any other value."""
    return value if isinstance(value, list) else []


def _decoded(body: bytes | bytearray) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
