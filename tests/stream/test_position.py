"""The metadata of a commit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.errors import FatalError
from openclaw_stream.stream.position import Position, decode, encode

OFFSETS = st.integers(-1, 2**53)


@given(st.builds(Position, st.integers(1, 2**31), st.integers(0, 2**53), OFFSETS, OFFSETS))
def test_it_survives_a_commit_in_less_than_96_bytes(position: Position) -> None:
    assert decode(encode(position)) == position
    assert len(encode(position).encode()) < 96


@pytest.mark.parametrize("foreign", [None, "", "someone else's", "openclaw", "openclawish/1 g=1"])
def test_foreign_metadata_is_none_of_ours(foreign: str | None) -> None:
    assert decode(foreign) is None


@pytest.mark.parametrize("unknown", ["openclaw/2 g=1 f=0 t=0 d=-1", "openclaw/1 g=x", "openclaw/1"])
def test_an_unknown_version_is_not_guessed_at(unknown: str) -> None:
    with pytest.raises(FatalError, match="another version"):
        decode(unknown)
