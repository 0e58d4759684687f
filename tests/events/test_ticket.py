"""One event is enough to render a ticket: what, where, since when, why, who, and what to do."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import Subject
from openclaw_stream.arbitration.arbiter import Arbiter
from openclaw_stream.arbitration.resolution import resolve
from openclaw_stream.events.arbitration_result import ArbitrationResult
from openclaw_stream.incidents.evidence import case_of
from openclaw_stream.settings import Settings, SigNozSettings
from openclaw_stream.signoz import SigNoz
from openclaw_stream.stream.output_records import OutputRecords
from openclaw_stream.stream.state.revision import Revision
from openclaw_stream.telemetry.metrics import Metrics
from openclaw_stream.vocabulary import EventType, Language, Severity
from tests.conftest import PROJECT
from tests.events.ticket import render
from tests.stream.bench import Partition

FIRES = Alert(
    "ContainerOOMKilled",
    Severity.HIGH,
    firing=True,
    starts_at=1_795_300_000_000,
    ends_at=0,
    fingerprint="f",
    member=1,
    group_key="g",
    subject=Subject("deployment", "shop", "checkout"),
    namespace="shop",
    service="checkout",
    labels={"deployment": "checkout", "container": "app"},
    annotations={
        "summary": "Container app of checkout was OOM killed, its memory limit is 512Mi",
        "runbook_url": "https://runbooks.example.org/oom",
    },
    generator_url="https://prometheus.example.org/graph",
)
ENDS = replace(FIRES, firing=False, ends_at=1_795_300_900_000)


def example(name: str) -> dict[str, Any]:
    """Return a published example, as a consumer reads it."""
    event: dict[str, Any] = orjson.loads((PROJECT / "schemas" / "examples" / f"{name}.v1.json").read_bytes())
    return event


SUMMARY = "Container app of checkout was OOM killed 4 times in ten minutes, its memory limit is 512Mi"
COMMAND = "kubectl set resources deployment/checkout --containers=app --limits=memory=768Mi -n shop"
TICKET = f"""\
checkout (Deployment, shop): out of memory
The container app reaches its memory limit and is killed; requests fail while it restarts.
Where: shop/deployment/checkout
Since: 2026-11-22T09:30:00Z
Severity: critical (firing)
Team: BE (confidence 81%), may need INFRA
Owner: Shop backend, https://chat.example.org/shop-backend
Command (not executed): {COMMAND}
Reason: ContainerOOMKilled (summary): “{SUMMARY}”; half as much again leaves room for the load.
Risk: medium, 3 pods affected
Alerts:
- HighErrorRate [16, critical, firing] 12.4% of the requests of checkout failed in the last five minutes \
(cluster=prod-1, service=checkout)
- ContainerOOMKilled [1, high, firing] {SUMMARY} \
(deployment=checkout, container=app, pod=checkout-7d9f8b6c5-x2x4z)
- 1 more alerts are not shown
Links:
- https://runbooks.example.org/checkout/errors
- https://prometheus.example.org/graph?g0.expr=errors
- https://grafana.example.org/d/checkout
- https://grafana.example.org/d/checkout?viewPanel=4
- https://prometheus.example.org/graph?g0.expr=oom
- https://signoz.example.org/traces-explorer"""


def test_the_ticket_of_a_decision() -> None:
    assert render(example("decision")) == TICKET


def test_the_ticket_of_a_resolution_keeps_cause_team_and_command() -> None:
    decided, resolved = (render(example(name)).splitlines() for name in ("decision", "resolution"))
    assert resolved[1] == (
        "Ended: 2026-11-22T09:52:07Z (22 min) All alerts of this incident have resolved, and none fired again within "
        "the hold time. No action is needed."
    )
    assert resolved[:1] + resolved[2:] == [
        line.replace(" firing]", " resolved]").replace("(firing)", "(resolved)")
        for line in decided
        if "signoz" not in line
    ]


