"""Optional fields of an alert: what is read of a value of another type, and what is reported."""

import pytest

from openclaw_stream.alerts.field_values import describe_value, inner_text, metrics_of, text_of, texts_of


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": 1}, "an object"),
        ([1], "a list"),
        (None, "null"),
        (True, "true"),
        (1.5, "the number 1.5"),
        ("x", 'the string "x"'),
    ],
)
def test_a_value_is_described_by_its_type(value: object, shown: str) -> None:
    assert describe_value(value) == shown


def test_a_described_value_is_cut_and_has_no_secret() -> None:
    assert len(describe_value("x" * 1000)) < 100
    assert "hunter2" not in describe_value("hunter2hunter2", "password")


def test_the_text_of_an_object_or_a_list_of_one_is_read() -> None:
    names = ("state", "name")
    assert inner_text("firing", names) == "firing"
    assert inner_text({"state": "firing"}, names) == "firing"
    assert inner_text({"name": "firing"}, names) == "firing"
    assert inner_text(["firing"], names) == "firing"
    assert inner_text(["a", "b"], names) is None
    assert inner_text({"other": "firing"}, names) is None


def test_texts_and_numbers_that_need_no_change_are_returned_as_they_are() -> None:
    warnings: list[str] = []
    texts, numbers = {"a": "x"}, {"a": 1, "b": 1.5}
    assert texts_of(texts, "labels", warnings) is texts
    assert metrics_of(numbers, warnings) is numbers
    assert text_of("x", "message", warnings) == "x"
    assert warnings == []


def test_what_cannot_be_read_is_left_out_and_named() -> None:
    warnings: list[str] = []
    assert texts_of({"a": "x", "b": ["y"]}, "labels", warnings) == {"a": "x"}
    assert metrics_of({"a": 1, "b": "high"}, warnings) == {"a": 1}
    assert text_of(["x", "y"], "message", warnings) == ""
    assert [warning.split(":")[0] for warning in warnings] == ["labels.b", "metrics.b", "message"]
