from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.ids import decision_id, event_id, incident_id, tuning_id

COORDINATES = st.tuples(
    st.text(max_size=6), st.integers(0, 20), st.integers(0, 1 << 62), st.integers(-1, 1 << 62), st.text(max_size=12)
)


def test_ids_never_change() -> None:
    incident = incident_id("openclaw.alerts.v1", 3, 4711, 1_795_345_984_880, "shop/checkout")
    decision = decision_id(incident, 2)
    assert [incident, decision, tuning_id(decision, 0), event_id(decision, 1)] == [
        "edfffa9b-48f4-59e2-b2a0-d7a66590ae0c",
        "a94cca7c-a96e-5669-8725-5b07d1af2816",
        "8069a8e9-5141-5e85-a73e-2d9fc44ca61d",
        "ab0add99-4ef1-5158-93f6-11e5694c9a7c",
    ]


@given(COORDINATES, COORDINATES)
def test_ids_are_equal_only_for_equal_coordinates(
    one: tuple[str, int, int, int, str], other: tuple[str, int, int, int, str]
) -> None:
    assert (incident_id(*one) == incident_id(*other)) == (one == other)
    assert UUID(incident_id(*one)).version == 5


def test_separators_in_names_do_not_make_ids_equal() -> None:
    assert incident_id("a", 1, 2, 3, 'b",4') != incident_id('a",1', 1, 2, 3, "b")
    assert incident_id("a", 11, 1, 0, "") != incident_id("a", 1, 11, 0, "")


def test_ids_of_different_kinds_differ() -> None:
    assert len({decision_id("x", 1), tuning_id("x", 1), event_id("x", 1), event_id("x", 2)}) == 4
