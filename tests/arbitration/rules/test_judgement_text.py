from typing import Any

import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.judgement_text import number
from openclaw_stream.arbitration.rules.quoting import single_line
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from

ERRORS = alert(
    "CheckoutHighErrorRate", "5xx above 5%", {"service": "checkout", "namespace": "shop"}, metrics={"error_rate": 7.5}
)


@pytest.mark.parametrize(
    ("metrics", "correlation", "deviation"),
    [
        (None, "No SigNoz metrics are available.", "Metric values in the alerts: error_rate = 7.5."),
        (
            GoldenSignals(unavailable="SigNoz answered 503"),
            "No SigNoz metrics are available: SigNoz answered 503.",
            "Metric values in the alerts: error_rate = 7.5.",
        ),
        (
            GoldenSignals(rps=120.44444, rps_trend=-0.625, error_rate=7.25, p99_ms=1834.2),
            (
                "SigNoz over ten minutes: 120.4 requests/s (-62% against the previous window), error rate 7.25%, "
                "P99 latency 1834 ms. These metrics show that the service is affected."
            ),
            (
                "Deviations from normal: error rate of 7.25% is high, P99 latency of 1834 ms is high, "
                "traffic decreased by 62%. Metric values in the alerts: error_rate = 7.5."
            ),
        ),
        (
            GoldenSignals(rps=10, error_rate=0.1),
            "SigNoz over ten minutes: 10 requests/s, error rate 0.1%. These metrics show no effect on the service.",
            "Metric values in the alerts: error_rate = 7.5.",
        ),
    ],
)
def test_golden_signals_are_described(metrics: GoldenSignals | None, correlation: str, deviation: str) -> None:
    judgement = judge(case_from(ERRORS), Language.EN, metrics)
    assert judgement.signoz_correlation == correlation
    assert judgement.deviation_analysis == deviation


def test_golden_signals_are_described_in_chinese() -> None:
    metrics = GoldenSignals(rps=10, rps_trend=1.5, error_rate=3, p99_ms=80)
    judgement = judge(case_from(ERRORS), Language.ZH_TW, metrics)
    assert "流量 10 次/秒" in judgement.signoz_correlation
    assert "錯誤率 3% 偏高" in judgement.deviation_analysis
    assert "流量增加 150%" in judgement.deviation_analysis


def test_a_value_is_shown_with_its_threshold() -> None:
    found = alert("CpuHigh", "cpu")
    found = type(found)(name="CpuHigh", severity=found.severity, annotations={"value": "97", "threshold.value": "80"})
    assert judge(case_from(found), Language.EN).deviation_analysis == "CpuHigh is 97, its threshold is 80."


def test_counts_and_flaps_are_in_the_reasoning() -> None:
    judgement = judge(case_from(ERRORS, ERRORS, alert("CheckoutLatency", "slow"), flaps=2), Language.EN)
    assert judgement.reasoning.startswith(
        "The incident has 3 alerts from 3 sources: CheckoutHighErrorRate (2), CheckoutLatency (1)."
    )
    assert judgement.reasoning.endswith("It resolved and fired again 2 times.")


def test_one_alert_is_counted_in_the_singular() -> None:
    judgement = judge(case_from(ERRORS, flaps=1), Language.EN)
    assert judgement.reasoning.startswith("The incident has 1 alert from 1 source: CheckoutHighErrorRate (1).")
    assert judgement.reasoning.endswith("It resolved and fired again once.")


def test_the_title_names_the_subject_and_the_trouble() -> None:
    title = judge(case_from(ERRORS), Language.EN).action_title
    assert title.startswith("checkout (Service, shop): ")
    assert "rror" in title
    unknown = judge(case_from(alert("WidgetsAreOdd", labels={"service": "checkout"})), Language.EN)
    assert unknown.action_title == "checkout (Service): WidgetsAreOdd"


@pytest.mark.parametrize(
    ("texts", "quote"),
    [
        ({"message": "Widgets are odd.", "annotations": {"summary": "odd"}}, "Widgets are odd"),
        ({"annotations": {"summary": "Odd", "description": "12 widgets are odd"}}, "12 widgets are odd"),
        ({"annotations": {"Summary": "Odd\n\u202eheight"}}, "Odd height"),
        (
            {"message": "2 are odd.", "annotations": {"summary": "Odd since 9:00", "description": "Ask Widgets Ltd"}},
            "2 are odd / Odd since 9:00 / Ask Widgets Ltd",
        ),
    ],
)
def test_the_description_quotes_the_alert(texts: dict[str, Any], quote: str) -> None:
    description = judge(case_from(alert("WidgetsAreOdd", **texts)), Language.EN).description
    assert description.startswith(f"The alert says: “{quote}”. ")


def test_an_alert_without_text_is_named() -> None:
    assert judge(case_from(alert("WidgetsAreOdd")), Language.EN).description.startswith("The alert is WidgetsAreOdd. ")
    assert not judge(case_from(), Language.EN).description.startswith("The alert is ")


def test_other_alerts_are_quoted_too() -> None:
    others = (alert("Oddity", "It is odd."), alert("Oddity", "It is odd again"), alert("Wordless"))
    description = judge(case_from(ERRORS, *others), Language.EN).description
    assert "Also: Oddity “It is odd”, Wordless. " in description
    chinese = judge(case_from(ERRORS, *others), Language.ZH_TW).description
    assert "同時：Oddity「It is odd」、Wordless。" in chinese


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("found", [ERRORS, alert("WidgetsAreOdd"), alert("MySQLDown", "MySQL is down")])
def test_every_decision_gives_three_checks(found: Exemplar, language: Language) -> None:
    lines = judge(case_from(found), language).description.splitlines()
    numbered = [line for line in lines if line[:2] in {"1.", "2.", "3.", "4."}]
    assert [line[:3] for line in numbered] == ["1. ", "2. ", "3. "]
    assert len(set(numbered)) == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("checkout", "checkout"),
        ("a\x00b\x1b[0m\n\tc", "ab[0m c"),
        ("\u202eevil\u200b", "evil"),
        ("訂單 服務", "訂單 服務"),
        ("x" * 100, "x" * 79 + "…"),
        ("", ""),
    ],
)
def test_names_are_cut_to_one_clean_line(text: str, shown: str) -> None:
    assert single_line(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(7.5, "7.5"), (1234567.0, "1.235e+06"), (float("nan"), "nan"), (float("inf"), "inf"), (3.0, "3")],
)
def test_numbers_have_four_significant_digits(value: float, shown: str) -> None:
    assert number(value) == shown
