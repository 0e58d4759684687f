"""What a container says where a secret, a setting or a topic is missing or wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.worker_container import ContainerPipeline
from tests.stream.pipeline import alert, until

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(300)]  # the first test that needs the image builds it

NewContainerPipeline = Callable[..., ContainerPipeline]
_SECRET = "/run/secrets/openclaw"  # noqa: S105 - a path
_TLS = {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": _SECRET}


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        (
            {"KAFKA_SECURITY_PROTOCOL": "SASL_SSL", "KAFKA_SASL_USERNAME": "openclaw"},
            "KAFKA_SECURITY_PROTOCOL=SASL_SSL needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD",
        ),
        (_TLS, f"KAFKA_SSL_CAFILE='{_SECRET}' is not allowed: path does not point to a file"),
        ({"OPENCLAW_OWNERS": _SECRET}, f"OPENCLAW_OWNERS='{_SECRET}' is not allowed: path does not point to a file"),
        ({"OPENCLAW_GROUP_WAIT": "soon"}, "OPENCLAW_GROUP_WAIT='soon' is not allowed"),
    ],
    ids=["missing password", "missing key file", "missing owners file", "wrong setting"],
)
def test_a_missing_secret_or_wrong_setting_ends_the_container_with_one_line(
    new_container_pipeline: NewContainerPipeline, environment: dict[str, Any], message: str
) -> None:
    container = new_container_pipeline().start_container(**environment)
    assert container.wait() == 2
    [line] = container.logs().splitlines()
    assert line.startswith(f"error: {message}")


def test_a_file_that_the_user_may_not_read_is_named(
    new_container_pipeline: NewContainerPipeline, tmp_path: Path
) -> None:
    """As a Secret that is mounted for root alone."""
    file = tmp_path / "ca.pem"
    file.write_text("secret")
    file.chmod(0o600)
    container = new_container_pipeline().start_container(files={_SECRET: file}, **_TLS)
    assert container.wait() == 2
    [line] = container.logs().splitlines()
    assert line.startswith(f"error: KAFKA_SSL_CAFILE={_SECRET} cannot be loaded")
    assert "Permission denied" in line
    assert "secret\n" not in container.logs()


def test_log_and_probe_name_what_to_do_until_the_topics_are_right(new_container_pipeline: NewContainerPipeline) -> None:
    pipeline = new_container_pipeline(1)
    worker = pipeline.start_container()
    worker.await_reason(pipeline.topics["alerts"], "it is missing", "openclaw-stream topics create")
    assert pipeline.start_container("topics", "create", "--partitions", "1").wait() == 0
    worker.await_ready()
    pipeline.configure("dead_letter", cleanup_policy="compact")
    second = pipeline.start_container()
    reason = second.await_reason(pipeline.topics["dead_letter"], "cleanup.policy=delete")
    until(lambda: second.health == "healthy", lambda: f"health: {second.health}")
    assert "cannot join the group" in second.logs()
    assert reason.splitlines()[0] in second.logs()
    pipeline.configure("dead_letter", cleanup_policy="delete")
    second.await_ready()
    pipeline.produce([(0, alert("cart"))])
    pipeline.await_decided("cart")
    assert [pipeline.stop(container) for container in (worker, second)] == [0, 0], pipeline.logs()
