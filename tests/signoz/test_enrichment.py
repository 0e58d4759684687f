import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from openclaw_stream.embedded.server import free_port
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.http_client import BODY_MAX
from openclaw_stream.settings.signoz import SigNozSettings
from openclaw_stream.signoz import Enrichment, SigNoz, SigNozError
from tests.arbitration.llm.providers.loopback import Answer, hangs, loopback, raw, resets, responds, trickles, truncates
from tests.builders import DUE, case, exemplar
from tests.signoz.server import KEY, MiniSigNoz, Span, mini_signoz

END = 1_795_300_590_000
"""DUE rounded down to half a minute."""

NOW, BEFORE = END - 600_000, END - 1_200_000
HOSTILE = (
    "it's",
    'say "hi"',
    "$services",
    "$namespace",
    "namespace",
    "__all__",
    "a\nb",
    "a\\' OR 1=1 --",
    "') OR ('1'='1",
    "x'; DROP TABLE signoz_traces; --",
    "%27%20OR%201",
    "結帳服務",
    "a\u202eb\x00c",
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def signoz(url: str, *, clock: Clock | None = None, timeout: float = 10) -> AsyncIterator[SigNoz]:  # noqa: ASYNC109
    client = SigNoz(SigNozSettings(url=url, api_key=SecretStr(KEY), timeout=timeout), clock or Clock())
    try:
        yield client
    finally:
        await client.close()


def spans(number: int, start: int, service: str = "checkout", namespace: str = "shop", **fields: Any) -> list[Span]:
    return [Span(service, namespace, start + 10 * each, **fields) for each in range(number)]


async def look_up(server: MiniSigNoz, *exemplars: Any, **fields: Any) -> tuple[GoldenSignals, str]:
    async with signoz(server.url) as client:
        return known(await client.golden_signals(case(*exemplars, **fields)))


def known(enrichment: Enrichment) -> tuple[GoldenSignals, str]:
    assert enrichment.metrics is not None
    assert enrichment.trace_url is not None
    return enrichment.metrics, unquote(unquote(enrichment.trace_url))


async def test_the_golden_signals_are_those_of_the_ten_minutes_before_the_due_time() -> None:
    slow = spans(12, NOW, duration=2_345_678_900, failed=True)
    around = spans(50, END) + spans(50, BEFORE - 600_000)
    async with mini_signoz(*spans(588, NOW), *slow, *spans(300, BEFORE), *around) as server:
        metrics, link = await look_up(server)
    assert metrics == GoldenSignals(rps=1, rps_trend=1, error_rate=2, p99_ms=2345.679)
    assert "service.name = 'checkout' AND k8s.namespace.name = 'shop'" in link
    assert link.startswith(f"{server.url}/traces-explorer?")
    assert link.endswith(f"&startTime={NOW}&endTime={END}")
    assert sorted((each["start"], each["end"]) for each in server.requests) == [(BEFORE, NOW), (NOW, END)]


async def test_the_service_is_the_name_with_traffic() -> None:
    alert = exemplar(service="checkout-svc", labels={"pod": "checkout-7d9f8b6c5-x2x4z"})
    async with mini_signoz(*spans(60, NOW)) as server:
        metrics, link = await look_up(server, alert, service="checkout-svc")
    assert metrics == GoldenSignals(rps=0.1, error_rate=0, p99_ms=1)
    assert "service.name = 'checkout' AND" in link
    assert server.variables()[0] == {"services": ["checkout-svc", "checkout"], "namespace": "shop"}


async def test_of_two_names_with_traffic_the_first_is_the_service() -> None:
    alert = exemplar(labels={"service.name": "shop-checkout"})
    traffic = spans(600, NOW, "checkout") + spans(60, NOW, "shop-checkout") + spans(30, BEFORE, "shop-checkout")
    async with mini_signoz(*traffic) as server:
        metrics, _ = await look_up(server, alert)
    assert (metrics.rps, metrics.rps_trend) == (0.1, 1)


async def test_traffic_in_another_namespace_is_ignored() -> None:
    async with mini_signoz(*spans(600, NOW, namespace="staging")) as server:
        metrics, link = await look_up(server)
    assert metrics == GoldenSignals(unavailable="SigNoz has no recent traffic of checkout in namespace shop")
    assert link == f"{server.url}/traces-explorer?startTime={NOW}&endTime={END}"


async def test_a_service_without_traffic_now_is_reported_as_zero() -> None:
    async with mini_signoz(*spans(600, BEFORE)) as server:
        metrics, link = await look_up(server)
    assert metrics == GoldenSignals(rps=0, rps_trend=-1)
    assert "service.name = 'checkout'" in link


@pytest.mark.parametrize("is_old", [False, True])
async def test_an_unknown_namespace_attribute_is_left_out_of_a_second_query(*, is_old: bool) -> None:
    async with mini_signoz(*spans(60, NOW), knows_namespaces=False, is_old=is_old) as server:
        metrics, link = await look_up(server)
    assert metrics.rps == 0.1
    assert "namespace" not in link
    assert [sorted(each) for each in server.variables()] == [["namespace", "services"]] * 2 + [["services"]] * 2


async def test_an_unknown_namespace_and_service_end_after_a_second_query() -> None:
    async with mini_signoz(knows_namespaces=False) as server:
        metrics, _ = await look_up(server)
    assert metrics == GoldenSignals(unavailable="SigNoz has no recent traffic of checkout")
    assert len(server.requests) == 4


async def test_without_the_previous_window_there_is_no_trend() -> None:
    async with mini_signoz(*spans(60, NOW), *spans(60, BEFORE)) as server:
        server.broken_before = NOW
        metrics, _ = await look_up(server)
    assert metrics == GoldenSignals(rps=0.1, error_rate=0, p99_ms=1)


@pytest.mark.parametrize("name", HOSTILE)
async def test_names_are_sent_unchanged(name: str) -> None:
    async with mini_signoz(*spans(60, NOW, name, name)) as server:
        metrics, _ = await look_up(server, service=name, namespace=name)
    asked = server.variables()[0]
    assert (asked["services"][0], asked["namespace"]) == (name, name)
    assert metrics.rps == 0.1


async def test_a_name_with_a_lone_surrogate_is_not_an_error() -> None:
    async with mini_signoz() as server:
        metrics, _ = await look_up(server, service="\ud800", namespace="\udfff")
    assert metrics == GoldenSignals(unavailable="SigNoz has no recent traffic of <U+D800> in namespace <U+DFFF>")


async def test_without_a_url_nothing_is_queried() -> None:
    client = SigNoz(SigNozSettings())
    assert not client.configured
    assert await client.golden_signals(case()) == Enrichment(None, None)
    with pytest.raises(SigNozError, match="SIGNOZ_URL is not set"):
        await client.check()
    await client.close()


async def test_alerts_without_a_service_are_not_queried() -> None:
    async with mini_signoz() as server:
        metrics, link = await look_up(server, service="")
    assert metrics == GoldenSignals(unavailable="the alerts name no service")
    assert link == f"{server.url}/traces-explorer?startTime={NOW}&endTime={END}"
    assert server.requests == []


async def test_a_storm_about_one_service_is_queried_once() -> None:
    clock = Clock()
    async with mini_signoz(*spans(60, NOW)) as server, signoz(server.url, clock=clock) as client:
        storm = [case(incident_id=f"i{number}", due=END + 300 * number) for number in range(100)]
        answers = await asyncio.gather(*(client.golden_signals(each) for each in storm))
        assert len(set(map(id, answers))) == 1
        assert await client.golden_signals(case()) is answers[0]
        assert len(server.requests) == 2
        await client.golden_signals(case(due=DUE + 30_000))
        assert len(server.requests) == 4
        clock.now = 60
        await client.golden_signals(case())
        assert len(server.requests) == 6


async def test_a_cached_result_is_not_used_for_another_namespace_or_service() -> None:
    traffic = spans(60, NOW) + spans(120, NOW, namespace="staging") + spans(180, NOW, "cart")
    async with mini_signoz(*traffic) as server, signoz(server.url) as client:
        others = (case(), case(namespace="staging"), case(service="cart"), case(namespace=""), case(service="none"))
        answers = [known(await client.golden_signals(each))[0].rps for each in others * 2]
    assert answers == [0.1, 0.2, 0.3, 0.3, None] * 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (responds(400, {"status": "error", "error": {"message": "bad field"}}), "SigNoz answered 400: bad field"),
        (responds(400, {"status": "error", "errorType": "bad_data", "error": "old"}), "SigNoz answered 400: old"),
        (responds(401, {"status": "error", "error": {"message": "no"}}), "401: no; set SIGNOZ_API_KEY"),
        (responds(403, {"status": "error", "error": {"message": "no"}}), "403: no; the key of SIGNOZ_API_KEY may not"),
        (responds(404, b"404 page not found"), "SIGNOZ_URL must be the root of a SigNoz of v0.87 or newer"),
        (responds(429, {"status": "error", "error": {"message": "slow down"}}, retry_after="9"), "429: slow down"),
        (responds(500, {"status": "error", "error": {"message": "oops", "errors": [{"message": "241"}]}}), "oops; 241"),
        (responds(502, b"<html>Bad Gateway</html>"), "502 without a JSON status: <html>Bad Gateway</html>"),
        (responds(503, b""), "503 without a JSON status: an empty body"),
        (responds(302, b"", location="http://127.0.0.1:9/"), "SigNoz answered 302"),
        (responds(200, b"<!doctype html><title>SigNoz</title>"), "200 without a JSON status: <!doctype"),
        (responds(200, b'{"status":"success","data":{"type":"sca'), "200 without a JSON status"),
        (responds(200, b"[" * 10_000), "200 without a JSON status"),
        (responds(200, b"null"), "200 without a JSON status"),
        (responds(200, {"status": "error", "error": {"message": "late"}}), "SigNoz answered 200: late"),
        (responds(200, {"status": "success"}), "in a form that is not understood"),
        (responds(200, {"status": "success", "data": [1, {"data": 2}]}), "in a form that is not understood"),
        (responds(200, b" " * (BODY_MAX + 1)), f"SigNoz answered more than {BODY_MAX} bytes"),
        (raw(b""), "SigNoz cannot be reached: RemoteProtocolError"),
        (raw(b"SSH-2.0-OpenSSH\r\n"), "SigNoz cannot be reached: RemoteProtocolError"),
        (resets, "SigNoz cannot be reached: R"),
        (truncates(b'{"status":'), "SigNoz cannot be reached: RemoteProtocolError"),
    ],
)
async def test_a_failure_gives_no_metrics_but_the_reason(answer: Answer, reason: str) -> None:
    async with loopback(answer) as server, signoz(server.url) as client:
        metrics, link = known(await client.golden_signals(case()))
    assert metrics.unavailable is not None
    assert reason in metrics.unavailable
    assert metrics == GoldenSignals(unavailable=metrics.unavailable)
    assert link == f"{server.url}/traces-explorer?startTime={NOW}&endTime={END}"


