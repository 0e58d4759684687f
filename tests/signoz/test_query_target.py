from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.signoz.query_target import SERVICES_MAX, Window, subject_of, window_of
from tests.builders import DUE, case, exemplar

END = 1_795_300_590_000
"""DUE rounded down to half a minute."""


def test_the_trace_label_comes_before_the_service_and_its_workloads() -> None:
    alert = exemplar(
        service="checkout",
        labels={"service.name": "shop-checkout", "service": "checkout", "deployment": "checkout-api", "pod": "p-0"},
    )
    assert subject_of(case(alert)).services == ("shop-checkout", "checkout", "checkout-api")


def test_both_spellings_of_the_label_are_recognised() -> None:
    assert subject_of(case(exemplar(labels={"service_name": "a"}))).services == ("a", "checkout")


def test_the_workload_is_derived_from_the_pod() -> None:
    pod = exemplar(labels={"pod": "checkout-api-7d9f8b6c5-x2x4z"})
    assert subject_of(case(pod)).services == ("checkout", "checkout-api")
    assert subject_of(case(service="cart-7d9f8b6c5-x2x4z")).services == ("cart-7d9f8b6c5-x2x4z", "cart")
    target = exemplar(target_resource="pod/web-0")
    assert subject_of(case(target, service="")).services == ("web",)


def test_alerts_of_other_services_are_ignored() -> None:
    other = exemplar(service="cart", namespace="carts", labels={"service.name": "cart"})
    subject = subject_of(case(other, namespace=""))
    assert (subject.services, subject.namespace) == (("checkout",), "")


def test_a_case_without_a_service_has_those_of_its_alerts() -> None:
    alerts = (exemplar(service="cart", namespace="carts"), exemplar(service="web"))
    subject = subject_of(case(*alerts, service="", namespace=""))
    assert (subject.services, subject.namespace) == (("cart", "web"), "carts")


def test_empty_names_are_left_out() -> None:
    assert subject_of(case(exemplar(labels={"service.name": " "}), service="")).services == ()


def test_the_number_of_names_is_bounded() -> None:
    alerts = [exemplar(labels={"service.name": f"s{number}"}) for number in range(100)]
    assert len(subject_of(case(*alerts)).services) == SERVICES_MAX


def test_the_window_is_the_ten_minutes_before_the_due_time() -> None:
    window = window_of(case())
    assert window == Window(END - 600_000, END)
    assert window.seconds == 600
    assert window.previous == Window(END - 1_200_000, END - 600_000)


@given(st.integers(2_000_000, 4_000_000_000_000))
def test_a_window_ends_within_half_a_minute_before_a_case_is_due(due: int) -> None:
    window = window_of(case(due=due))
    assert 0 <= due - window.end < 30_000
    assert window.end - window.start == 600_000
    assert window.previous.end == window.start
    assert DUE > END
