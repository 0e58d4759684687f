"""The enumerations of the events: their values are part of the schemas, and some have an order."""

from enum import StrEnum

import orjson
import pytest

from openclaw_stream import vocabulary
from openclaw_stream.events.schemas import EVENTS, json_schema
from openclaw_stream.vocabulary import SEVERITIES, Severity

ENUMERATIONS = [
    each for each in vars(vocabulary).values() if isinstance(each, type) and issubclass(each, StrEnum) and len(each)
]


def test_a_rank_is_the_index_in_severities() -> None:
    assert [severity.rank for severity in SEVERITIES] == [0, 1, 2, 3]
    assert SEVERITIES[Severity.INFO.rank] is Severity.INFO
    assert [SEVERITIES[severity.rank] for severity in Severity] == list(Severity)


def test_severities_are_defined_most_severe_first_and_ranked_least_severe_first() -> None:
    assert tuple(Severity) == SEVERITIES[::-1]
    assert max(Severity, key=lambda severity: severity.rank) is Severity.CRITICAL


@pytest.mark.parametrize("enumeration", ENUMERATIONS)
def test_a_value_is_text_in_json_and_in_messages(enumeration: type[StrEnum]) -> None:
    for value in enumeration:
        assert f"{value}" == value.value
        assert orjson.loads(orjson.dumps({value.value: value})) == {value.value: value.value}
        assert enumeration(value.value) is value
    with pytest.raises(ValueError, match="is not a valid"):
        enumeration("unknown")


def test_every_enumeration_is_in_a_schema() -> None:
    """With all its values, in order, as the examples of what is open to others."""
    published = b"".join(orjson.dumps(json_schema(event)) for event in EVENTS).decode()
    for enumeration in ENUMERATIONS:
        assert f'"examples":{orjson.dumps(list(enumeration)).decode()}' in published
