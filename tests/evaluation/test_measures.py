import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.vocabulary import Responsibility
from tests.evaluation.measures import (
    CLASSES,
    Scored,
    accuracy,
    class_score,
    confusion,
    ece,
    macro_f1,
    reliability,
    routed,
)

FE, BE, INFRA, DB, COLLAB = CLASSES

ANSWERS = [
    Scored(FE, FE, 0.95),
    Scored(BE, BE, 0.85),
    Scored(BE, FE, 0.55),
    Scored(DB, DB, 0.95),
    Scored(DB, COLLAB, 0.3),
]


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert accuracy(ANSWERS) == pytest.approx(3 / 5)
    assert accuracy([]) == 0


def test_f1_combines_precision_and_recall() -> None:
    score = class_score(ANSWERS, FE)
    assert (score.precision, score.recall, score.support) == (0.5, 1.0, 1)
    assert score.f1 == pytest.approx(2 / 3)


def test_macro_f1_is_over_the_classes_that_occur() -> None:
    assert macro_f1(ANSWERS) == pytest.approx((2 / 3 + 2 / 3 + 2 / 3) / 3)
    assert macro_f1([]) == 0


def test_confusion_counts_pairs() -> None:
    assert confusion(ANSWERS)[BE, FE] == 1
    assert confusion(ANSWERS)[DB, COLLAB] == 1
    assert confusion(ANSWERS)[INFRA, INFRA] == 0


def test_the_gate_routes_confident_answers_to_one_team() -> None:
    edge, below, several = Scored(FE, FE, 0.70), Scored(FE, FE, 0.6999), Scored(FE, COLLAB, 0.9)
    assert routed([edge, below, several]) == [edge]
    assert [answer.gated.guess for answer in (edge, below, several)] == [FE, COLLAB, COLLAB]


def test_calibration_error_is_the_distance_of_confidence_and_accuracy() -> None:
    bins = {(each.low, each.count): (each.confidence, each.accuracy) for each in reliability(ANSWERS)}
    assert bins == {(0.3, 1): (0.3, 0), (0.5, 1): (0.55, 0), (0.8, 1): (0.85, 1), (0.9, 2): (0.95, 1)}
    assert ece(ANSWERS) == pytest.approx((0.3 + 0.55 + 0.15 + 2 * 0.05) / 5)
    assert ece([]) == 0


scored = st.builds(Scored, st.sampled_from(CLASSES), st.sampled_from(Responsibility), st.floats(0, 1))


@given(st.lists(scored, min_size=1))
def test_scores_are_in_range(answers: list[Scored]) -> None:
    assert all(0 <= figure <= 1 for figure in (accuracy(answers), macro_f1(answers), ece(answers)))
    assert sum(each.count for each in reliability(answers)) == sum(confusion(answers).values()) == len(answers)
