"""The rules with divided times: the same rules otherwise."""

from tests.deploy.prometheus import PROMETHEUS_FOLDER
from tests.deploy.quick_rules import quick_rules


def test_all_times_are_divided() -> None:
    rules = """
    groups: [{rules: [
      {for: 2m, expr: "sum(increase(a_total[1h])) > 1000 or a_total unless a_total offset 1h"},
      {for: 0m, expr: "time() - max(b_timestamp_seconds > 0) > 900"},
    ]}]"""
    assert "for: 4s" in quick_rules(rules)
    assert "sum(increase(a_total[120s])) > 1000 or a_total unless a_total offset 120s" in quick_rules(rules)
    assert "time() - max(b_timestamp_seconds > 0) > 30" in quick_rules(rules)


def test_no_time_of_the_rules_is_left_as_it_was() -> None:
    quick = quick_rules((PROMETHEUS_FOLDER / "alerts.yaml").read_text(encoding="utf-8"))
    assert not [line for line in quick.splitlines() for end in ("m]", "h]", "d]", "> 900", "> 180") if end in line]