@pytest.mark.parametrize("answer", [hangs, trickles(), trickles(500)])
async def test_a_slow_response_is_a_timeout(answer: Answer) -> None:
    async with loopback(answer) as server, signoz(server.url, timeout=1) as client:
        metrics, _ = known(await client.golden_signals(case()))
    assert metrics == GoldenSignals(unavailable="SigNoz did not answer in time")


async def test_no_secret_is_logged_or_published() -> None:
    message = f"key {KEY} of admin@shop.example is unknown, token=abcdef0123456789 \u202e"
    async with loopback(responds(401, {"status": "error", "error": {"message": message}})) as server:
        with capture_logs() as logs:
            async with signoz(server.url) as client:
                metrics, link = known(await client.golden_signals(case()))
                with pytest.raises(SigNozError) as raised:
                    await client.check()
    published = f"{metrics} {link} {logs} {raised.value} {raised.value.server_message} {raised.value.__cause__}"
    assert logs
    assert not any(secret in published for secret in (KEY, "admin@shop", "abcdef0123456789"))
    assert "\u202e" not in f"{metrics.unavailable}{raised.value}"
    assert all(request.headers["signoz-api-key"] == KEY for request in server.requests)
    assert not any(KEY in request.line for request in server.requests)


async def test_the_circuit_opens_after_three_failures() -> None:
    clock = Clock()
    async with loopback(responds(503)) as server, signoz(server.url, clock=clock) as client:
        for number in range(10):
            metrics, _ = known(await client.golden_signals(case(service=f"s{number}")))
        assert metrics == GoldenSignals(unavailable="SigNoz circuit open after repeated failures")
        assert len(server.requests) == 6
        clock.now = 30
        await asyncio.gather(*(client.golden_signals(case(service=f"s{number}")) for number in range(10)))
        assert len(server.requests) == 8


