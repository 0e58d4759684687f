"""The texts of a rule-based judgement in the output language, from the diagnosis and the evidence.

Alert text is untrusted: what is quoted of it, names too, is cut, redacted and without hidden characters.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from openclaw_stream.alerts.titles import subject_title
from openclaw_stream.arbitration.rules.classification import Classification
from openclaw_stream.arbitration.rules.diagnosis import Diagnosis
from openclaw_stream.arbitration.rules.quoting import (
    cut,
    first_named,
    is_identifier,
    line,
    mentions,
    quote,
    single_line,
)
from openclaw_stream.arbitration.rules.stated_reason import stated_reason
from openclaw_stream.arbitration.rules.unsaid_labels import unsaid_labels
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case, Owner
from openclaw_stream.incidents.links import RUNBOOK, link_kind, safe_link
from openclaw_stream.vocabulary import Language, Responsibility

_VALUE_LIMIT = 40
_REASON_LIMIT = 200
_OTHER_LIMIT, _OTHERS_MAX = 160, 3
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

    def title(self, case: Case, diagnosis: Diagnosis) -> str:
        """Return the subject and the trouble: the cause, or the alert's name where the cause is unknown."""
        name = diagnosis.root.evidence.name
        trouble = name if diagnosis.cause.is_unknown and name else diagnosis.cause.title[self._language]
        return subject_title(case.subject, trouble)

    def description(self, case: Case, diagnosis: Diagnosis, checks: Sequence[str], advice: str) -> str:
        """Return the alert's own words, what the cause means, what to check first, and advice on the remedy."""
        cause, name = diagnosis.cause, diagnosis.root.evidence.name
        title, quoted, others = self.title(case, diagnosis), quote(case, name), self._others(case, name)
        sentences = [
            self.render("resolved_early") if case.resolved_early else "",
            self._alert(name, quoted, title),
            self._labels(case, name, (title, quoted, others)),
            others,
            self._unknown(quoted) if cause.is_unknown else cause.explanation[self._language],
        ]
        runbook = _runbook(case, name)
        steps = [self.render("runbook", link=runbook), *checks[:-1]] if runbook else checks
        numbered = [f"{number}. {step}" for number, step in enumerate(steps, start=1)]
        return "\n".join(
            filter(None, (self._joined(filter(None, sentences)), self.render("checks"), *numbered, advice))
        )

    def _alert(self, name: str, quoted: str, title: str) -> str:
        """Return what the alert says, with its name where neither the title nor the quote has it, else its name."""
        shown = cut(line(name), _OTHER_LIMIT)
        words = "" if is_identifier(shown) else "_words"
        if not quoted:
            return self.render(f"alert_name{words}", name=shown) if shown else ""
        if not shown or mentions(title, shown) or mentions(quoted, shown):
            return self.render("quote", text=quoted)
        return self.render(f"quote_of{words}", name=shown, text=quoted)

    def _labels(self, case: Case, name: str, said: Iterable[str]) -> str:
        """Return the labels of the alert that name an object of which none of the texts speaks."""
        exemplar = first_named(case, name)
        labels = unsaid_labels(exemplar.labels, "\n".join((*said, name))) if exemplar else {}
        shown = [
            self.render("label" if is_identifier(value) else "label_words", name=label, value=value)
            for label, value in labels.items()
        ]
        return self.render("labels" if len(shown) > 1 else "labels_one", labels=self.join(shown)) if shown else ""

    def _unknown(self, quoted: str) -> str:
        """Return the reason that the alert states where no rule knows the cause, else that it is not known."""
        if reason := stated_reason(quoted):
            return self.render("cause_stated", text=cut(reason, _OTHER_LIMIT))
        return self.render("cause_unknown_beyond" if quoted else "cause_unknown")

    def _others(self, case: Case, root: str) -> str:
        """Return the other alerts of the case, each with what it says."""
        names = [name for name in dict.fromkeys(each.name for each in case.exemplars) if name != root][:_OTHERS_MAX]
        shown = self.join(self._other(name, cut(quote(case, name), _OTHER_LIMIT)) for name in names)
        return self.render("also", others=shown) if shown else ""

    def _other(self, name: str, quoted: str) -> str:
        return self.render("other", name=single_line(name), text=quoted) if quoted else single_line(name)

    def responsibility(self, diagnosis: Diagnosis, owner: Owner | None = None) -> str:
        """Return why this team is responsible; the owner of the subject is named where its responsibility is known."""
        named = [self._owner(owner)] if owner and owner.responsibility else []
        if diagnosis.by_owner and not diagnosis.secondary:
            return self._joined([*named, self.render("owner_undisputed")])
        root = diagnosis.root
        team = self._phrases[root.team]
        if diagnosis.primary is Responsibility.COLLAB:
            return self.render("team_unknown", team=team)
        terms = dict.fromkeys(term for each in (root, *diagnosis.supporting) for term in each.terms)
        key = "team_by_terms" if terms else "team_by_default"
        by_evidence = self.render(key, words=self.join(islice(terms, _NAMES_MAX)), team=team)
        sentences = named if diagnosis.by_owner else [by_evidence, *named]
        if diagnosis.symptoms:
            sentences.append(self.render("symptoms", teams=self._teams_of(diagnosis.symptoms)))
        if diagnosis.conflicting:
            sentences.append(self.render("conflicting", teams=self._teams_of(diagnosis.conflicting)))
        second = [team for team in diagnosis.secondary if not owner or team is not owner.responsibility]
        if second and not diagnosis.symptoms and not diagnosis.conflicting:
            sentences.append(self.render("second_team", team=self.teams(second)))
        return self._joined(sentences)

    def _owner(self, owner: Owner) -> str:
        key = "owner_by_label" if owner.label else "owner_by_file"
        name, label = single_line(owner.team), single_line(owner.label)
        return self.render(key, name=name, team=owner.responsibility, label=label)

    def reasoning(self, case: Case, responsibility: str) -> str:
        """Return the alert counts, and why this team is responsible (the text `responsibility`)."""
        shown = islice(case.alert_names.items(), _NAMES_MAX)
        names = [self.render("name_count", name=single_line(name), count=count) for name, count in shown]
        others = case.other_alerts + sum(islice(case.alert_names.values(), _NAMES_MAX, None))
        if others:
            names.append(self.render("other_names", count=others))
        sentences = [
            self.render(
                "alert_counts",
                alerts=self._count("alerts", case.alert_count),
                sources=self._count("sources", case.distinct_alerts),
                names=self.join(names),
            ),
            responsibility,
        ]
        if case.flaps:
            sentences.append(self.render("flaps", times=self._count("times", case.flaps)))
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

    def _count(self, key: str, count: int) -> str:
        """Return a number with its noun, in the singular for one."""
        return self.render(key if count != 1 else f"{key}_one", count=count)

    def _joined(self, sentences: Iterable[str]) -> str:
        return self._phrases["sentence_separator"].join(sentences)


def _runbook(case: Case, name: str) -> str:
    """Return the runbook that the first alert of a name links to; empty where there is none."""
    exemplar = first_named(case, name)
    links = exemplar.annotations.items() if exemplar else ()
    return next((link for key, text in links if link_kind(key) == RUNBOOK and (link := safe_link(text))), "")


def number(value: float) -> str:
    """Return a number with at most four significant digits."""
    return f"{value:.4g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)  # noqa: PLR2004


def _has_numbers(metrics: GoldenSignals) -> bool:
    return any(value is not None for value in (metrics.rps, metrics.error_rate, metrics.p99_ms))
