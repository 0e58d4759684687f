"""Alerts of the deployment checkout, and the tuning suggestions for them."""

from collections.abc import Mapping

from openclaw_stream.arbitration.tuning.suggestions import tuning_suggestions
from openclaw_stream.events.decision import GoldenSignals, Judgement, Suggestion
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.vocabulary import Language
from tests.builders import case, exemplar, judgement


def checkout_alert(name: str, message: str = "", metrics: Mapping[str, float] | None = None, **labels: str) -> Exemplar:
    labels = {"deployment": "checkout", **labels}
    return exemplar(name, labels, message=message, metrics=metrics or {}, namespace="shop", service="checkout")


def suggested(
    *alerts: Exemplar,
    metrics: GoldenSignals | None = None,
    judged: Judgement | None = None,
    language: Language = Language.EN,
) -> list[Suggestion]:
    return tuning_suggestions(judged or judgement(), case(*alerts), metrics, language)
