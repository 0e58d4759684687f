"""The texts of a rule-based judgement in the output language, from the diagnosis and the evidence.

Alert text is untrusted: only names, numbers and vocabulary terms are quoted, and names are cut and cleaned.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from openclaw_stream.alerts.subject import ALERT
from openclaw_stream.arbitration.rules.classification import Classification
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis
from openclaw_stream.arbitration.rules.remedy import Remedy
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.text import safe_text
from openclaw_stream.vocabulary import Language, Responsibility

_NAME_LIMIT = 80
_VALUE_LIMIT = 40
_REASON_LIMIT = 200
_NAMES_MAX = 6
_VALUES_MAX = 8
_HIGH_ERROR_RATE = 1.0
_HIGH_P99_MS = 1000.0
_TREND = 0.5


class JudgementText:
    """Renders the texts about one case; `phrases` are the sentence templates of the language."""

    def __init__(self, language: Language, phrases: Mapping[str, str]) -> None:
        self._language = language
        self._phrases = phrases

    def render(self, key: str, **values: object) -> str:
        """Return a phrase with its placeholders filled in."""
        return self._phrases[key].format(**values)

    def join(self, parts: Iterable[str]) -> str:
        """Return an enumeration."""
        return self._phrases["separator"].join(parts)

    def teams(self, teams: Iterable[Responsibility]) -> str:
        """Return an enumeration of team names."""
        return self.join(self._phrases[team] for team in dict.fromkeys(teams))

    def title(self, case: Case, diagnosis: Diagnosis, target: str) -> str:
        """Return the cause with the service, workload or namespace."""
        title = diagnosis.cause.title[self._language]
        subject = case.subject.name if case.subject.kind != ALERT else ""
        where = single_line(case.service or target or subject or case.namespace)
        return self.render("title", where=where, title=title) if where else self.render("title_only", title=title)

    def description(self, diagnosis: Diagnosis, remedy: Remedy, *, known: bool) -> str:
        """Return what the cause means and the first steps; `known` is whether the workload is known."""
        cause = diagnosis.cause
        explanation, first_steps = cause.explanation[self._language], cause.first_steps[self._language]
        text = self.render("description", what=explanation, first=first_steps)
        if remedy.command or diagnosis.primary is Responsibility.COLLAB:
            return text
        why_no_command = "no_safe_command" if known or cause.remedy == "none" else "workload_unknown"
        return self._joined([text, self.render(why_no_command)])

    def responsibility(self, diagnosis: Diagnosis) -> str:
        """Return why this team is responsible."""
        root = diagnosis.root
        names = self._names(each.evidence.name for each in diagnosis.supporting)
        team = self._phrases[root.team]
        if diagnosis.primary is Responsibility.COLLAB:
            return self.render("team_unknown", names=names, team=team)
        terms = dict.fromkeys(term for each in (root, *diagnosis.supporting) for term in each.terms)
        key = "team_by_terms" if terms else "team_by_default"
        sentences = [self.render(key, names=names, words=self.join(islice(terms, _NAMES_MAX)), team=team)]
        if diagnosis.symptoms:
            sentences.append(self.render("symptoms", teams=self._teams_of(diagnosis.symptoms)))
        if diagnosis.conflicting:
            sentences.append(self.render("conflicting", teams=self._teams_of(diagnosis.conflicting)))
        if diagnosis.secondary and not diagnosis.symptoms and not diagnosis.conflicting:
            sentences.append(self.render("second_team", team=self.teams(diagnosis.secondary)))
        return self._joined(sentences)

    def reasoning(self, case: Case, diagnosis: Diagnosis, responsibility: str) -> str:
        """Return the alert counts, why this team is responsible (the text `responsibility`), and the confidence."""
        shown = islice(case.alert_names.items(), _NAMES_MAX)
        names = [self.render("name_count", name=single_line(name), count=count) for name, count in shown]
        others = case.other_alerts + sum(islice(case.alert_names.values(), _NAMES_MAX, None))
        if others:
            names.append(self.render("other_names", count=others))
        sentences = [
            self.render("alert_counts", alerts=case.alert_count, distinct=case.distinct_alerts, names=self.join(names)),
            responsibility,
            self.render("confidence", confidence=round(100 * diagnosis.confidence)),
        ]
        if case.flaps:
            sentences.append(self.render("flaps", count=case.flaps))
        if case.resolved_early:
            sentences.append(self.render("resolved_early"))
        return self._joined(sentences)

    def deviation(self, case: Case, metrics: GoldenSignals | None) -> str:
        """Return deviations from the normal state, with the metric values in the alerts."""
        points = list(self._deviations(metrics)) if metrics else []
        sentences = [self.render("deviations", points=self.join(points))] if points else []
        values = self._values(case)
        if values:
            sentences.append(self.render("values", values=self.join(values)))
        sentences += islice(self._thresholds(case), _VALUES_MAX)
        if not sentences:
            sentences.append(self.render("within_range" if metrics and _has_numbers(metrics) else "no_metrics"))
        return self._joined(sentences)

    def correlation(self, metrics: GoldenSignals | None) -> str:
        """Return the golden signals, and whether they show an effect on the service."""
        if metrics is None or not _has_numbers(metrics):
            reason = single_line(metrics.unavailable, _REASON_LIMIT) if metrics and metrics.unavailable else ""
            return self.render("no_signals_reason", reason=reason) if reason else self.render("no_signals")
        effect = "signals_affected" if any(self._deviations(metrics)) else "signals_unaffected"
        signals = self.render("golden_signals", points=self.join(self._points(metrics)))
        return self._joined([signals, self.render(effect)])

    def _points(self, metrics: GoldenSignals) -> Iterable[str]:
        if metrics.rps is not None:
            trend = metrics.rps_trend
            rps = number(metrics.rps)
            with_trend = "" if trend is None else f"{trend:+.0%}"
            yield self.render("rps_trend", rps=rps, trend=with_trend) if with_trend else self.render("rps", rps=rps)
        if metrics.error_rate is not None:
            yield self.render("error_rate", rate=number(metrics.error_rate))
        if metrics.p99_ms is not None:
            yield self.render("p99", p99=number(metrics.p99_ms))

    def _deviations(self, metrics: GoldenSignals) -> Iterable[str]:
        if metrics.error_rate is not None and metrics.error_rate >= _HIGH_ERROR_RATE:
            yield self.render("high_errors", rate=number(metrics.error_rate))
        if metrics.p99_ms is not None and metrics.p99_ms >= _HIGH_P99_MS:
            yield self.render("high_p99", p99=number(metrics.p99_ms))
        trend = metrics.rps_trend
        if trend is not None and abs(trend) >= _TREND:
            yield self.render("traffic_up" if trend > 0 else "traffic_down", trend=f"{abs(trend):.0%}")

    def _values(self, case: Case) -> list[str]:
        values = {name: value for exemplar in case.exemplars for name, value in exemplar.metrics.items()}
        return [f"{single_line(name)} = {number(value)}" for name, value in islice(values.items(), _VALUES_MAX)]

    def _thresholds(self, case: Case) -> Iterable[str]:
        for exemplar in case.exemplars:
            value, threshold = exemplar.annotations.get("value"), exemplar.annotations.get("threshold.value")
            if value and threshold:
                name = single_line(exemplar.name)
                value, threshold = single_line(value, _VALUE_LIMIT), single_line(threshold, _VALUE_LIMIT)
                yield self.render("threshold", name=name, value=value, threshold=threshold)

    def _teams_of(self, classifications: Sequence[Classification]) -> str:
        return self.teams(each.team for each in classifications)

    def _names(self, names: Iterable[str]) -> str:
        shown = list(dict.fromkeys(single_line(name) for name in names))
        more = ["…"] if len(shown) > _NAMES_MAX else []
        return self.join(shown[:_NAMES_MAX] + more)

    def _joined(self, sentences: Iterable[str]) -> str:
        return self._phrases["sentence_separator"].join(sentences)


def single_line(text: str, limit: int = _NAME_LIMIT) -> str:
    """Return untrusted text on one line of at most `limit` characters, without secrets and hidden characters."""
    return safe_text(text, limit, one_line=True)


def number(value: float) -> str:
    """Return a number with at most four significant digits."""
    return f"{value:.4g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)  # noqa: PLR2004


def _has_numbers(metrics: GoldenSignals) -> bool:
    return any(value is not None for value in (metrics.rps, metrics.error_rate, metrics.p99_ms))
