"""Texts cut to bytes of JSON."""

from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.events.decision import Attempt
from openclaw_stream.text import cut_to_json, even_share, json_size

TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from('"\\\n\x00慢😀')), max_size=300)


@given(TEXTS, st.integers(0, 400))
def test_a_cut_text_fits_and_begins_like_the_whole(text: str, size: int) -> None:
    cut = cut_to_json(text, size)
    assert not cut or json_size(cut) <= size
    assert text.startswith(cut.removesuffix("…"))
    assert cut == text or json_size(text) > size


@given(TEXTS, st.integers(20, 400))
def test_a_cut_text_is_as_long_as_fits(text: str, size: int) -> None:
    cut = cut_to_json(text, size)
    if cut != text:
        longer = text[: len(cut.removesuffix("…")) + 1]
        assert json_size(longer + "…") > size or longer.rstrip() + "…" == cut


def test_no_text_is_cut_to_its_ending_alone() -> None:
    assert cut_to_json("慢" * 10, 7) == ""
    assert cut_to_json("慢" * 10, 8) == "慢…"


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(0, 5000))
def test_shares_fill_the_total_and_no_more(sizes: list[int], total: int) -> None:
    share = even_share(sizes, total)
    used = sum(min(size, share) for size in sizes)
    if sum(sizes) <= total:
        assert share == max(sizes)
    else:
        assert used <= total < sum(min(size, share + 1) for size in sizes)


@given(TEXTS)
def test_the_size_is_that_in_an_event(text: str) -> None:
    written = Attempt(provider=text, outcome="").model_dump_json().encode()
    assert json_size(text) == len(written) - len(Attempt(provider="", outcome="").model_dump_json()) + 2