async def test_the_circuit_closes_when_signoz_answers_again() -> None:
    clock = Clock()
    async with mini_signoz(*spans(60, NOW)) as server, signoz(server.url, clock=clock) as client:
        server.broken_before = END
        for _ in range(3):
            assert known(await client.golden_signals(case()))[0].rps is None
        server.broken_before = 0
        assert known(await client.golden_signals(case()))[0].rps is None
        clock.now = 30
        assert known(await client.golden_signals(case()))[0].rps == 0.1
        assert known(await client.golden_signals(case(service="cart")))[0].unavailable is not None
        assert len(server.requests) == 10


async def test_a_rejected_query_is_not_a_failure_of_the_server() -> None:
    async with loopback(responds(400)) as server, signoz(server.url) as client:
        for number in range(5):
            await client.golden_signals(case(service=f"s{number}"))
    assert len(server.requests) == 10


async def test_a_refused_connection_is_reported() -> None:
    async with signoz(f"http://127.0.0.1:{free_port()}") as client:
        metrics, _ = known(await client.golden_signals(case()))
        assert metrics.unavailable is not None
        assert "SigNoz cannot be reached: ConnectError" in metrics.unavailable
        with pytest.raises(SigNozError, match="cannot be reached"):
            await client.check()


async def test_concurrent_cases_are_limited_and_none_waits_longer_than_the_timeout() -> None:
    async with loopback(hangs) as server, signoz(server.url, timeout=1) as client:
        crowd = (client.golden_signals(case(service=f"s{number}")) for number in range(50))
        answers = [known(each)[0].unavailable for each in await asyncio.gather(*crowd)]
    # A slot that is released just before the timeout may be acquired once more, until three queries have failed.
    assert 8 <= answers.count("SigNoz did not answer in time") <= 10
    assert 16 <= len(server.requests) <= 20
    assert None not in answers


