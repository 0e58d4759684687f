"""Writes ``kafka.lock`` for another version of Kafka: ``python -m openclaw_stream.embedded.update_lock 4.4.0``."""

import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

from openclaw_stream.embedded.lock import LOCK_FILE, Lock, LockedJar, sha256_of

_LOGGER = "org.slf4j:slf4j-simple:1.7.36"


def resolve(version: str) -> Lock:
    """Resolve that version of Kafka's broker and a logger, and return the lock of all their jars."""
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(resolver=PythonResolver(), repo_cache=Path(repository))
        roots = [context.create_dependency(name) for name in (f"org.apache.kafka:kafka_2.13:{version}", _LOGGER)]
        direct, transitive = context.resolver.resolve(roots)
        artifacts = [dependency.artifact for dependency in (*direct, *transitive)]
        return Lock(
            tuple(
                LockedJar(f"{jar.groupId}:{jar.artifactId}:{jar.version}", sha256_of(Path(jar.resolve())))
                for jar in artifacts
            )
        )


if __name__ == "__main__":
    LOCK_FILE.write_text(resolve(sys.argv[1]).render())
