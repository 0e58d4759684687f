"""The fold: how alerts join, open, resolve and reopen incidents, and when an incident asks for a revision or ends.

Everything here is a function of the log: offsets, record timestamps and stream time T, the highest record timestamp
so far. There is no clock and no I/O. A producer may repeat an unchanged alert only every few hours, so silence is not
recovery: an incident lives as long as any of its members fires, and a hold beyond.
"""

from dataclasses import dataclass

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.ids import incident_id
from openclaw_stream.incidents.evidence import exemplar
from openclaw_stream.incidents.state import MEMBERS_MAX, NAMES_MAX, NEVER, SERVICES_MAX, UNKNOWN, Episode, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.vocabulary import IncidentStatus, Severity

_CRITICAL = Severity.CRITICAL.rank
_EXEMPLARS_MAX = 16
_EXEMPLARS_PER_NAME = 3


@dataclass(frozen=True, slots=True)
class Fold:
    """The rules for one partition; `retention` is the input's, in milliseconds (NEVER where it is unlimited)."""

    topic: str
    partition: int
    timers: Timers
    retention: int = NEVER

    def join(self, state: State, alert: Alert, offset: int, timestamp: int, now: int) -> tuple[int, bool]:
        """Fold one alert of the record at `offset` with T = `now`.

        Returns when it wants a revision (NEVER for not at all), and whether it belongs to an incident: a resolved
        alert never opens one.
        """
        if not alert.firing:
            return NEVER, self._resolve(state, alert, offset, now)
        repeat = _is_repeat(state, alert)
        due = NEVER
        if not state.open:
            # Where an earlier generation opened one here, a replay does too, though it may know fewer members.
            if state.episode(offset) is None and self._reopens(state, now, repeat=repeat):
                due = self._reopen(state, alert, now)
            else:
                self._open(state, alert, offset, timestamp)
                repeat = False
        fresh = not repeat and alert.member not in state.firing and alert.member not in state.resolved
        if offset > state.frozen:
            state.last_alert_at = now
            if not repeat:
                _add_member(state, alert)
        due = min(due, self._trigger(state, alert, now))
        _add_evidence(state, alert, offset, fresh=fresh)
        return due, True

    def repeat(self, state: State, alert: Alert, offset: int, now: int) -> bool:
        """Fold an unchanged repeat of a firing member, which most alerts are; False (and no change) for any other.

        Equal to `join`, and a fraction of its cost.
        """
        if not (
            alert.firing
            and state.open
            and state.firing.get(alert.member) == alert.starts_at
            and alert.name in state.names
            and alert.severity.rank <= state.severity
            and (alert.service in state.services or not alert.service)
            and offset > state.frozen
            and not state.early
        ):
            return False
        state.last_alert_at = now
        state.last_offset = offset
        state.alert_count += 1
        state.names[alert.name] += 1
        return True

    def may_trigger(self, state: State, alert: Alert) -> bool:
        """Tell whether `alert` could ask for a revision; never False where `join` would.

        The state before a record must be kept only then. Asked of the state before a record, it holds for all its
        alerts: names, services and severity only grow, and only stream time closes.
        """
        return alert.firing and (
            not state.open
            or state.early
            or alert.severity.rank > state.severity
            or _is_news(state.names, alert.name, NAMES_MAX)
            or _is_news(state.services, alert.service, SERVICES_MAX)
        )

    def interval(self, state: State) -> int:
        """Return the least time between two revisions: doubled with each, so that new names cannot buy LLM calls."""
        doublings = min(max(state.revision, 1) - 1, 32)
        return min(self.timers.max_interval, self.timers.group_interval << doublings)

    def end_of(self, state: State) -> int:
        """Return when stream time closes the incident, as its members and timers stand."""
        return min(state.last_alert_at + self.timers.max_silence, state.hold_end)

    def close(self, state: State, at: int, offset: int, known: Episode | None) -> None:
        """Close the incident at its end `at`, noticed at `offset`; a `known` end of an earlier generation stands."""
        state.open = False
        state.status = known.status if known else self.ending(state, at)
        episode = state.episode(state.opened_offset)
        if episode:
            closed = known.closed_offset if known else offset
            state.record(episode._replace(closed_offset=closed, status=state.status))

    def ending(self, state: State, at: int) -> IncidentStatus:
        """Return how an incident that ends at `at` ends."""
        return IncidentStatus.RESOLVED if state.hold_end <= at else IncidentStatus.ASSUMED_RESOLVED

    def _trigger(self, state: State, alert: Alert, now: int) -> int:
        rank = alert.severity.rank
        rise = rank > state.severity
        told_over = state.early and state.hold_end == NEVER
        news = _is_news(state.names, alert.name, NAMES_MAX) or _is_news(state.services, alert.service, SERVICES_MAX)
        if not (rise or told_over or news):
            return NEVER
        state.early, state.status = False, IncidentStatus.FIRING
        urgent = rank == _CRITICAL
        wait = self.timers.group_wait_critical if urgent else self.timers.group_wait
        due = now + wait if state.revision == 0 else max(now, state.last_due + self.interval(state))
        return min(due, now + self.timers.group_wait_critical) if rise and urgent else due

    def _resolve(self, state: State, alert: Alert, offset: int, now: int) -> bool:
        if not state.open:
            return False
        if offset > state.frozen:
            state.last_alert_at = now
            starts = state.firing.get(alert.member)
            if starts is not None and _ends(alert, starts):
                del state.firing[alert.member]
                state.resolved[alert.member] = starts
                if not state.firing and not state.overflow:
                    state.hold_end = now + self.timers.resolve_hold
        _count(state, alert, offset)
        return True

    def _reopens(self, state: State, now: int, *, repeat: bool) -> bool:
        return repeat and state.status is IncidentStatus.ASSUMED_RESOLVED and now < state.last_alert_at + self.retention

    def _reopen(self, state: State, alert: Alert, now: int) -> int:
        state.open, state.early, state.hold_end, state.status = True, False, NEVER, IncidentStatus.FIRING
        state.resolved.pop(alert.member, None)
        state.firing[alert.member] = alert.starts_at
        episode = state.episode(state.opened_offset)
        if episode:
            state.record(episode._replace(closed_offset=None, status=IncidentStatus.FIRING))
        return max(now, state.last_due + self.interval(state))

    def _open(self, state: State, alert: Alert, offset: int, timestamp: int) -> None:
        new_id = incident_id(self.topic, self.partition, offset, timestamp, state.group_key)
        previous = [e.incident_id for e in state.lineage if e.opened_offset < offset]
        state.begin(new_id, offset, timestamp, previous[-1] if previous else "")
        state.namespace, state.service = alert.namespace, alert.service
        if state.episode(offset) is None:
            state.record(Episode(new_id, offset, timestamp, None, IncidentStatus.FIRING))


