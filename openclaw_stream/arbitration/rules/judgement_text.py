"""The texts of a judgement, in the language asked for, from the diagnosis and the evidence.

What alerts say is quoted as names, numbers and the vocabulary's own words only; names are capped and made harmless.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from openclaw_stream.arbitration.rules.diagnosis import Diagnosis
from openclaw_stream.arbitration.rules.opinion import Opinion
from openclaw_stream.arbitration.rules.remedy import Remedy
from openclaw_stream.events.decision import GoldenSignals
from openclaw_stream.incidents.case import Case
from openclaw_stream.vocabulary import Language, Responsibility

_NAME_LIMIT = 80
_NAMES_MAX = 6
_VALUES_MAX = 8
_HIGH_ERROR_RATE = 1.0
_HIGH_P99_MS = 1000.0
_TREND = 0.5


class Prose:
    """Writes about one case; `phrases` are the sentences of the language."""

    def __init__(self, language: Language, phrases: Mapping[str, str]) -> None:
        self._language = language
        self._phrases = phrases

    def say(self, key: str, **parts: object) -> str:
        """Return a phrase with its parts filled in."""
        return self._phrases[key].format(**parts)

    def join(self, parts: Iterable[str]) -> str:
        """Return a list in words."""
        return self._phrases["list"].join(parts)

    def teams(self, teams: Iterable[Responsibility]) -> str:
        """Return the labels of teams."""
        return self.join(self._phrases[team] for team in dict.fromkeys(teams))

    def title(self, case: Case, diagnosis: Diagnosis, target: str) -> str:
        """Return what it is, and where."""
        title = diagnosis.cause.title[self._language]
        where = plain(case.service or target or case.namespace)
        return self.say("title", where=where, title=title) if where else self.say("title_bare", title=title)

    def description(self, diagnosis: Diagnosis, remedy: Remedy, *, known: bool) -> str:
        """Return what it means and what to do first."""
        cause = diagnosis.cause
        text = self.say("description", what=cause.what[self._language], first=cause.first[self._language])
        if remedy.command or diagnosis.primary is Responsibility.COLLAB:
            return text
        return self._sentences([text, self.say("no_command" if known or cause.remedy == "none" else "manual")])

    def responsibility(self, diagnosis: Diagnosis) -> str:
        """Return why this team."""
        root = diagnosis.root
        names = self._names(opinion.signal.name for opinion in diagnosis.supporting)
        team = self._phrases[root.team]
        if diagnosis.primary is Responsibility.COLLAB:
            return self.say("responsible_unknown", names=names, team=team)
        words = dict.fromkeys(word for opinion in (root, *diagnosis.supporting) for word in opinion.words)
        key = "responsible" if words else "responsible_named"
        told = [self.say(key, names=names, words=self.join(islice(words, _NAMES_MAX)), team=team)]
        if diagnosis.symptoms:
            told.append(self.say("explained", teams=self._teams_of(diagnosis.symptoms)))
        if diagnosis.doubts:
            told.append(self.say("torn", teams=self._teams_of(diagnosis.doubts)))
        if diagnosis.secondary and not diagnosis.symptoms and not diagnosis.doubts:
            told.append(self.say("second", team=self.teams(diagnosis.secondary)))
        return self._sentences(told)

    def reasoning(self, case: Case, diagnosis: Diagnosis, responsibility: str) -> str:
        """Return the evidence with its counts, why this team (as told by `responsibility`), and how sure that is."""
        shown = islice(case.alert_names.items(), _NAMES_MAX)
        names = [self.say("name_count", name=plain(name), count=count) for name, count in shown]
        others = case.other_alerts + sum(islice(case.alert_names.values(), _NAMES_MAX, None))
        if others:
            names.append(self.say("others", count=others))
        told = [
            self.say("counts", alerts=case.alert_count, distinct=case.distinct_alerts, names=self.join(names)),
            responsibility,
            self.say("sure", confidence=round(100 * diagnosis.confidence)),
        ]
        if case.flaps:
            told.append(self.say("flaps", count=case.flaps))
        if case.resolved_early:
            told.append(self.say("early"))
        return self._sentences(told)

    def deviation(self, case: Case, metrics: GoldenSignals | None) -> str:
        """Return what differs from the normal state, with the values that the alerts carry."""
        points = list(self._deviations(metrics)) if metrics else []
        told = [self.say("deviates", points=self.join(points))] if points else []
        values = self._values(case)
        if values:
            told.append(self.say("values", values=self.join(values)))
        told += islice(self._thresholds(case), _VALUES_MAX)
        if not told:
            told.append(self.say("steady" if metrics and _has_numbers(metrics) else "no_deviation"))
        return self._sentences(told)

    def correlation(self, metrics: GoldenSignals | None) -> str:
        """Return what the golden signals say of the case."""
        if metrics is None or not _has_numbers(metrics):
            reason = plain(metrics.unavailable, 200) if metrics and metrics.unavailable else ""
            return self.say("no_signals_because", reason=reason) if reason else self.say("no_signals")
        agrees = "signals_agree" if any(self._deviations(metrics)) else "signals_calm"
        return self._sentences([self.say("signals", points=self.join(self._points(metrics))), self.say(agrees)])

    def _points(self, metrics: GoldenSignals) -> Iterable[str]:
        if metrics.rps is not None:
            trend = metrics.rps_trend
            rps = number(metrics.rps)
            yield self.say("rps", rps=rps) if trend is None else self.say("rps_trend", rps=rps, trend=f"{trend:+.0%}")
        if metrics.error_rate is not None:
            yield self.say("error_rate", rate=number(metrics.error_rate))
        if metrics.p99_ms is not None:
            yield self.say("p99", p99=number(metrics.p99_ms))

    def _deviations(self, metrics: GoldenSignals) -> Iterable[str]:
        if metrics.error_rate is not None and metrics.error_rate >= _HIGH_ERROR_RATE:
            yield self.say("high_errors", rate=number(metrics.error_rate))
        if metrics.p99_ms is not None and metrics.p99_ms >= _HIGH_P99_MS:
            yield self.say("high_p99", p99=number(metrics.p99_ms))
        trend = metrics.rps_trend
        if trend is not None and abs(trend) >= _TREND:
            yield self.say("traffic_up" if trend > 0 else "traffic_down", trend=f"{abs(trend):.0%}")

    def _values(self, case: Case) -> list[str]:
        values = {name: value for exemplar in case.exemplars for name, value in exemplar.metrics.items()}
        return [f"{plain(name)} = {number(value)}" for name, value in islice(values.items(), _VALUES_MAX)]

    def _thresholds(self, case: Case) -> Iterable[str]:
        for exemplar in case.exemplars:
            value, threshold = exemplar.annotations.get("value"), exemplar.annotations.get("threshold.value")
            if value and threshold:
                name = plain(exemplar.name)
                yield self.say("threshold", name=name, value=plain(value, 40), threshold=plain(threshold, 40))

    def _teams_of(self, opinions: Sequence[Opinion]) -> str:
        return self.teams(opinion.team for opinion in opinions)

    def _names(self, names: Iterable[str]) -> str:
        shown = list(dict.fromkeys(plain(name) for name in names))
        more = ["…"] if len(shown) > _NAMES_MAX else []
        return self.join(shown[:_NAMES_MAX] + more)

    def _sentences(self, sentences: Iterable[str]) -> str:
        return self._phrases["between"].join(sentences)


def plain(text: str, limit: int = _NAME_LIMIT) -> str:
    """Return a text as one short line without control, format or bidirectional characters."""
    shown = text[: 4 * limit]
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else " " for char in shown if unicodedata.category(char) != "Cf")
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def number(value: float) -> str:
    """Return a number with at most four significant digits."""
    return f"{value:.4g}" if math.isfinite(value) and abs(value) < 1e15 else str(value)  # noqa: PLR2004


def _has_numbers(metrics: GoldenSignals) -> bool:
    return any(value is not None for value in (metrics.rps, metrics.error_rate, metrics.p99_ms))
