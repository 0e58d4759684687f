"""Titles: the subject and the trouble, on one line of at most 200 characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import ALERT, NO_SUBJECT, Subject
from openclaw_stream.alerts.titles import TITLE_MAX, subject_title

pytestmark = pytest.mark.pure

SUBJECTS = st.builds(Subject, st.sampled_from(["deployment", "alert", "node"]), st.text(), st.text(max_size=300))


@pytest.mark.parametrize(
    ("subject", "title"),
    [
        (Subject("deployment", "shop", "cart"), "cart (Deployment, shop): CrashLoopBackOff"),
        (Subject("horizontalpodautoscaler", "shop", "cart"), "cart (HorizontalPodAutoscaler, shop): CrashLoopBackOff"),
        (Subject("persistentvolumeclaim", "", "data-0"), "data-0 (PersistentVolumeClaim): CrashLoopBackOff"),
        (Subject("service", "shop", "cart"), "cart (Service, shop): CrashLoopBackOff"),
        (Subject("host", "", "db1"), "db1 (Host): CrashLoopBackOff"),
        (Subject("datasource", "", "loki"), "loki (Data source): CrashLoopBackOff"),
        (Subject("certificate", "shop", "tls"), "tls (Certificate, shop): CrashLoopBackOff"),
        (Subject("alert", "shop", "PodTrouble"), "PodTrouble (shop): CrashLoopBackOff"),
        (Subject("alert", "", "PodTrouble"), "PodTrouble: CrashLoopBackOff"),
        (Subject("alert", "shop", "CrashLoopBackOff"), "CrashLoopBackOff"),
        (NO_SUBJECT, "CrashLoopBackOff"),
    ],
)
def test_a_title_names_the_subject_and_the_trouble(subject: Subject, title: str) -> None:
    assert subject_title(subject, "CrashLoopBackOff") == title


def test_of_a_long_title_the_name_is_cut_and_the_trouble_stays() -> None:
    trouble = "t" * 100
    title = subject_title(Subject("deployment", "shop", "n" * 200), trouble)
    assert len(title) == TITLE_MAX
    assert title.endswith(f"n… (Deployment, shop): {trouble}")


def test_a_long_trouble_leaves_the_subject_readable() -> None:
    title = subject_title(Subject("deployment", "shop", "cart"), "t" * 300)
    assert title.startswith("cart (Deployment, shop): ttt")
    assert title.endswith("t…")
    assert len(title) == TITLE_MAX


def test_secrets_and_hidden_characters_are_left_out() -> None:
    title = subject_title(Subject("deployment", "shop", "cart\u202e"), "password=hunter2hunter2\nfailed")
    assert "\u202e" not in title
    assert "hunter2" not in title
    assert "\n" not in title


@given(subject=SUBJECTS, trouble=st.text(max_size=400))
def test_a_title_is_one_line_of_at_most_200_characters(subject: Subject, trouble: str) -> None:
    title = subject_title(subject, trouble)
    assert len(title) <= TITLE_MAX
    assert len(title.splitlines()) <= 1


def test_a_kind_of_several_words_is_written_as_its_product_does() -> None:
    assert subject_title(Subject("consumergroup", "", "bills"), "Lag") == "bills (Consumer group): Lag"


def test_a_title_that_ends_as_a_sentence_is_no_sentence_inside() -> None:
    assert subject_title(Subject(ALERT, "", "No mails in 24h."), "Queue is stuck.") == "No mails in 24h: Queue is stuck"
