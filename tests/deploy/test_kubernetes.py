"""What the Kustomize overlays build: settings, network, security, topics and rights agree with the program."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from confluent_kafka.admin import AclOperation, ResourcePatternType, ResourceType  # type: ignore[attr-defined]

from openclaw_stream import __version__
from openclaw_stream.settings import Settings, load_settings, unknown_settings
from openclaw_stream.stream.kafka.topic_rules import RECOMMENDED_REPLICAS, TopicDescription, topic_specs
from openclaw_stream.stream.kafka.topics import DEFAULT_PARTITIONS
from openclaw_stream.telemetry.metrics import Metrics
from tests import acls
from tests.deploy.alert_copies import copies
from tests.deploy.manifests import (
    KUBERNETES,
    OVERLAYS,
    Manifest,
    built,
    credentials,
    mounted_files,
    of_kind,
    only,
    pods,
    selects,
    variables,
    worker,
)

overlays = pytest.mark.parametrize("overlay", OVERLAYS)
operators = pytest.mark.parametrize("overlay", ["production", "strimzi"])

KNOWN = {
    group.variable(field)  # type: ignore[union-attr]
    for group in (each.annotation for each in Settings.model_fields.values())
    for field in group.model_fields  # type: ignore[union-attr]
}
PUBLIC = "public"


@pytest.fixture
def settings(overlay: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a worker in the overlay's pod, with the example of its Secret; files are those of its volumes."""
    for name in KNOWN & os.environ.keys():
        monkeypatch.delenv(name)
    for path in mounted_files(built(overlay)):
        file = tmp_path / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for name, value in {**variables(built(overlay)), **credentials(overlay)}.items():
        monkeypatch.setenv(name, f"{tmp_path}{value}" if value.startswith("/") else value)
    return load_settings()


@overlays
def test_every_variable_is_a_setting(overlay: str, settings: Settings) -> None:
    assert {*variables(built(overlay)), *credentials(overlay)} <= KNOWN
    assert not unknown_settings()
    assert settings.kafka.bootstrap_servers != "127.0.0.1:9092"


@overlays
def test_the_example_of_a_secret_has_placeholders_and_the_build_no_secret(overlay: str) -> None:
    assert not of_kind(built(overlay), "Secret")
    assert all("replace-me" in value for value in credentials(overlay).values())
    secret = {name for name in KNOWN if re.search(r"PASSWORD|KEY$|USERNAME|REDIS_URL", name)} - {"KAFKA_SSL_KEYFILE"}
    assert not secret & variables(built(overlay)).keys()


def addresses(settings: Settings) -> Iterator[str]:
    """Yield what the settings make the worker connect to, as host:port."""
    yield from settings.kafka.bootstrap_servers.split(",")
    providers, redis = settings.providers, settings.chain.redis_url
    urls = [providers.ollama_url, settings.signoz.url, redis.get_secret_value() if redis else None]
    urls += [
        providers.claude_url if providers.claude_api_key else None,
        providers.gemini_url if providers.gemini_api_key else None,
        providers.openai_base_url,
        settings.langfuse.url if settings.langfuse.configured else None,
    ]
    for url in filter(None, urls):
        parts = urlsplit(url)
        yield f"{parts.hostname}:{parts.port or 443}"


def place(address: str) -> tuple[str, int]:
    """Return the namespace of an address, empty for the worker's own, and its port."""
    host, _, port = address.rpartition(":")
    match host.split("."):
        case [_]:
            return "", int(port)
        case [_, namespace, "svc"]:
            return namespace, int(port)
    return PUBLIC, int(port)


def allowed(rule: Manifest) -> tuple[str, int]:
    """Return the namespace and the port of an egress rule, which has one of each."""
    (peer,), (port,) = rule["to"], rule["ports"]
    assert port["protocol"] == "TCP"
    if "ipBlock" in peer:
        assert "10.0.0.0/8" in peer["ipBlock"]["except"]
        return PUBLIC, port["port"]
    assert peer.get("podSelector", {}).get("matchLabels") or "namespaceSelector" in peer
    return peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name", ""), port["port"]


