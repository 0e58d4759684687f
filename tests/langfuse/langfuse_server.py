"""A Langfuse server on loopback that decodes what the SDK sends: spans as OTLP, scores as JSON."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SPANS = "/api/public/otel/v1/traces"
SCORES = "/api/public/scores"


@dataclass(frozen=True)
class Observation:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    seconds: float
    attributes: dict[str, Any]
    events: int

    def __getitem__(self, key: str) -> Any:
        return self.attributes[f"langfuse.{key}"]

    def json(self, key: str) -> Any:
        return json.loads(self[key])


@dataclass
class LangfuseServer:
    url: str = ""
    observations: list[Observation] = field(default_factory=list)
    scores: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    authorizations: set[str] = field(default_factory=set)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def traces(self) -> list[Observation]:
        return [each for each in self.observations if not each.parent_id]

    @property
    def generations(self) -> list[Observation]:
        return [each for each in self.observations if each["observation.type"] == "generation"]

    def scores_named(self, name: str) -> list[dict[str, Any]]:
        return [score for score in self.scores if score["name"] == name]


@asynccontextmanager
async def langfuse_server() -> AsyncIterator[LangfuseServer]:
    server = LangfuseServer()

    async def take(request: web.Request) -> web.Response:
        body = await request.read()  # decompressed if the encoding is gzip
        server.paths.append(request.path)
        server.bodies.append(body)
        server.authorizations.add(request.headers["authorization"])
        if request.path == SPANS:
            server.observations += _decode(body)
            return web.Response(content_type="application/x-protobuf")
        server.scores += json.loads(body)
        return web.json_response({"message": "Accepted"}, status=202)

    application = web.Application(client_max_size=1 << 26)
    application.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()


def _decode(body: bytes) -> list[Observation]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        Observation(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            name=span.name,
            seconds=(span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
            attributes={each.key: _value(each.value) for each in span.attributes},
            events=len(span.events),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    return [_value(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