def _is_repeat(state: State, alert: Alert) -> bool:
    """Tell an unchanged repeat of a member.

    A firing alert with the startsAt of a resolved member is a late repeat, too; without a startsAt it fires again.
    """
    starts = state.firing.get(alert.member)
    if starts is None:
        starts = state.resolved.get(alert.member)
        return bool(starts) and starts == alert.starts_at
    return starts == alert.starts_at


def _ends(alert: Alert, starts: int) -> bool:
    """Tell whether a resolved alert ends the episode that began at `starts`, and is no late word of one before.

    Real Alertmanagers resolve with a startsAt other than the one they fired with, so the end counts as well.
    """
    return not alert.starts_at or not starts or alert.starts_at >= starts or alert.ends_at >= starts


def _add_member(state: State, alert: Alert) -> None:
    if state.hold_end != NEVER:
        state.flaps += 1
        state.hold_end = NEVER
    state.resolved.pop(alert.member, None)
    if alert.member not in state.firing and len(state.firing) + len(state.resolved) >= MEMBERS_MAX:
        if not state.resolved:
            state.overflow = True
            return
        del state.resolved[next(iter(state.resolved))]
    state.firing[alert.member] = alert.starts_at


def _add_evidence(state: State, alert: Alert, offset: int, *, fresh: bool) -> None:
    rank = alert.severity.rank
    told = state.names.get(alert.name, 0)
    worse = rank > state.severity >= 0
    if worse or not told or (fresh and told < _EXEMPLARS_PER_NAME):
        _add_exemplar(state, alert)
    state.distinct += fresh
    state.severity = max(state.severity, rank)
    if _is_news(state.services, alert.service, SERVICES_MAX):
        state.services = (*state.services, alert.service)
    _count(state, alert, offset)


def _add_exemplar(state: State, alert: Alert) -> None:
    if len(state.exemplars) < _EXEMPLARS_MAX:
        state.exemplars = (*state.exemplars, exemplar(alert))


def _count(state: State, alert: Alert, offset: int) -> None:
    state.alert_count += 1
    state.last_offset = offset
    if state.first_offset == UNKNOWN:
        state.first_offset = offset
    # A resolved alert brings no name of its own: the name would be no news when it fires.
    if alert.name in state.names or (alert.firing and len(state.names) < NAMES_MAX):
        state.names[alert.name] = state.names.get(alert.name, 0) + 1
    else:
        state.others += 1


def _is_news(seen: dict[str, int] | tuple[str, ...], item: str, limit: int) -> bool:
    return bool(item) and item not in seen and len(seen) < limit
