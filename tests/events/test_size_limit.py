"""Parts of events cut to their bytes."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openclaw_stream.events.decision import Judgement, Provenance, Validation
from openclaw_stream.events.size_limit import JUDGEMENT_BYTES, fitted
from openclaw_stream.vocabulary import Responsibility
from tests.builders import judgement
from tests.stream.largest import largest, wide_name

COMMAND = "kubectl scale deployment/checkout --replicas=4 -n shop"
TEXTS = ("action_title", "description", "responsibility_reasoning", "reasoning", "deviation_analysis")


def size(model: Any) -> int:
    return len(model.model_dump_json().encode())


def test_what_fits_is_unchanged() -> None:
    small = judgement(description="慢" * 4000)
    assert fitted(small, JUDGEMENT_BYTES) is small


def test_the_longest_texts_are_cut_and_a_command_never() -> None:
    large = judgement(
        description="慢" * 4000, reasoning="d" * 8000, deviation_analysis="short", kubectl_command=COMMAND
    )
    cut = fitted(large, JUDGEMENT_BYTES)
    assert JUDGEMENT_BYTES - 10 < size(cut) <= JUDGEMENT_BYTES
    assert (cut.deviation_analysis, cut.kubectl_command) == ("short", COMMAND)
    assert cut.description.endswith("慢…")
    assert cut.reasoning.endswith("d…")
    assert abs(len(cut.description.encode()) - len(cut.reasoning.encode())) < 5, "in bytes an equal share"


def test_items_are_left_out_before_texts_become_too_short() -> None:
    many = {"degraded_reasons": ["r" * 500] * 16, "rules_version": "1", "provider": "rules", "language": "en"}
    cut = fitted(Provenance.model_validate(many), 2000)
    assert 0 < len(cut.degraded_reasons) < 16
    assert all(len(reason) >= 190 for reason in cut.degraded_reasons)


@pytest.mark.parametrize("model", [Judgement, Provenance, Validation])
@pytest.mark.parametrize("limit", [5_000, 14_000, 60_000])
def test_the_largest_part_fits(model: Any, limit: int) -> None:
    texts = {"warnings": [wide_name(n) for n in range(32)], "kubectl_command": COMMAND, "namespace": "shop"}
    cut = fitted(largest(model, **texts), limit)
    assert size(cut) <= limit
    assert fitted(cut, limit) == cut


@settings(max_examples=60)
@given(st.randoms(use_true_random=False), st.integers(3_000, 40_000))
def test_any_texts_fit_and_begin_like_the_whole(r: random.Random, limit: int) -> None:
    fields = {name: "".join(r.choices('a"\\\n慢😀\x01', k=3)) * r.randrange(60) for name in TEXTS}
    whole = judgement(**fields, primary_responsibility=Responsibility.COLLAB)
    cut = fitted(whole, limit)
    assert size(cut) <= limit
    for name in TEXTS:
        assert fields[name].startswith(getattr(cut, name).removesuffix("…"))
    assert fitted(cut, limit) is cut