async def test_a_cancelled_case_does_not_cancel_a_shared_query() -> None:
    async with mini_signoz(*spans(60, NOW)) as server, signoz(server.url) as client:
        first, second = (asyncio.create_task(client.golden_signals(case())) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert known(await second)[0].rps == 0.1
        assert len(server.requests) == 2


async def test_closing_does_not_wait_for_a_response() -> None:
    async with loopback(hangs) as server, signoz(server.url, timeout=100) as client:
        waiting = asyncio.create_task(client.golden_signals(case()))
        while len(server.requests) < 2:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        await client.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_defect_of_the_lookup_does_not_fail_the_decision() -> None:
    async with mini_signoz() as server, signoz(server.url) as client:
        await client.close()
        metrics, _ = known(await client.golden_signals(case()))
    assert metrics == GoldenSignals(unavailable="the lookup failed with RuntimeError")


async def test_the_check_passes_if_the_query_is_answered() -> None:
    async with mini_signoz() as server, signoz(server.url) as client:
        await client.check()
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (responds(401, {"status": "error", "error": {"message": "no"}}), "set SIGNOZ_API_KEY to a key of this server"),
        (responds(404, b"404 page not found"), "SIGNOZ_URL must be the root"),
    ],
)
async def test_the_check_says_what_to_do(answer: Answer, advice: str) -> None:
    async with loopback(answer) as server, signoz(server.url) as client:
        with pytest.raises(SigNozError, match=advice):
            await client.check()
