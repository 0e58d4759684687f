"""Write ``kafka.lock`` anew, for another version: ``python -m openclaw_stream.embedded.relock 4.4.0``."""

import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext, PythonResolver

from openclaw_stream.embedded.lock import LOCK_FILE, Lock, LockedJar, sha256_of

_LOGGER = "org.slf4j:slf4j-simple:1.7.36"


def resolve(version: str) -> Lock:
    """Resolve Kafka's broker in that version and a logger, and lock every jar they need."""
    with tempfile.TemporaryDirectory() as repository:
        context = MavenContext(resolver=PythonResolver(), repo_cache=Path(repository))
        roots = [context.create_dependency(name) for name in (f"org.apache.kafka:kafka_2.13:{version}", _LOGGER)]
        given, needed = context.resolver.resolve(roots)
        artifacts = [dependency.artifact for dependency in (*given, *needed)]
        return Lock(
            tuple(
                LockedJar(f"{found.groupId}:{found.artifactId}:{found.version}", sha256_of(Path(found.resolve())))
                for found in artifacts
            )
        )


if __name__ == "__main__":
    LOCK_FILE.write_text(resolve(sys.argv[1]).render())
