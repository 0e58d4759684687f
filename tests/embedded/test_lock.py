from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.embedded.lock import LOCK_FILE, Lock, LockedJar

names = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1)
jars = st.builds(
    LockedJar,
    st.tuples(names, names, names).map(":".join),
    st.binary(min_size=32, max_size=32).map(bytes.hex),
)
LOCKED = Lock.parse(LOCK_FILE.read_text())


@given(st.lists(jars, min_size=1).map(lambda found: Lock(tuple(found))))
def test_a_rendered_lock_parses_to_itself(lock: Lock) -> None:
    assert Lock.parse(lock.render()) == lock


def test_the_lock_file_is_in_rendered_form() -> None:
    assert LOCKED.render() == LOCK_FILE.read_text()


def test_all_of_kafka_has_one_version() -> None:
    versions = {jar.coordinates.split(":")[2] for jar in LOCKED.jars if jar.coordinates.startswith("org.apache.kafka:")}
    assert versions == {LOCKED.version} == {"4.4.0"}


def test_jars_have_different_file_names() -> None:
    assert len({jar.file_name for jar in LOCKED.jars}) == len(LOCKED.jars)


def test_a_jar_matches_its_own_bytes_only(tmp_path: Path) -> None:
    jar = LockedJar("g:a:1", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    path = tmp_path / jar.file_name
    assert not jar.matches(path)
    path.write_bytes(b"hello")
    assert jar.matches(path)
    path.write_bytes(b"hello!")
    assert not jar.matches(path)
