"""The records of the benchmarks: alerts of about 0.9 KB, as a real producer writes them, in several shapes."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from zlib import crc32

import orjson

PARTITIONS = 4
GROUPS = 2_000
_PODS = 4
_BATCH = 20
_STARTED = "2026-11-22T10:00:00Z"

NO_WAITS = {
    "OPENCLAW_GROUP_WAIT": "0",
    "OPENCLAW_GROUP_WAIT_CRITICAL": "0",
    "OPENCLAW_GROUP_INTERVAL": "0",
}

Record = tuple[int, bytes]
"""A partition and a value."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a group of alerts is about."""

    name: str
    severity: str
    summary: str
    description: str
    """With the service, a value and the pod."""
    unit: str


TROUBLES = (
    Trouble(
        "HighLatencyP99",
        "warning",
        "High P99 latency",
        "P99 latency of {service} is {value} ms, above 800 ms for 5 minutes",
        "ms",
    ),
    Trouble(
        "HttpErrorRateHigh",
        "critical",
        "Requests fail",
        "{value} of 10,000 requests to {service} were answered with 5xx",
        "errors",
    ),
    Trouble(
        "KubePodCrashLooping",
        "warning",
        "Pod is crash looping",
        "Pod {pod} of {service} restarted {value} times and waits in CrashLoopBackOff",
        "restarts",
    ),
    Trouble(
        "PostgresqlTooManyConnections",
        "high",
        "Many connections",
        "PostgreSQL behind {service} has {value} connections of 1,200",
        "connections",
    ),
    Trouble(
        "ContainerMemoryNearLimit",
        "warning",
        "Memory near its limit",
        "Container app of {pod} uses {value} MiB of its limit of 1,000 MiB",
        "MiB",
    ),
    Trouble(
        "KafkaConsumerLag",
        "warning",
        "Consumer lag grows",
        "Consumer group {service} is {value} thousand records behind on topic orders",
        "thousand",
    ),
    Trouble(
        "ScriptErrorsInBrowsers",
        "warning",
        "Script errors in browsers",
        "{value} sessions of {service} met an uncaught TypeError in the last 5 minutes",
        "sessions",
    ),
    Trouble(
        "NodeFilesystemAlmostOutOfSpace",
        "warning",
        "Filesystem is nearly full",
        "The filesystem of {service} has {value} MiB left and fills up",
        "MiB",
    ),
)


@dataclass(frozen=True, slots=True)
class Workload:
    """A shape of load."""

    title: str
    records: Callable[[int], Iterable[Record]]
    """By the number of alerts."""
    alerts_per_record: int = 1
    opening: Callable[[], Iterable[Record]] = tuple
    """What is folded and decided before anything is measured."""
    variables: Mapping[str, str] = field(default_factory=lambda: NO_WAITS)


def alert(group: int, sequence: int = 0, pod: int = 0, *, firing: bool = True) -> bytes:
    """Return a native alert of one group; repeats differ in value and text, as those of a real producer do."""
    return orjson.dumps(_native(group, sequence, pod, firing=firing))


def _native(group: int, sequence: int, pod: int, *, firing: bool) -> dict[str, object]:
    trouble = TROUBLES[group % len(TROUBLES)]
    service, value = f"service-{group}", 900 + sequence % 97
    pod_name = f"{service}-7d9f8b6c5d-x{pod}k4q"
    text = trouble.description.format(service=service, value=value, pod=pod_name)
    return {
        "alert_type": trouble.name,
        "severity": trouble.severity,
        "status": "firing" if firing else "resolved",
        "source": "prometheus",
        "namespace": f"team-{group % 40}",
        "service": service,
        "target_resource": f"deployment/{service}",
        "message": text,
        "starts_at": _STARTED,
        "metrics": {"p99_ms": value, "rps": 120.5, "error_rate": 0.4, "cpu_percent": 61.2},
        "labels": {"alertname": trouble.name, **_labels(service, pod_name)},
        "annotations": {
            "summary": trouble.summary,
            "description": f"{text}. The measurement is the median of the last five minutes.",
            "runbook_url": f"https://runbooks.example.com/{trouble.name}",
        },
        "generator_url": "https://prometheus.example.com/graph?g0.expr=histogram_quantile",
    }


