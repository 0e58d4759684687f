"""A small SigNoz server on loopback: it stores spans, and decodes queries as strictly as SigNoz does."""

import json
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web

KEY = "planted-key-0123456789abcdef"

_REQUEST = {"schemaVersion", "start", "end", "requestType", "compositeQuery", "variables", "noCache", "formatOptions"}
_SPEC = {
    "name",
    "stepInterval",
    "signal",
    "source",
    "aggregations",
    "disabled",
    "filter",
    "groupBy",
    "order",
    "selectFields",
    "limit",
    "limitBy",
    "offset",
    "cursor",
    "having",
    "secondaryAggregations",
    "functions",
    "legend",
}
_FIELD_KEY = {"name", "description", "unit", "signal", "fieldContext", "fieldDataType"}
_UINT64 = 2**64


class Span(NamedTuple):
    """A call to a service; `at` is in epoch milliseconds, `duration` in nanoseconds."""

    service: str
    namespace: str
    at: int
    duration: int = 1_000_000
    failed: bool = False


class InvalidInputError(Exception):
    """A query that SigNoz rejects with a 400."""


@dataclass
class MiniSigNoz:
    """`knows_namespaces` is whether any span has the attribute; an old server answers with an error if none has.

    What lies before `broken_before`, in epoch milliseconds, it fails to read.
    """

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    knows_namespaces: bool = True
    is_old: bool = False
    broken_before: int = 0
    requests: list[Any] = field(default_factory=list)

    def variables(self) -> list[dict[str, Any]]:
        """The values of the variables, by request."""
        return [{name: item["value"] for name, item in each["variables"].items()} for each in self.requests]

    async def handle(self, request: web.Request) -> web.Response:
        if request.headers.get("SIGNOZ-API-KEY") != KEY:
            return _error(401, "unauthenticated", "invalid api key")
        try:
            document = json.loads(await request.text())
            self.requests.append(document)
            if document["start"] < self.broken_before:
                return _error(500, "internal", "code: 241, message: memory limit exceeded")
            return web.json_response({"status": "success", "data": self._answer(document)})
        except InvalidInputError as error:
            return _error(400, "invalid_input", str(error))

    def _answer(self, document: Any) -> dict[str, Any]:
        spec, services, namespace = _decode(document)
        warning = None
        if namespace is not None and not self.knows_namespaces:
            message = "key `k8s.namespace.name` not found"
            if self.is_old:
                raise InvalidInputError(f"Found 1 errors while parsing the search expression: {message}")
            message += " in metadata; querying the underlying data directly."
            warning = {"code": "", "message": "Encountered warnings", "url": "", "warnings": [{"message": message}]}
        spans = [
            span
            for span in self.spans
            if document["start"] <= span.at < document["end"]
            and span.service in services
            and (namespace is None or (self.knows_namespaces and span.namespace == namespace))
        ]
        rows = [
            _row(name, [span for span in spans if span.service == name]) for name in {span.service for span in spans}
        ]
        random.shuffle(rows)
        return {
            "type": "scalar",
            "meta": {"rowsScanned": len(spans), "bytesScanned": 0, "durationMs": 1, "stepIntervals": {"A": 60}},
            "data": {"results": [{"queryName": spec["name"], "columns": _columns(spec["name"]), "data": rows}]},
        } | ({"warning": warning} if warning else {})


@asynccontextmanager
async def mini_signoz(*spans: Span, knows_namespaces: bool = True, is_old: bool = False) -> AsyncIterator[MiniSigNoz]:
    """Serve spans within the block."""
    server = MiniSigNoz(spans=list(spans), knows_namespaces=knows_namespaces, is_old=is_old)
    app = web.Application()
    app.router.add_post("/api/v5/query_range", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        server.url = f"http://{host}:{port}"
        yield server
    finally:
        await runner.cleanup()


def _error(status: int, code: str, message: str) -> web.Response:
    error = {"type": code, "code": code, "message": message, "errors": [], "suggestions": []}
    return web.json_response({"status": "error", "error": error}, status=status)


def _columns(query: str) -> list[dict[str, Any]]:
    names = ("service.name", "__result_0", "__result_1", "__result_2")
    return [
        {
            "name": name,
            "queryName": query,
            "aggregationIndex": max(place - 1, 0),
            "meta": {},
            "columnType": "aggregation" if place else "group",
        }
        for place, name in enumerate(names)
    ]


def _row(service: str, spans: list[Span]) -> list[Any]:
    durations = sorted(span.duration for span in spans)
    p99 = durations[min(len(durations) * 99 // 100, len(durations) - 1)]
    return [service, len(spans), sum(span.failed for span in spans), p99]


def _require(condition: object, message: str) -> None:
    if not condition:
        raise InvalidInputError(message)


def _only(fields: Any, known: set[str], where: str) -> None:
    _require(isinstance(fields, dict), f"{where} is no object")
    _require(fields.keys() <= known, f"unknown field {fields.keys() - known} in {where}")


def _decode(document: Any) -> tuple[dict[str, Any], list[str], str | None]:
    """Return the query with its services and its namespace, None for any."""
    _only(document, _REQUEST, "request")
    for bound in ("start", "end"):
        _require(type(document[bound]) is int and 0 <= document[bound] < _UINT64, f"{bound} is no unsigned integer")
    _require(document["start"] < document["end"], "start time must be before end time")
    _require(document["requestType"] in {"scalar", "time_series", "raw", "trace", "raw_stream"}, "invalid request type")
    _only(document["compositeQuery"], {"queries"}, "composite query")
    (envelope,) = document["compositeQuery"]["queries"]
    _only(envelope, {"type", "spec"}, "query")
    _require(envelope["type"] == "builder_query", "unknown query type")
    spec = envelope["spec"]
    _only(spec, _SPEC, "query spec")
    _require(spec["signal"] == "traces", "invalid signal")
    _require(spec["stepInterval"] >= 5, "step interval too small")
    for aggregation in spec["aggregations"]:
        _only(aggregation, {"expression", "alias"}, "aggregation")
    expressions = [aggregation["expression"] for aggregation in spec["aggregations"]]
    _require(expressions == ["count()", "countIf(status_code = 2)", "p99(duration_nano)"], "unexpected aggregations")
    for key in spec["groupBy"]:
        _only(key, _FIELD_KEY, "group by")
    _require([key["name"] for key in spec["groupBy"]] == ["service.name"], "unexpected group by")
    _only(spec["filter"], {"expression"}, "filter")
    for item in document["variables"].values():
        _only(item, {"type", "value"}, "variable")
        _require(item["type"] in {"query", "dynamic", "custom", "text"}, "invalid variable type")
    return spec, *_filter(spec["filter"]["expression"], document["variables"])


def _filter(expression: str, variables: dict[str, Any]) -> tuple[list[str], str | None]:
    """Parse the expected filter; anything else, such as a literal value, is an error."""
    form = re.fullmatch(
        r"service\.name IN \$(\w+)(?: AND k8s\.namespace\.name = \$(\w+))?"
        r" AND \(isRoot = true OR isEntryPoint = true\)",
        expression,
    )
    if form is None:
        raise InvalidInputError(f"unexpected filter {expression}")
    used = [name for name in form.groups() if name]
    _require(set(used) == set(variables), f"variables {set(variables)} are defined, {set(used)} are used")
    services = variables[form[1]]["value"]
    _require(isinstance(services, list) and services, "an empty list or none")
    _require(all(item["type"] != "dynamic" for item in variables.values()), "a type that knows the value __all__")
    return services, variables[form[2]]["value"] if form[2] else None
