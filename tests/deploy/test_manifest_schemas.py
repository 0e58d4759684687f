"""Every object that is built is valid, strictly, for Kubernetes or for the operator that reads it."""

import copy
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pydantic
import pytest
import yaml

from tests.deploy.crds import installed, operator_models, strimzi_schemas
from tests.deploy.manifests import OVERLAYS, Manifest, built, of_kind, only
from tests.deploy.prometheus import program

pytestmark = pytest.mark.deploy

KUBERNETES_VERSIONS = ("1.31", "1.37")
"""The oldest that the chart admits, and the newest with published schemas."""

Check = Callable[[Manifest], None]


@pytest.fixture(scope="session")
def checks(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Check]:
    """What fails for a wrong custom resource, by apiVersion and kind."""
    found: dict[tuple[str, str], Check] = {}
    for identity, schema in strimzi_schemas(tmp_path_factory.mktemp("crds")).items():
        validator = jsonschema.Draft202012Validator(schema)
        found[identity] = validator.validate
    for identity, there_and_back in operator_models().items():

        def check(value: Manifest, there_and_back: Callable[[Any], Any] = there_and_back) -> None:
            assert there_and_back(value) == value

        found[identity] = check
    return found


def check_builtin(value: Manifest) -> None:
    """Validate an object of Kubernetes itself; an unknown apiVersion or kind is an error too."""
    validate = installed("kubernetes_validate").validate
    assert [validate(value, version, strict=True) for version in KUBERNETES_VERSIONS] == list(KUBERNETES_VERSIONS)


def check(value: Manifest, checks: Mapping[tuple[str, str], Check]) -> None:
    checks.get((value["apiVersion"], value["kind"]), check_builtin)(value)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_is_valid(overlay: str, checks: Mapping[tuple[str, str], Check]) -> None:
    for value in built(overlay):
        check(value, checks)


def changed(value: Manifest, path: tuple[Any, ...], new: Any) -> Manifest:
    result = copy.deepcopy(value)
    parent = result
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return result


@pytest.mark.parametrize(
    ("kind", "path", "new"),
    [
        ("Deployment", ("spec", "template", "spec", "enableServiceLink"), False),
        ("Deployment", ("apiVersion",), "apps/v7"),
        ("NetworkPolicy", ("spec", "egress", 0, "ports", 0, "port"), []),
        ("ScaledObject", ("spec", "maxReplicasCount"), 8),
        ("ScaledObject", ("spec", "triggers", 0, "metadata"), "query"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "intervall"), "15s"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "interval"), "soon"),
        ("KafkaTopic", ("spec", "partition"), 8),
        ("KafkaUser", ("spec", "authorization", "acls", 0, "operations"), ["Reed"]),
        ("KafkaUser", ("apiVersion",), "kafka.strimzi.io/v1beta2"),
    ],
)
def test_a_mistake_is_found(
    kind: str, path: tuple[Any, ...], new: Any, checks: Mapping[tuple[str, str], Check]
) -> None:
    value = of_kind(built("strimzi"), kind)[0]
    unknown = installed("kubernetes_validate").SchemaNotFoundError
    with pytest.raises((AssertionError, jsonschema.ValidationError, pydantic.ValidationError, unknown)):
        check(changed(value, path, new), checks)


def test_the_query_of_the_scaler_counts_each_partition_of_its_own_workers_once(tmp_path: Path) -> None:
    """A partition that moves is reported by two workers for a moment."""
    (trigger,) = only(built("production"), "ScaledObject")["spec"]["triggers"]
    series = {
        'service="openclaw-stream",namespace="openclaw",partition="0",pod="a"': 5,
        'service="openclaw-stream",namespace="openclaw",partition="0",pod="b"': 7,
        'service="openclaw-stream",namespace="openclaw",partition="1",pod="b"': 10,
        'service="openclaw-stream",namespace="other",partition="2",pod="c"': 1000,
    }
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f"openclaw_lag_records{{{labels}}}", "values": str(value)} for labels, value in series.items()
        ],
        "promql_expr_test": [
            {"expr": trigger["metadata"]["query"], "eval_time": "0m", "exp_samples": [{"labels": "{}", "value": 17}]}
        ],
    }
    file = tmp_path / "test.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    result = subprocess.run(
        [program("promtool"), "test", "rules", str(file)], check=False, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