def _labels(service: str, pod: str) -> dict[str, str]:
    return {
        "cluster": "production-eu-1",
        "env": "production",
        "job": service,
        "endpoint": "http-metrics",
        "pod": pod,
        "container": "app",
        "instance": "10.2.33.104:8080",
        "prometheus": "monitoring/main",
    }


def _storm(alerts: int) -> Iterator[Record]:
    """Four pods of each of the groups at random, a tenth of the alerts resolved."""
    drawn = random.Random(7)  # noqa: S311 - the same load every time
    for n in range(alerts):
        group = drawn.randrange(GROUPS)
        yield group % PARTITIONS, alert(group, n, drawn.randrange(_PODS), firing=drawn.random() >= 0.1)


def _openers() -> Iterator[Record]:
    return ((group % PARTITIONS, alert(group)) for group in range(GROUPS))


def _repeats(alerts: int) -> Iterator[Record]:
    return ((n % GROUPS % PARTITIONS, alert(n % GROUPS, n)) for n in range(alerts))


def _distinct(alerts: int) -> Iterator[Record]:
    """Each alert is a member that its group has not had before."""
    return ((n % GROUPS % PARTITIONS, alert(n % GROUPS, n, pod=n)) for n in range(alerts))


def _opening(alerts: int) -> Iterator[Record]:
    """Every tenth alert opens an incident, the others repeat one of the latest."""
    drawn = random.Random(7)  # noqa: S311 - the same load every time
    for n in range(alerts):
        newest = n // 10
        group = newest if n % 10 == 0 else max(0, newest - drawn.randrange(GROUPS))
        yield group % PARTITIONS, alert(group, n)


def _batches(alerts: int) -> Iterator[Record]:
    """Each record is a webhook of Alertmanager about the pods of one service."""
    return ((n % GROUPS % PARTITIONS, _webhook(n % GROUPS, n)) for n in range(alerts // _BATCH))


def _batch_openers() -> Iterator[Record]:
    return ((group % PARTITIONS, _webhook(group, 0)) for group in range(GROUPS))


def _webhook(group: int, sequence: int) -> bytes:
    alerts = [_webhook_alert(_native(group, sequence, pod, firing=True)) for pod in range(_BATCH)]
    return orjson.dumps(
        {
            "version": "4",
            "status": "firing",
            "receiver": "openclaw",
            "groupKey": f'{{}}:{{service="service-{group}"}}',
            "groupLabels": {"service": f"service-{group}"},
            "externalURL": "https://alertmanager.example.com",
            "truncatedAlerts": 0,
            "alerts": alerts,
        }
    )


def _webhook_alert(native: Mapping[str, object]) -> dict[str, object]:
    labels = native["labels"]
    assert isinstance(labels, dict)
    pod, trouble = labels["pod"], labels["alertname"]
    extra = {name: native[name] for name in ("severity", "namespace", "service")}
    return {
        "status": "firing",
        "labels": {**labels, **extra},
        "annotations": native["annotations"],
        "startsAt": _STARTED,
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": native["generator_url"],
        "fingerprint": f"{crc32(f'{pod} {trouble}'.encode()):016x}",
    }


WORKLOADS = {
    "storm": Workload("storm with its decisions: 4 pods a group, 10 % resolved", _storm),
    "repeats": Workload("repeats over open incidents", _repeats, opening=_openers),
    "batches": Workload(f"webhooks of {_BATCH} repeats", _batches, alerts_per_record=_BATCH, opening=_batch_openers),
    "distinct": Workload("every alert a new member", _distinct),
    "opening": Workload("every tenth alert opens an incident", _opening),
}
