import json
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.demo.input_records import read_files, record_key
from openclaw_stream.errors import OpenClawError

ALERT = {"alert_type": "DiskFull", "namespace": "shop", "service": "search"}


def write(folder: Path, content: bytes, name: str = "alerts") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_each_line_is_a_record_unchanged(tmp_path: Path) -> None:
    path = write(tmp_path, b'{"alert_type": "A"}\n\nnot json\n\xff\xfe\n{"alert_type": "B"}')
    assert [record.value for record in read_files([path])] == [
        b'{"alert_type": "A"}',
        b"not json",
        b"\xff\xfe",
        b'{"alert_type": "B"}',
    ]


def test_a_multiline_document_is_one_record(tmp_path: Path) -> None:
    content = json.dumps({"alerts": [ALERT, ALERT]}, indent=2).encode()
    assert [record.value for record in read_files([write(tmp_path, content)])] == [content]


def test_files_are_played_in_order(tmp_path: Path) -> None:
    paths = [write(tmp_path, b'{"alert_type": "A"}', "one"), write(tmp_path, b"2\n3", "two")]
    assert [record.value for record in read_files(paths)] == [b'{"alert_type": "A"}', b"2", b"3"]


def test_a_single_alert_has_the_key_of_its_scope() -> None:
    assert record_key(orjson.dumps(ALERT)) == b"shop/search"


def test_alerts_of_one_scope_have_its_key() -> None:
    labels = {"alertname": "A", "namespace": "shop", "service": "search"}
    assert (
        record_key(orjson.dumps({"alerts": [{"labels": labels}, {"labels": labels | {"pod": "x"}}]})) == b"shop/search"
    )


@pytest.mark.parametrize(
    "value", [b"not json", b"[]", b'{"alerts": []}', orjson.dumps({"alerts": [ALERT, {"alertname": "B"}]})]
)
def test_a_record_without_one_scope_has_no_key(value: bytes) -> None:
    assert record_key(value) is None


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file_is_an_error_with_its_path(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    with pytest.raises(OpenClawError, match=f"no records in {path}"):
        read_files([path])


def test_an_unreadable_file_is_an_error_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(OpenClawError, match=f"cannot read {tmp_path}: Is a directory"):
        read_files([tmp_path])


@given(
    st.lists(st.binary(min_size=1).filter(lambda line: line.split() != [] and len(line.splitlines()) == 1), min_size=2)
)
def test_no_line_is_lost_and_all_are_played_within_fifteen_seconds(lines: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        records = read_files([write(Path(folder), b"\n".join(lines))])
    assert [record.value.strip() for record in records] == [line.strip() for line in lines]
    times = [record.at for record in records]
    assert times == sorted(times)
    assert times[-1] < 15