def test_a_ticket_in_chinese() -> None:
    event = example("resolution")
    event["provenance"]["language"] = "zh-TW"
    event["decision"] |= {
        "action_title": "checkout (Deployment, shop)：記憶體不足",
        "description": "容器 app 達到記憶體上限而被終止。",
        "command_reason": "目前的記憶體上限：「memory limit is 512Mi」（ContainerOOMKilled 的摘要）",
    }
    event["resolution"]["text"] = "此事件的所有告警都已恢復。"
    assert render(event).splitlines()[:11] == [
        "checkout (Deployment, shop)：記憶體不足",
        "結束：2026-11-22T09:52:07Z (22 min) 此事件的所有告警都已恢復。",
        "容器 app 達到記憶體上限而被終止。",
        "位置：shop/deployment/checkout",
        "開始時間：2026-11-22T09:30:00Z",
        "嚴重性：critical (resolved)",
        "負責團隊：BE (信心 81%), 可能需要 INFRA",
        "所屬團隊：Shop backend, https://chat.example.org/shop-backend",
        f"指令（未執行）：{COMMAND}",
        "理由：目前的記憶體上限：「memory limit is 512Mi」（ContainerOOMKilled 的摘要）",
        "風險：medium, 3 個 Pod 受影響",
    ]


async def decided(revision: Revision, partition: Partition, language: Language) -> ArbitrationResult:
    assert revision.snapshot
    case = case_of(revision.snapshot, revision.due)
    if revision.event_type is EventType.RESOLUTION:
        last = partition.ledger.previous_decision(revision)
        return resolve(case, revision.snapshot.status, last, language)
    signoz = SigNoz(SigNozSettings(url=None))
    result = await Arbiter(language, 5, signoz, Metrics().golden_signals).decide(case)
    await signoz.close()
    return result


async def published(language: Language) -> list[dict[str, Any]]:
    """Return the decision and the resolution of an incident as the worker publishes them; it restarts in between."""
    partition = Partition()
    partition.read(0, FIRES)
    partition.read(10, FIRES)
    events = []
    for number in range(2):
        if number:
            partition.start()
            partition.read(11, ENDS)
            partition.read(40, replace(FIRES, group_key="other"))
        while partition.ledger.ready:
            revision = partition.ledger.ready.popleft()
            result = await decided(revision, partition, language)
            assert revision.snapshot
            is_decision = revision.event_type is EventType.DECISION
            last = result.as_published(revision.snapshot.incident_id, revision.snapshot.revision)
            partition.ledger.complete(revision, result, last if is_decision else None)
        plan = partition.ledger.plan(lazy=True)
        assert plan
        records = OutputRecords(Settings(), "alerts", 0).messages(plan, partition.ledger)
        events += [orjson.loads(each.value or b"") for each in records if each.topic == Settings().topics.decisions]
        partition.states |= {key: value for key, value in plan.states if value}
        partition.committed = plan.offset, plan.metadata
    return events


@pytest.mark.parametrize("language", Language)
async def test_a_ticket_of_the_rules_has_all_that_is_needed(language: Language) -> None:
    """Also the resolution's, though the worker restarted before the incident ended."""
    decision, resolution = await published(language)
    assert (decision["event_type"], resolution["event_type"]) == ("decision", "resolution")
    assert resolution["decision"] == decision["decision"]
    assert resolution["confidence"] == decision["confidence"]
    for event in (decision, resolution):
        ticket = render(event)
        title = ticket.splitlines()[0]
        assert "checkout" in title
        for text in (
            "shop/deployment/checkout",
            event["decision"]["description"],
            event["decision"]["primary_responsibility"],
            event["decision"]["kubectl_command"],
            event["decision"]["command_reason"],
            FIRES.annotations["summary"],
            FIRES.annotations["runbook_url"],
            FIRES.generator_url,
        ):
            assert text in ticket
    assert resolution["resolution"]["text"] in render(resolution)
