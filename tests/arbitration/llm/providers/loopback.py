"""A server on loopback with full control over the bytes of its responses."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Loopback:
    url: str = ""
    requests: list[Request] = field(default_factory=list)


@asynccontextmanager
async def loopback(answer: Answer) -> AsyncIterator[Loopback]:
    """Serve `answer` until the block ends; responses that still hang are cancelled."""
    server = Loopback()
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            server.requests.append(await _read(reader))
            await answer(writer)
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            serving.discard(task)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as listening:
        host, port = listening.sockets[0].getsockname()
        server.url = f"http://{host}:{port}"
        try:
            yield server
        finally:
            for task in serving:
                task.cancel()


def responds(status: int, body: object = b"", **headers: str) -> Answer:
    """Respond with a status and a body: bytes unchanged, anything else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return raw(_head(status, {"content-length": str(len(content)), **headers}) + content)


def raw(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


async def hangs(writer: asyncio.StreamWriter) -> None:  # noqa: ARG001, it never answers
    """Read the request and never respond."""
    await asyncio.Event().wait()


def trickles(status: int = 200) -> Answer:
    """Respond at once, with an endless body of a byte every few milliseconds."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(status, {"content-length": "1000000"}))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    return answer


async def resets(writer: asyncio.StreamWriter) -> None:
    """Reset the connection in the middle of the head."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-")
    await writer.drain()
    writer.transport.abort()


def truncates(body: bytes) -> Answer:
    """Announce a longer body than is sent."""
    return raw(_head(200, {"content-length": str(len(body) + 100)}) + body)


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))
