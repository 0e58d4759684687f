"""Real servers for the tests, started when the first test asks for them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import settings

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedKafkaCluster, Security
from tests import acls
from tests.arbitration.llama import llama_cpp
from tests.embedded.containers import KafkaServer, ValkeyServer, kafka_server, valkey_server

# How long an example takes says nothing on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROJECT = Path(__file__).resolve().parent.parent

OwnKafka = Callable[..., EmbeddedKafka]


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """One Kafka for all tests: each makes topics and groups of its own, and none stops it."""
    with kafka_server() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One Valkey for all tests."""
    with valkey_server() as server:
        yield server


@pytest.fixture(scope="session")
def llama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One llama.cpp server for all tests: its base URL with /v1; its model is `tests.arbitration.llama.MODEL`."""
    with llama_cpp(tmp_path_factory.mktemp("llama")) as url:
        yield url


@pytest.fixture
def bootstrap(kafka: KafkaServer) -> str:
    """The bootstrap servers of the shared Kafka."""
    return kafka.bootstrap_servers


@pytest.fixture
def own_kafka() -> Iterator[OwnKafka]:
    """Start embedded brokers that the test may kill, pause and restart; takes broker properties."""
    with ExitStack() as servers:

        def start(properties: Mapping[str, str] | None = None) -> EmbeddedKafka:
            return servers.enter_context(EmbeddedKafka(properties))

        yield start


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[EmbeddedKafkaCluster]:
    """One node with an authorizer: `acls.USER` may do what it is granted, clients of PLAINTEXT everything."""
    with EmbeddedKafkaCluster(nodes=1, security=Security({acls.USER: acls.PASSWORD}, tls=False)) as one:
        yield one


@pytest.fixture(scope="session")
def superuser(secured_kafka: EmbeddedKafkaCluster) -> AdminClient:
    """A client that may do everything there."""
    return AdminClient({"bootstrap.servers": secured_kafka.bootstrap_servers, "log_level": 0})


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real alerts kept beside the project, which are no part of it."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("there is no ../shared/data beside the project")
    return folder