@overlays
def test_traffic_goes_out_to_what_is_configured_and_to_dns_only(overlay: str, settings: Settings) -> None:
    dns, *rules = only(built(overlay), "NetworkPolicy")["spec"]["egress"]
    assert {(each["protocol"], each["port"]) for each in dns["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert [allowed(rule) for rule in rules] == list(dict.fromkeys(map(place, addresses(settings))))


@overlays
def test_traffic_comes_in_from_prometheus_only(overlay: str) -> None:
    policy = only(built(overlay), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    monitored = bool(of_kind(built(overlay), "ServiceMonitor"))
    assert [rule["ports"] for rule in policy["ingress"]] == [[{"protocol": "TCP", "port": "http"}]] * monitored


@overlays
def test_pods_are_restricted(overlay: str) -> None:
    assert only(built(overlay), "ServiceAccount")["automountServiceAccountToken"] is False
    for pod in pods(built(overlay)):
        spec, security = pod["spec"], pod["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys()
        assert all("secret" in volume for volume in spec.get("volumes", []))
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["image"] == f"openclaw-stream:{__version__}"
            assert container["resources"]["limits"].keys() == {"memory"}


@overlays
def test_a_pod_has_the_time_for_its_drain(overlay: str, settings: Settings) -> None:
    grace = only(built(overlay), "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert grace >= settings.worker.shutdown_timeout + 10


@overlays
def test_probes_ask_the_port_of_health_and_metrics(overlay: str, settings: Settings) -> None:
    container = worker(built(overlay))
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert probes == {
        "startup": {"path": "/livez", "port": "http"},
        "liveness": {"path": "/livez", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }
    assert settings.http.addr
    assert container["ports"] == [{"name": "http", "containerPort": settings.http.addr.port}]
    assert settings.http.addr.host == "0.0.0.0"  # noqa: S104 - inside the pod


@overlays
def test_selectors_match_the_pods_of_the_worker(overlay: str) -> None:
    objects = built(overlay)
    labels, *others = [pod["metadata"]["labels"] for pod in pods(objects)]
    spec = only(objects, "Deployment")["spec"]["template"]["spec"]
    selectors = [
        only(objects, "Deployment")["spec"]["selector"]["matchLabels"],
        only(objects, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only(objects, "Service")["spec"]["selector"],
        *(each["labelSelector"]["matchLabels"] for each in spec["topologySpreadConstraints"]),
    ]
    assert all(selects(selector, labels) for selector in selectors)
    assert not any(selects(selector, other) for selector in selectors for other in others)
    policy = only(objects, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"]
    assert all(selects(policy, each) for each in (labels, *others))


@operators
def test_the_service_monitor_selects_the_service(overlay: str) -> None:
    service, monitor = only(built(overlay), "Service"), only(built(overlay), "ServiceMonitor")["spec"]
    assert selects(monitor["selector"]["matchLabels"], service["metadata"]["labels"])
    assert [each["port"] for each in monitor["endpoints"]] == [each["name"] for each in service["spec"]["ports"]]


@operators
def test_the_alert_rules_expect_the_job_of_the_service(overlay: str) -> None:
    rules = only(built(overlay), "PrometheusRule")["spec"]["groups"]
    jobs = {job for group in rules for rule in group["rules"] for job in re.findall(r'job="([^"]*)"', rule["expr"])}
    label = only(built(overlay), "ServiceMonitor")["spec"]["jobLabel"]
    assert jobs == {only(built(overlay), "Service")["metadata"]["labels"][label]}


@operators
def test_the_scaler_asks_for_a_metric_of_this_namespace_and_stops_at_the_partitions(overlay: str) -> None:
    scaled = only(built(overlay), "ScaledObject")
    (trigger,) = scaled["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    gauges = {metric.name: metric for metric in Metrics().registry.collect()}
    (name,) = re.findall(r"openclaw_\w+", query)
    assert "end of the log" in gauges[name].documentation
    names = [only(built(overlay), "Service")["metadata"]["name"], scaled["metadata"]["namespace"]]
    assert re.findall(r'{service="([^"]*)",namespace="([^"]*)"}', query) == [tuple(names)]
    topics = {each["spec"]["partitions"] for each in of_kind(built(overlay), "KafkaTopic")} or {DEFAULT_PARTITIONS}
    assert topics == {scaled["spec"]["maxReplicaCount"]}
    assert "replicas" not in only(built(overlay), "Deployment")["spec"]
    assert scaled["spec"]["scaleTargetRef"]["name"] == only(built(overlay), "Deployment")["metadata"]["name"]


@pytest.mark.parametrize("overlay", ["strimzi"])
def test_topics_are_as_recommended(settings: Settings) -> None:
    alerts = TopicDescription([], {"max.message.bytes": "1048588"})
    specs = topic_specs(settings.topics, {settings.topics.alerts: alerts})
    topics = {each["metadata"]["name"]: each["spec"] for each in of_kind(built("strimzi"), "KafkaTopic")}
    assert topics.keys() == specs.keys()
    for name, topic in topics.items():
        config = {key: str(value) for key, value in topic["config"].items() if key != "retention.ms"}
        assert config == specs[name].new_settings(topic["replicas"])
        assert topic["replicas"] == RECOMMENDED_REPLICAS
        assert ("retention.ms" in topic["config"]) is (specs[name].policy == "delete")


OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}
RESOURCES = {
    "topic": ResourceType.TOPIC,
    "group": ResourceType.GROUP,
    "transactionalId": ResourceType.TRANSACTIONAL_ID,
}
PATTERNS = {"literal": ResourcePatternType.LITERAL, "prefix": ResourcePatternType.PREFIXED}


@pytest.mark.parametrize("overlay", ["strimzi"])
def test_the_user_has_exactly_the_listed_rights(settings: Settings) -> None:
    user = only(built("strimzi"), "KafkaUser")["spec"]
    granted = [
        acls.Acl(
            OPERATIONS[operation],
            RESOURCES[acl["resource"]["type"]],
            acl["resource"]["name"],
            PATTERNS[acl["resource"].get("patternType", "literal")],
        )
        for acl in user["authorization"]["acls"]
        for operation in acl["operations"]
    ]
    names = {"group": settings.kafka.group_id, **dict(settings.topics)}
    listed = [acl._replace(name=acl.name.format(**names)) for acl in acls.LISTED]
    assert sorted(map(str, granted)) == sorted(map(str, listed))
    assert set(granted) == set(listed)


@pytest.mark.parametrize("path", copies(), ids=lambda path: path.name)
def test_the_copies_of_the_alert_rules_are_those_of_prometheus(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == copies()[path], "run python -m tests.deploy.alert_copies"


def test_every_folder_of_overlays_is_tested() -> None:
    assert {path.name for path in (KUBERNETES / "overlays").iterdir()} == set(OVERLAYS)
