"""The fold: how alerts open, join, resolve and reopen incidents, and when an incident needs a revision or ends.

Everything here is a function of the log: offsets, record timestamps and stream time T, the highest record timestamp
so far. There is no clock and no I/O. A producer may repeat an unchanged alert only every few hours, so silence is not
recovery: an incident stays open while any of its members fires, and for a hold after that.
"""

from dataclasses import dataclass

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.ids import incident_id
from openclaw_stream.incidents.exemplars import exemplar
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.incidents.state import NEVER, LineageRecord, State
from openclaw_stream.incidents.timers import Timers
from openclaw_stream.vocabulary import IncidentStatus, Severity

_CRITICAL = Severity.CRITICAL.rank
_EXEMPLARS_PER_NAME = 3
_OPEN = Lifecycle.OPEN


@dataclass(frozen=True, slots=True)
class Fold:
    """The rules for one partition; `retention` is that of the input, in milliseconds (NEVER where it is unlimited).

    In all methods `now` is stream time T, in epoch milliseconds.
    """

    topic: str
    partition: int
    timers: Timers
    retention: int = NEVER

    def join(self, state: State, alert: Alert, offset: int, timestamp: int, now: int) -> tuple[int, bool]:
        """Fold one alert of the record at `offset`.

        Returns when the incident needs a revision because of it (NEVER for not at all), and whether the alert belongs
        to an incident: a resolved alert never opens one.
        """
        if not alert.firing:
            return NEVER, self._resolve(state, alert, offset, now)
        repeat = _is_repeat(state, alert)
        due = NEVER
        if not state.is_open:
            # Where an earlier generation opened one here, a replay does too, though its state may hold fewer members.
            if state.lineage_entry(offset) is None and self._reopens(state, now, repeat=repeat):
                due = self._reopen(state, alert, now)
            else:
                self._open(state, alert, offset, timestamp)
                repeat = False
        distinct = not repeat and alert.member not in state.firing and alert.member not in state.resolved
        if offset > state.membership_frozen_at:
            state.record_alert_time(now)
            if not repeat:
                state.add_member(alert)
        due = min(due, self._trigger(state, alert, now))
        _add_evidence(state, alert, offset, distinct=distinct)
        return due, True

    def repeat(self, state: State, alert: Alert, offset: int, now: int) -> bool:
        """Fold an unchanged repeat of a firing member, as most alerts are; False (and no change) for any other.

        The result is that of `join`, at a fraction of its cost.
        """
        if (
            state.lifecycle is _OPEN
            and alert.firing
            and state.firing.get(alert.member) == alert.starts_at
            and alert.name in state.alert_names
            and alert.severity.rank <= state.severity
            and (alert.service in state.services or not alert.service)
            and offset > state.membership_frozen_at
        ):
            state.count_repeat(alert.name, offset, now)
            return True
        return False

    def may_trigger(self, state: State, alert: Alert) -> bool:
        """Whether `alert` could need a revision; never False where `join` returns a due time.

        Only then the state before a record must be kept. Evaluated on that state, it holds for all alerts of the
        record: names, services and severity only grow, and only stream time closes.
        """
        return alert.firing and (
            state.lifecycle is not _OPEN
            or alert.severity.rank > state.severity
            or state.is_new_name(alert.name)
            or state.is_new_service(alert.service)
        )

    def revision_interval(self, state: State) -> int:
        """Return the least time between two revisions: doubled with each, so that new names cannot buy LLM calls."""
        doublings = min(max(state.revision, 1) - 1, 32)
        return min(self.timers.max_interval, self.timers.group_interval << doublings)

    def close_time(self, state: State) -> int:
        """Return when stream time closes the open incident if no further alert joins."""
        return min(state.last_alert_at + self.timers.max_silence, state.hold_end)

    def end_status(self, state: State, at: int) -> IncidentStatus:
        """Return the status of an incident that ends at `at`."""
        return IncidentStatus.RESOLVED if state.hold_end <= at else IncidentStatus.ASSUMED_RESOLVED

    def _trigger(self, state: State, alert: Alert, now: int) -> int:
        rank = alert.severity.rank
        rise = rank > state.severity
        cancels_end = state.end_published and state.hold_end == NEVER
        if not (rise or cancels_end or state.is_new_name(alert.name) or state.is_new_service(alert.service)):
            return NEVER
        if state.end_published:
            state.cancel_end()
        urgent = rank == _CRITICAL
        wait = self.timers.group_wait_critical if urgent else self.timers.group_wait
        due = now + wait if state.revision == 0 else max(now, state.last_due + self.revision_interval(state))
        return min(due, now + self.timers.group_wait_critical) if rise and urgent else due

    def _resolve(self, state: State, alert: Alert, offset: int, now: int) -> bool:
        if not state.is_open:
            return False
        if offset > state.membership_frozen_at:
            state.record_alert_time(now)
            starts = state.firing.get(alert.member)
            if starts is not None and _ends(alert, starts):
                state.resolve_member(alert.member)
                if not state.firing and not state.overflow:
                    state.start_hold(now + self.timers.resolve_hold)
        state.count_alert(alert, offset)
        return True

    def _reopens(self, state: State, now: int, *, repeat: bool) -> bool:
        return repeat and state.status is IncidentStatus.ASSUMED_RESOLVED and now < state.last_alert_at + self.retention

    def _reopen(self, state: State, alert: Alert, now: int) -> int:
        state.reopen(alert.member, alert.starts_at)
        return max(now, state.last_due + self.revision_interval(state))

    def _open(self, state: State, alert: Alert, offset: int, timestamp: int) -> None:
        new_id = incident_id(self.topic, self.partition, offset, timestamp, state.group_key)
        previous = [entry.incident_id for entry in state.lineage if entry.opened_offset < offset]
        state.begin(new_id, offset, timestamp, previous[-1] if previous else "")
        state.set_origin(alert.subject, alert.namespace, alert.service)
        if state.lineage_entry(offset) is None:
            state.record_in_lineage(LineageRecord(new_id, offset, timestamp, None, IncidentStatus.FIRING))


def _is_repeat(state: State, alert: Alert) -> bool:
    """Whether a firing alert is an unchanged repeat of a member.

    With the startsAt of a resolved member it is a late repeat, too; without a startsAt it fires again.
    """
    starts = state.firing.get(alert.member)
    if starts is None:
        starts = state.resolved.get(alert.member)
        return bool(starts) and starts == alert.starts_at
    return starts == alert.starts_at


def _ends(alert: Alert, starts: int) -> bool:
    """Whether a resolved alert ends the member that fires since `starts`, and not an earlier firing of it.

    Real Alertmanagers resolve with a startsAt other than the one they fired with, so the end counts as well.
    """
    return not alert.starts_at or not starts or alert.starts_at >= starts or alert.ends_at >= starts


def _add_evidence(state: State, alert: Alert, offset: int, *, distinct: bool) -> None:
    seen = state.alert_names.get(alert.name, 0)
    more_severe = alert.severity.rank > state.severity >= 0
    wanted = more_severe or not seen or (distinct and seen < _EXEMPLARS_PER_NAME)
    if wanted and state.has_room_for_exemplar(alert.severity.rank):
        state.add_exemplar(exemplar(alert))
    state.add_evidence(alert, offset, distinct=distinct)
