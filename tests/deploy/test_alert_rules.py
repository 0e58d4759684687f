"""The alert rules: each complete, about metrics that exist, and tested with a case that fires and one that does not."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from openclaw_stream.telemetry.metrics import Metrics
from tests.deploy.prometheus import PROMETHEUS_FOLDER, exported_names, program
from tests.deploy.readme import README, anchors

RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((PROMETHEUS_FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
SECTION = "https://github.com/openclaw/openclaw-stream/blob/main/deploy/README.md#"


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_complete(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_a_section_in_the_runbook(name: str) -> None:
    assert RULES[name]["annotations"]["runbook_url"] == SECTION + name.lower()
    assert name.lower() in anchors(README)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_asks_for_metrics_that_exist(name: str) -> None:
    names = set(re.findall(r"\b(?:openclaw_\w+|up\b)", RULES[name]["expr"]))
    assert names
    assert names <= {*exported_names(), "up"}


def test_each_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    cases: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS_FOLDER / "alerts_test.yaml").read_text(encoding="utf-8"))[
        "tests"
    ]
    checks = [[(c["alertname"], bool(c.get("exp_alerts"))) for c in case["alert_rule_test"]] for case in cases]
    fires = [name for case in checks for name in {name for name, fires in case if fires}]
    never = [name for case in checks if not any(fires for _, fires in case) for name in {name for name, _ in case}]
    assert sorted(fires) == sorted(never) == sorted(RULES)


def test_an_aggregation_keeps_the_installation() -> None:
    """Otherwise one installation hides the alert of another in the same Prometheus."""
    kept = [
        labels.split(", ") for rule in RULES.values() for labels in re.findall(r"\b(?:by|on) \((.*?)\)", rule["expr"])
    ]
    assert kept
    assert all(labels[:3] == ["namespace", "service", "job"] for labels in kept)
    assert not [name for name, rule in RULES.items() if re.search(r"\b(?:sum|min|max|avg|count)\(", rule["expr"])]


# ---- with Prometheus' own tool


@pytest.mark.deploy
@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml"), ("check", "config", "prometheus.yml")],
    ids=" ".join,
)
def test_promtool_accepts(arguments: tuple[str, ...]) -> None:
    _promtool(*arguments)


@pytest.mark.deploy
def test_promtool_accepts_the_metrics() -> None:
    """Also with a series of each metric that has labels."""
    metrics = Metrics()
    metrics.decisions.labels("DB", "decision", "rules").inc()
    metrics.llm_seconds.labels("ollama").observe(1)
    metrics.lag.labels("0").set(1)
    assert _promtool("check", "metrics", stdin=generate_latest(metrics.registry)) == ""


@pytest.mark.deploy
@pytest.mark.parametrize(
    ("name", "metric", "values", "expected"),
    [
        ("OpenclawNoWorker", "up", ("0x40", "1x40"), 0),
        ("OpenclawNoModelAvailable", "openclaw_llm_available", ("0x40", "1x40"), 0),
        ("OpenclawHeartbeatOld", "openclaw_last_heartbeat_timestamp_seconds", ("60x40", "60+60x40"), 2340),
    ],
    ids=["no worker", "no model", "no heartbeat"],
)
@pytest.mark.parametrize("other", [{"namespace": "test"}, {"service": "second"}], ids=str)
def test_another_installation_hides_no_alert(
    name: str, metric: str, values: tuple[str, str], expected: int, other: dict[str, str], tmp_path: Path
) -> None:
    own = {"job": "openclaw-stream", "namespace": "openclaw", "service": "openclaw-stream"}
    samples = [{"labels": _labels(own), "value": expected}]
    test = {
        "interval": "1m",
        "input_series": [
            {"series": metric + _labels(labels), "values": each}
            for labels, each in zip((own, own | other), values, strict=True)
        ],
        "promql_expr_test": [{"expr": RULES[name]["expr"], "eval_time": "40m", "exp_samples": samples}],
    }
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    _promtool("test", "rules", "test.yaml", folder=tmp_path)


def _labels(labels: dict[str, str]) -> str:
    return "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def _promtool(*arguments: str, stdin: bytes = b"", folder: Path = PROMETHEUS_FOLDER) -> str:
    """Run promtool; returns what it writes to stderr."""
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=folder, input=stdin, capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done.stderr.decode()
