"""What defines a metric: its name, kind, help text and labels, and every value that a label may have."""

from typing import Literal, NamedTuple


class Label(NamedTuple):
    """A label of a metric.

    `values` lists every value that occurs; it is empty where the deployment sets their number: partitions and topics.
    """

    name: str
    values: tuple[str, ...] = ()


class MetricDefinition(NamedTuple):
    """A metric as it is exported; `name` is the full one, of a counter with `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "info"]
    description: str
    labels: tuple[Label, ...] = ()


# Layers above this one define the values: a test compares them.
PARTITION = Label("partition")
TOPIC = Label("topic")
FORMAT = Label(
    "format",
    (
        "native",
        "alertmanager",
        "alertmanager_api",
        "alertmanager_events",
        "cloudevents",
        "grafana_kafka",
        "opsgenie",
        "pagerduty",
        "pagerduty_webhook",
        "prometheus_api",
        "zabbix",
    ),
)
ALERT_STATUS = Label("status", ("firing", "resolved"))
SKIP_REASON = Label(
    "reason",
    (
        "empty",
        "ignored",
        "inhibitor",
        "lifecycle",
        "measurement",
        "muted",
        "pending",
        "severity_none",
        "silence",
        "suppressed",
        "tombstone",
    ),
)
END_STATUS = Label("status", ("resolved", "assumed_resolved"))
TEAM = Label("team", ("FE", "BE", "INFRA", "DB", "COLLAB"))
EVENT_TYPE = Label("event_type", ("decision", "resolution"))
PROVIDER = Label("provider", ("ollama", "gemini", "claude", "openai"))
DECIDER = Label("provider", (*PROVIDER.values, "rules"))
GATE = Label("gate", ("passed", "collab", "rerouted"))
TUNING_TYPE = Label(
    "type", ("HPA", "RESOURCE_LIMIT", "CACHE", "CIRCUIT_BREAKER", "INDEX", "CONNECTION_POOL", "SCALE", "RESTART")
)
DEAD_LETTER = Label("reason", ("poison", "partial"))
REFUSED_ACTION = Label("action", ("replaced", "dropped"))
TRANSACTION_RESULT = Label("result", ("committed", "aborted"))
OUTCOME = Label(
    "outcome",
    (
        "answered",
        "no_json",
        "schema",
        "example_repeated",
        "repetitive",
        "wrong_language",
        "empty",
        "truncated",
        "refused",
        "blocked",
        "rate_limited",
        "overloaded",
        "spend_limit",
        "model_missing",
        "context_too_long",
        "unauthorized",
        "bad_request",
        "garbage",
        "timeout",
        "unreachable",
        "server_error",
    ),
)
DIRECTION = Label("direction", ("input", "output"))
SIGNALS_RESULT = Label("result", ("known", "unavailable"))
LOOKUP_RESULT = Label("result", ("hit", "miss", "unreadable"))
