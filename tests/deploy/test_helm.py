"""The Helm chart: it passes its linter, renders what the overlays build, and refuses wrong values."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from openclaw_stream import __version__
from tests.conftest import PROJECT
from tests.deploy.manifests import OVERLAYS, Manifest, built, of_kind, only, read, selects

pytestmark = pytest.mark.deploy

CHART = PROJECT / "deploy/helm/openclaw-stream"
OF_HELM = ("helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version")
"""Labels that the chart adds."""


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = shutil.which("helm", path=str(Path(sys.executable).parent)) or shutil.which("helm")
    if binary is None:
        pytest.skip("there is no helm; .ci/install-deploy-tools installs it")
    return subprocess.run([binary, *arguments], check=False, capture_output=True, text=True)


@cache
def rendered(overlay: str) -> Sequence[Manifest]:
    namespace = built(overlay)[0]["metadata"]["namespace"]
    values = str(CHART / f"values-{overlay}.yaml")
    result = helm("template", "openclaw-stream", str(CHART), "--namespace", namespace, "--values", values)
    assert result.returncode == 0, result.stderr
    return read(result.stdout)


def by_identity(objects: Sequence[Manifest]) -> dict[tuple[str, str], Manifest]:
    """Return the objects by kind and name, without what the two tools add to replace the pods on a change."""
    (config,) = (each["metadata"]["name"] for each in objects if each["kind"] == "ConfigMap")
    text = yaml.safe_dump_all(objects).replace(config, "openclaw-stream")
    found = {(each["kind"], each["metadata"]["name"]): each for each in read(text)}
    for each in found.values():
        for label in OF_HELM:
            each["metadata"]["labels"].pop(label, None)
    found["Deployment", "openclaw-stream"]["spec"]["template"]["metadata"].pop("annotations", None)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_chart_renders_what_the_overlay_builds(overlay: str) -> None:
    assert by_identity(rendered(overlay)) == by_identity(built(overlay))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_chart_passes_the_linter(overlay: str) -> None:
    result = helm("lint", "--strict", str(CHART), "--values", str(CHART / f"values-{overlay}.yaml"))
    assert result.returncode == 0, result.stdout


def test_a_change_of_a_setting_changes_the_pods() -> None:
    first, second = (
        helm("template", "openclaw-stream", str(CHART), "--set-string", f"config.OPENCLAW_GROUP_WAIT={seconds}")
        for seconds in (10, 20)
    )
    annotations = [
        each["spec"]["template"]["metadata"]["annotations"]
        for result in (first, second)
        for each in read(result.stdout)
        if each["kind"] == "Deployment"
    ]
    assert len(annotations) == 2
    assert annotations[0] != annotations[1]


def test_the_time_to_drain_grows_with_its_setting() -> None:
    result = helm("template", "x", str(CHART), "--set-string", "config.OPENCLAW_SHUTDOWN_TIMEOUT=60.5")
    (deployment,) = (each for each in read(result.stdout) if each["kind"] == "Deployment")
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == 81


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("config.OPENCLAW_MAX_PENDING_BYTES=67108864", "got number, want string"),
        ("config.openclaw_language=en", "does not match pattern"),
        ("replicas=-1", "minimum"),
        ("autoscalling.enabled=true", "additional properties 'autoscalling' not allowed"),
    ],
)
def test_wrong_values_are_refused(value: str, message: str) -> None:
    result = helm("template", "x", str(CHART), "--set", value)
    assert result.returncode != 0
    assert message in result.stderr


def test_another_release_has_names_of_its_own() -> None:
    values = str(CHART / "values-strimzi.yaml")
    result = helm("template", "second", str(CHART), "--namespace", "kafka", "--values", values)
    objects = read(result.stdout)
    names = {each["metadata"]["name"] for each in objects if each["kind"] != "KafkaTopic"}
    assert names == {"second"}
    service, monitor = only(objects, "Service"), only(objects, "ServiceMonitor")["spec"]
    assert selects(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "openclaw-stream"
    assert 'service="second",namespace="kafka"' in result.stdout


def test_topics_of_other_names_are_made_and_permitted() -> None:
    values = str(CHART / "values-strimzi.yaml")
    names = ["config.OPENCLAW_TOPIC_ALERTS=Alerts_Raw", "config.KAFKA_GROUP_ID=on-call"]
    result = helm("template", "x", str(CHART), "--values", values, "--set", ",".join(names))
    objects = read(result.stdout)
    topics = {each["metadata"]["name"]: each["spec"].get("topicName") for each in of_kind(objects, "KafkaTopic")}
    assert next(iter(topics.items())) == ("alerts-raw", "Alerts_Raw")
    assert [*topics.values()].count(None) == 4
    resources = [each["resource"] for each in only(objects, "KafkaUser")["spec"]["authorization"]["acls"]]
    permitted = [(each["type"], each["name"]) for each in resources]
    assert {("topic", "Alerts_Raw"), ("group", "on-call"), ("transactionalId", "on-call")} <= {*permitted}
    assert not {("topic", "openclaw.alerts.v1"), ("group", "openclaw-stream")} & {*permitted}


def test_the_default_values_follow_the_schema_and_the_version() -> None:
    chart: dict[str, Any] = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    assert helm("template", "x", str(CHART)).returncode == 0
