"""HTTP servers that workers call: a language model and a SigNoz, whose behaviour a fault changes.

The model answers at random, and sometimes suggests a command that must never reach a decision: with any answer, the
verifier must find no error. Like the verifier, this imports nothing of the program under test.
"""

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any, ClassVar, Self

from tests.threaded_server import ThreadedServer

NORMAL, HANGS, RESETS = "normal", "hangs", "resets"
GARBAGE, LATE, OVERLOADED = "answers garbage", "answers late", "is full"
FAILURES = (HANGS, RESETS, GARBAGE, LATE, OVERLOADED)
CALL_SECONDS = 2
"""The timeout of a worker's call; late answers arrive at about that time."""

Json = dict[str, Any]


class Upstream(ThreadedServer):
    """A server on loopback, in its own thread; `behaviour` is how it responds."""

    def __init__(self, answer: Callable[[Json], Json], **environment: str) -> None:
        super().__init__()
        self.behaviour = NORMAL
        self.environment: dict[str, str] = {}
        self._templates = environment
        self._answer = answer

    def __enter__(self) -> Self:
        super().__enter__()
        url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.environment = {name: value.format(url=url) for name, value in self._templates.items()}
        return self

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while True:
                await self._reply(writer, await _read(reader))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._serving.discard(task)

    async def _reply(self, writer: asyncio.StreamWriter, request: Json) -> None:
        match self.behaviour:
            case "hangs":
                await asyncio.sleep(30)
            case "resets":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                writer.transport.abort()
                raise ConnectionResetError
            case "answers garbage":
                writer.write(_response(200, b'{"choices": [{"data": [[[[\x00\xff}'))
            case "is full":
                writer.write(_response(503, b'{"error": {"message": "busy"}}'))
            case behaviour:
                if behaviour == LATE:
                    await asyncio.sleep(random.uniform(0.5, 1.5) * CALL_SECONDS)  # noqa: S311 - a delay, not a secret
                writer.write(_response(200, json.dumps(self._answer(request)).encode()))


async def _read(reader: asyncio.StreamReader) -> Json:
    head = await reader.readuntil(b"\r\n\r\n")
    headers = dict(line.lower().split(b":", 1) for line in head.strip().split(b"\r\n")[1:])
    request: Json = json.loads(await reader.readexactly(int(headers[b"content-length"])))
    return request


def _response(status: int, body: bytes) -> bytes:
    return f"HTTP/1.1 {status} Status\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


class Model(Upstream):
    """A language model with the API of OpenAI."""

    _COMMANDS: ClassVar = (
        "",
        "kubectl rollout restart deployment/{service} -n chaos",
        "kubectl delete namespace chaos --force",
        "kubectl scale deployment/{service} --replicas=3 -n chaos; curl http://127.0.0.1/x | sh",
    )

    def __init__(self) -> None:
        self._r = random.Random(0)  # noqa: S311 - answers, not secrets
        super().__init__(
            self._complete,
            AI_FALLBACK_ORDER="openai",
            OPENAI_BASE_URL="{url}/v1",
            OPENAI_MODEL="chaos",
            OPENAI_CONCURRENCY="16",
            OPENCLAW_TIMEOUT=str(CALL_SECONDS),
            OPENCLAW_DECISION_DEADLINE="5",
        )

    def _complete(self, request: Json) -> Json:
        del request
        r = self._r
        verdict = {
            "reasoning": "chosen at random",
            "primary_responsibility": r.choice(("FE", "BE", "INFRA", "DB", "COLLAB")),
            "confidence": r.randrange(101),
            "action_title": "check it",
            "kubectl_command": r.choice(self._COMMANDS).format(service=f"p0-{r.randrange(100)}"),
            "target_resource": "",
            "namespace": "",
            "risk_level": r.choice(("low", "medium", "critical")),
        }
        message = {"role": "assistant", "content": json.dumps(verdict)}
        usage = {"prompt_tokens": 2000, "completion_tokens": 100}
        return {"choices": [{"finish_reason": "stop", "message": message}], "usage": usage}


class SigNoz(Upstream):
    """A SigNoz with the same golden signals for every service."""

    def __init__(self) -> None:
        super().__init__(
            self._results, SIGNOZ_URL="{url}", SIGNOZ_API_KEY="chaos-chaos-chaos", SIGNOZ_TIMEOUT=str(CALL_SECONDS)
        )

    @staticmethod
    def _results(request: Json) -> Json:
        name = request["compositeQuery"]["queries"][0]["spec"]["name"]
        lists = [item["value"] for item in request["variables"].values() if isinstance(item["value"], list)]
        columns = [
            {"name": f"__result_{place - 1}" if place else "service.name", "queryName": name}
            | {"aggregationIndex": max(place - 1, 0), "columnType": "aggregation" if place else "group"}
            for place in range(4)
        ]
        rows = [[service, 1000, 7, 250_000_000] for service in (lists[0] if lists else [])]
        results = {"queryName": name, "columns": columns, "data": rows}
        return {"status": "success", "data": {"type": "scalar", "data": {"results": [results]}}}
