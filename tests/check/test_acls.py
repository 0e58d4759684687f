"""`check`, `topics` and the probes with a real authorizer and exactly the ACLs that deploy/README.md lists."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient
from pydantic import SecretStr

from openclaw_stream.check.finding import Finding, FindingStatus
from openclaw_stream.check.kafka import check_kafka
from openclaw_stream.embedded import EmbeddedKafkaCluster
from openclaw_stream.errors import DeniedError
from openclaw_stream.settings import KafkaSettings, Settings, TopicSettings
from openclaw_stream.stream.kafka.probe import probe_outputs, probe_reads
from openclaw_stream.stream.kafka.topics import check_topics, create_topics
from tests.acls import LISTED, PASSWORD, USER, Acl, credentials, grant, named, parse, revoke
from tests.test_readme import OPERATION

DEPENDENCIES = ["Kafka", "topics", "group", "outputs", "reads"]
BY_NAME = {str(acl): acl for acl in LISTED}


@pytest.fixture(scope="module")
def environment(secured_kafka: EmbeddedKafkaCluster) -> dict[str, str]:
    run = uuid4().hex[:8]
    topics = {field: f"{field}.{run}" for field in TopicSettings.model_fields}
    unlimited = Settings(
        kafka=KafkaSettings(bootstrap_servers=secured_kafka.bootstrap_servers, group_id=f"group.{run}"),
        topics=TopicSettings.model_validate(topics),
    )
    asyncio.run(create_topics(unlimited, partitions=2))
    return {
        **credentials(secured_kafka.secured_servers),
        "KAFKA_GROUP_ID": unlimited.kafka.group_id,
        **{f"OPENCLAW_TOPIC_{field.upper()}": name for field, name in topics.items()},
    }


@pytest.fixture(scope="module")
def settings(environment: dict[str, str]) -> Settings:
    """The settings of the user `worker`."""
    kafka = KafkaSettings(
        bootstrap_servers=environment["KAFKA_BOOTSTRAP_SERVERS"],
        group_id=environment["KAFKA_GROUP_ID"],
        security_protocol="SASL_PLAINTEXT",
        sasl_username=USER,
        sasl_password=SecretStr(PASSWORD),
    )
    topics = {field: environment[f"OPENCLAW_TOPIC_{field.upper()}"] for field in TopicSettings.model_fields}
    return Settings(kafka=kafka, topics=TopicSettings.model_validate(topics))


@pytest.fixture(scope="module", autouse=True)
def _listed(superuser: AdminClient, settings: Settings) -> None:
    grant(superuser, USER, settings)


@contextmanager
def without(superuser: AdminClient, settings: Settings, *acls: Acl) -> Iterator[None]:
    revoke(superuser, USER, settings, acls)
    try:
        yield
    finally:
        grant(superuser, USER, settings, acls)


def call(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    own = ("OPENCLAW_", "KAFKA_", "REDIS_", "SIGNOZ_", "LANGFUSE_", "OLLAMA_", "GEMINI_", "CLAUDE_", "OPENAI_", "AI_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    command = [sys.executable, "-m", "openclaw_stream", *arguments]
    return subprocess.run(
        command, env=inherited | environment, capture_output=True, text=True, check=False, timeout=100
    )


async def findings(settings: Settings) -> dict[str, Finding]:
    return {found.dependency: found for found in await check_kafka(settings, 15)}


def test_the_listed_acls_are_sufficient(environment: dict[str, str]) -> None:
    done = call(environment, "check", "--strict")
    assert (done.returncode, done.stderr) == (0, "")
    works = [line for line in done.stdout.splitlines() if line.startswith("works ")]
    assert [line.split()[1].strip(":") for line in works] == DEPENDENCIES
    checked = call(environment, "topics", "check")
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("acl", LISTED, ids=str)
async def test_the_finding_names_a_missing_right(superuser: AdminClient, settings: Settings, acl: Acl) -> None:
    with without(superuser, settings, acl):
        found = await findings(settings)
    failed = [each for each in found.values() if each.state is not FindingStatus.WORKS]
    assert failed
    assert all(each.fatal and f"not allowed: {named(acl, settings)};" in each.text for each in failed), failed
    assert found["Kafka"].state is FindingStatus.WORKS


def test_a_missing_right_is_exit_code_1_without_a_traceback(
    environment: dict[str, str], superuser: AdminClient, settings: Settings
) -> None:
    with without(superuser, settings, BY_NAME["write topic {decisions}"], BY_NAME["write topic {dead_letter}"]):
        done = call(environment, "check")
        topics = call(environment, "topics", "check")
    assert (done.returncode, done.stderr) == (1, "")
    names = f"{settings.topics.dead_letter}, {settings.topics.decisions}"
    assert done.stdout.count(f"not allowed: Write on topic {names};") == 2
    assert topics.returncode == 1
    [line] = topics.stderr.splitlines()
    assert line.startswith(f"error: not allowed: Write on topic {names};")


async def test_all_missing_rights_are_reported_at_once(superuser: AdminClient, settings: Settings) -> None:
    with without(superuser, settings, *LISTED):
        found = await findings(settings)
        with pytest.raises(DeniedError) as topics:
            await check_topics(settings)
        with pytest.raises(DeniedError) as outputs:
            await probe_outputs(settings, 10)
        with pytest.raises(DeniedError) as reads:
            await probe_reads(settings, 10)
    alerts, decisions, tuning, incidents, dead_letter = dict(settings.topics).values()
    assert str(topics.value).startswith(
        f"not allowed: DescribeConfigs on topic {alerts}, {dead_letter}, {decisions}, {incidents}, {tuning}, "
        f"Read on topic {alerts}, {incidents}, Write on topic {dead_letter}, {decisions}, {tuning};"
    )
    assert f"Write on topic {dead_letter}, {decisions}, {incidents}, {tuning};" in str(outputs.value)
    assert "Write on transactional ids with the prefix group." in str(outputs.value)
    assert f"Read on topic {alerts}, {incidents};" in str(reads.value)
    assert named(BY_NAME["read group {group}"], settings) in found["group"].text
    assert [name for name, each in found.items() if each.fatal] == DEPENDENCIES[1:]


async def test_a_user_with_describe_only_is_refused(superuser: AdminClient, settings: Settings) -> None:
    """With Describe the missing rights show only in a probe."""
    taken = [acl for name, acl in BY_NAME.items() if name.startswith(("read topic", "write topic"))]
    described = {acl.to("Describe") for acl in (*taken, BY_NAME["read group {group}"])}
    grant(superuser, USER, settings, described)
    try:
        with without(superuser, settings, *taken):
            found = await findings(settings)
        with without(superuser, settings, BY_NAME["read group {group}"]):
            group = await findings(settings)
    finally:
        revoke(superuser, USER, settings, described)
    topics = settings.topics
    assert (found["topics"].state, found["group"].state) == (FindingStatus.WORKS, FindingStatus.WORKS)
    outputs = ", ".join(sorted((topics.decisions, topics.tuning, topics.incidents, topics.dead_letter)))
    assert found["outputs"].text.startswith(f"not allowed: Write on topic {outputs};")
    assert found["reads"].text.startswith(f"not allowed: Read on topic {topics.alerts}, {topics.incidents};")
    assert group["outputs"].text.startswith(f"not allowed: Read on group {settings.kafka.group_id};")


def test_topics_create_reports_missing_rights(
    environment: dict[str, str], superuser: AdminClient, settings: Settings
) -> None:
    missing = {name: f"new.{value}" for name, value in environment.items() if name.startswith("OPENCLAW_TOPIC_")}
    topics = {field: f"new.{name}" for field, name in settings.topics}
    new = settings.model_copy(update={"topics": TopicSettings.model_validate(topics)})
    configs = [acl for name, acl in BY_NAME.items() if name.startswith("describe_configs")]
    names = ", ".join(sorted(topics.values()))
    steps = {
        "Describe_Configs": f"Describe on topic {names}, DescribeConfigs on topic {names};",
        "Describe": f"Describe on topic {names};",
        "Create": "Create on topic new.alerts",
    }
    for operation, lacking in steps.items():
        done = call(environment | missing, "topics", "create")
        assert done.returncode == 1
        [line] = done.stderr.splitlines()
        assert line.startswith(f"error: not allowed: {lacking}")
        grant(superuser, USER, new, [acl.to(operation) for acl in configs])
    done = call(environment | missing, "topics", "create")
    assert (done.returncode, done.stderr, done.stdout.count("created new.")) == (0, "", 5)


def test_the_documentation_lists_these_acls() -> None:
    settings = Settings()
    commands = [line for line in OPERATION.splitlines() if line.startswith("$ACL ")]
    documented = [name for line in commands for name in parse(line)]
    assert sorted(documented) == sorted(named(acl, settings) for acl in LISTED)
