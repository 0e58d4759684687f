import pytest

from openclaw_stream.arbitration.rules import judge
from openclaw_stream.arbitration.rules.judgement_text import number, single_line
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.vocabulary import Language
from tests.builders import alert, case_from

ERRORS = alert(
    "CheckoutHighErrorRate", "5xx above 5%", {"service": "checkout", "namespace": "shop"}, metrics={"error_rate": 7.5}
)


@pytest.mark.parametrize(
    ("metrics", "correlation", "deviation"),
    [
        (None, "There are no SigNoz metrics to compare with.", "Values in the alerts: error_rate = 7.5."),
        (
            GoldenSignals(unavailable="SigNoz answered 503"),
            "There are no SigNoz metrics to compare with: SigNoz answered 503.",
            "Values in the alerts: error_rate = 7.5.",
        ),
        (
            GoldenSignals(rps=120.44444, rps_trend=-0.625, error_rate=7.25, p99_ms=1834.2),
            (
                "SigNoz, over ten minutes: 120.4 requests/s (-62% against the window before), error rate 7.25%, "
                "P99 latency 1834 ms. These show that the service is affected."
            ),
            (
                "Out of the ordinary: the error rate of 7.25% is high, the P99 latency of 1834 ms is high, "
                "traffic is down by 62%. Values in the alerts: error_rate = 7.5."
            ),
        ),
        (
            GoldenSignals(rps=10, error_rate=0.1),
            "SigNoz, over ten minutes: 10 requests/s, error rate 0.1%. These show no effect on the service.",
            "Values in the alerts: error_rate = 7.5.",
        ),
    ],
)
def test_golden_signals_are_told(metrics: GoldenSignals | None, correlation: str, deviation: str) -> None:
    judgement = judge(case_from(ERRORS), Language.EN, metrics)
    assert judgement.signoz_correlation == correlation
    assert judgement.deviation_analysis == deviation


def test_golden_signals_are_told_in_chinese() -> None:
    metrics = GoldenSignals(rps=10, rps_trend=1.5, error_rate=3, p99_ms=80)
    judgement = judge(case_from(ERRORS), Language.ZH_TW, metrics)
    assert "流量 10 次/秒" in judgement.signoz_correlation
    assert "錯誤率 3% 偏高" in judgement.deviation_analysis
    assert "流量增加 150%" in judgement.deviation_analysis


def test_a_value_is_told_with_its_threshold() -> None:
    found = alert("CpuHigh", "cpu")
    found = type(found)(name="CpuHigh", severity=found.severity, annotations={"value": "97", "threshold.value": "80"})
    assert judge(case_from(found), Language.EN).deviation_analysis == "CpuHigh is at 97, its threshold is 80."


def test_counts_flaps_and_early_recovery_are_told() -> None:
    judgement = judge(case_from(ERRORS, ERRORS, alert("CheckoutLatency", "slow"), flaps=2), Language.EN)
    assert judgement.reasoning.startswith(
        "The incident holds 3 alert(s) from 3 distinct source(s): CheckoutHighErrorRate (2), CheckoutLatency (1)."
    )
    assert judgement.reasoning.endswith("It recovered and fired again 2 time(s).")


def test_the_title_says_where() -> None:
    assert judge(case_from(ERRORS), Language.EN).action_title == "checkout: A service's error rate is up"
    assert judge(case_from(alert("HighErrorRate")), Language.EN).action_title == "A service's error rate is up"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("checkout", "checkout"),
        ("a\x00b\x1b[0m\n\tc", "a b [0m c"),
        ("\u202eevil\u200b", "evil"),
        ("訂單 服務", "訂單 服務"),
        ("x" * 100, "x" * 79 + "…"),
        ("", ""),
    ],
)
def test_names_are_made_harmless(text: str, shown: str) -> None:
    assert single_line(text) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(7.5, "7.5"), (1234567.0, "1.235e+06"), (float("nan"), "nan"), (float("inf"), "inf"), (3.0, "3")],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
