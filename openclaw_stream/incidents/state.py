"""The state of one group: its current or last incident, and the lineage of those before."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.subject import NO_SUBJECT, Subject
from openclaw_stream.incidents.lifecycle import Lifecycle
from openclaw_stream.vocabulary import SEVERITIES, IncidentStatus

NEVER = 1 << 62
"""A time later than any timestamp."""

UNKNOWN = -1
"""A stream time before the first record, or an offset that does not exist."""

MEMBERS_MAX = 1024
NAMES_MAX = 64
SERVICES_MAX = 16
LINEAGE_MAX = 16
_EXEMPLARS_MAX = 16

_OPEN, _END_PUBLISHED = Lifecycle.OPEN, Lifecycle.END_PUBLISHED


class LineageRecord(NamedTuple):
    """One incident in the lineage of its group.

    `closed_offset` is the first offset at which stream time has closed it, None while it is open.
    """

    incident_id: str
    opened_offset: int
    opened_at: int
    closed_offset: int | None
    status: IncidentStatus


class State:
    """One group, as of offset `through`; times are epoch milliseconds of stream time, offsets those of the partition.

    The fields are of three kinds: offsets (`through` …), the lineage, and the incident itself. Of the incident,
    members and timers decide whether it is open; the rest is evidence. `firing` and `resolved` map a member's 64-bit
    fingerprint hash to its startsAt, `severity` is a rank (-1 without alerts). Exemplars are redacted JSON: a state is
    written far more often than its exemplars are read.

    Only the methods of this class change the fields.
    """

    __slots__ = (
        "alert_count",
        "alert_names",
        "distinct_alerts",
        "exemplars",
        "firing",
        "first_offset",
        "flaps",
        "group_key",
        "hold_end",
        "incident_id",
        "last_alert_at",
        "last_due",
        "last_offset",
        "lifecycle",
        "lineage",
        "membership_frozen_at",
        "namespace",
        "opened_at",
        "opened_offset",
        "other_alerts",
        "overflow",
        "previous_incident_id",
        "replayed_through",
        "resolved",
        "revision",
        "service",
        "services",
        "severity",
        "status",
        "subject",
        "through",
        "traceparent",
        "version",
    )

    def __init__(
        self,
        group_key: str,
        *,
        through: int = UNKNOWN,
        replayed_through: int = UNKNOWN,
        lineage: tuple[LineageRecord, ...] = (),
    ) -> None:
        self.group_key = group_key
        self.through = through
        """Highest settled offset of the group."""
        self.replayed_through = replayed_through
        """Highest `through` of earlier generations."""
        self.membership_frozen_at = UNKNOWN
        """Members and timers are as of this offset; re-reading up to it adds evidence only."""
        self.version = 0
        """Counts changes, so that an unchanged state is not written again."""
        self.lineage = lineage
        self.lifecycle = Lifecycle.NONE
        self._reset_incident("", UNKNOWN, UNKNOWN, "")

    def _reset_incident(self, incident_id: str, opened_offset: int, opened_at: int, previous_incident_id: str) -> None:
        self.incident_id = incident_id
        self.opened_offset = opened_offset
        self.opened_at = opened_at
        self.previous_incident_id = previous_incident_id
        self.status = IncidentStatus.FIRING
        self.revision = 0
        self.last_due = 0
        self.firing: dict[int, int] = {}
        self.resolved: dict[int, int] = {}
        self.overflow = False
        self.hold_end = NEVER
        self.last_alert_at = UNKNOWN
        self.severity = -1
        self.alert_names: dict[str, int] = {}
        self.other_alerts = 0
        self.services: tuple[str, ...] = ()
        self.exemplars: tuple[bytes, ...] = ()
        self.alert_count = 0
        self.distinct_alerts = 0
        self.flaps = 0
        self.first_offset = UNKNOWN
        self.last_offset = UNKNOWN
        self.namespace = ""
        self.service = ""
        self.subject = NO_SUBJECT
        self.traceparent = ""

    @classmethod
    def from_fields(cls, group_key: str, fields: Mapping[str, Any]) -> Self:
        """Return a state with these fields; the others are those of a group without an incident."""
        state = cls(group_key)
        for name, value in fields.items():
            setattr(state, name, value)
        return state

    def copy(self) -> Self:
        """Return an independent copy; what is immutable is shared."""
        twin = object.__new__(type(self))
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.firing = self.firing.copy()
        twin.resolved = self.resolved.copy()
        twin.alert_names = self.alert_names.copy()
        return twin

    @property
    def weight(self) -> int:
        """Approximate size of a copy in bytes."""
        members = len(self.firing) + len(self.resolved)
        exemplars = sum(map(len, self.exemplars))
        return 1024 + 112 * members + 96 * len(self.alert_names) + 160 * len(self.lineage) + exemplars

    # ---- the life of the incident

    @property
    def is_open(self) -> bool:
        """Whether alerts may join: stream time has not closed it, though its end may be published."""
        lifecycle = self.lifecycle
        return lifecycle is _OPEN or lifecycle is _END_PUBLISHED

    @property
    def end_published(self) -> bool:
        """Whether a tick has published the end of an incident that stream time has not closed yet."""
        return self.lifecycle is _END_PUBLISHED

    @property
    def is_final(self) -> bool:
        """Whether the incident can never continue: one that was assumed resolved may reopen, a resolved one not."""
        return not self.is_open and self.status is IncidentStatus.RESOLVED

    def begin(self, incident_id: str, opened_offset: int, opened_at: int, previous_incident_id: str) -> None:
        """Open an incident with empty evidence; what belongs to the group stays."""
        self._enter(Lifecycle.OPEN)
        self._reset_incident(incident_id, opened_offset, opened_at, previous_incident_id)

    def set_origin(self, subject: Subject, namespace: str, service: str) -> None:
        """Set what the opening alert is about, and its own namespace and service."""
        self.subject, self.namespace, self.service = subject, namespace, service

    def set_traceparent(self, traceparent: str) -> None:
        """Set the trace context of the record that opened the incident; empty for none."""
        self.traceparent = traceparent

    def reopen(self, member: int, starts_at: int) -> None:
        """Open the closed incident again, with a firing member."""
        self._enter(Lifecycle.OPEN)
        self.hold_end, self.status = NEVER, IncidentStatus.FIRING
        self.resolved.pop(member, None)
        self.firing[member] = starts_at
        entry = self.lineage_entry(self.opened_offset)
        if entry:
            self.record_in_lineage(entry._replace(closed_offset=None, status=IncidentStatus.FIRING))

    def publish_end(self, status: IncidentStatus) -> None:
        """Note that the end is published before stream time has closed the incident."""
        self._enter(Lifecycle.END_PUBLISHED)
        self.status = status
        self.version += 1

    def cancel_end(self) -> None:
        """Continue the incident after its end was published."""
        self._enter(Lifecycle.OPEN)
        self.status = IncidentStatus.FIRING

    def close(self, status: IncidentStatus, closed_offset: int | None) -> None:
        """Close the incident; `closed_offset` is the first offset at which stream time has closed it."""
        self._enter(Lifecycle.CLOSED)
        self.status = status
        self.version += 1
        entry = self.lineage_entry(self.opened_offset)
        if entry:
            self.record_in_lineage(entry._replace(closed_offset=closed_offset, status=status))

    def _enter(self, following: Lifecycle) -> None:
        if not self.lifecycle.may_become(following):
            raise ValueError(
                f"incident {self.incident_id!r} of group {self.group_key!r} cannot become {following.value!r}: "
                f"it is {self.lifecycle.value!r}"
            )
        self.lifecycle = following

    # ---- offsets and revisions

    def settle_through(self, offset: int) -> None:
        """Note that the record at `offset` is in the state: it is settled when the state is written."""
        self.through = offset
        self.version += 1

    def next_revision(self, due: int) -> None:
        """Count a revision with its due time."""
        self.revision += 1
        self.last_due = due
        self.version += 1

    def mark_changed(self) -> None:
        """Count a change by no record, so that the state is written."""
        self.version += 1

    def drop_evidence(self) -> None:
        """Drop members and evidence; nothing reads them of a final incident whose state is written."""
        self.firing, self.resolved, self.alert_names = {}, {}, {}
        self.services, self.exemplars = (), ()

    # ---- members and timers

    def record_alert_time(self, now: int) -> None:
        """Set when the last alert came: silence counts from there."""
        self.last_alert_at = now

    def start_hold(self, hold_end: int) -> None:
        """Set when the incident resolves unless a member fires before."""
        self.hold_end = hold_end

    def resolve_member(self, member: int) -> None:
        """Move a firing member to the resolved ones."""
        self.resolved[member] = self.firing.pop(member)

    def add_member(self, alert: Alert) -> None:
        """Add a firing member, which ends a hold (a flap); when there are too many, resolved members are dropped."""
        if self.hold_end != NEVER:
            self.flaps += 1
            self.hold_end = NEVER
        self.resolved.pop(alert.member, None)
        if alert.member not in self.firing and len(self.firing) + len(self.resolved) >= MEMBERS_MAX:
            if not self.resolved:
                self.overflow = True
                return
            del self.resolved[next(iter(self.resolved))]
        self.firing[alert.member] = alert.starts_at

    # ---- evidence

    def is_new_name(self, name: str) -> bool:
        """Whether an alert name is new, and there is room for it."""
        return bool(name) and name not in self.alert_names and len(self.alert_names) < NAMES_MAX

    def is_new_service(self, service: str) -> bool:
        """Whether a service is new, and there is room for it."""
        return bool(service) and service not in self.services and len(self.services) < SERVICES_MAX

    def has_room_for_exemplar(self, rank: int) -> bool:
        """Return whether an alert of this rank of severity is kept."""
        # However many alerts came before, there is a place for each that can still be more severe than all of them.
        rises_left = len(SEVERITIES) - 1 - max(self.severity, rank)
        return len(self.exemplars) < _EXEMPLARS_MAX - rises_left

    def add_exemplar(self, exemplar: bytes) -> None:
        """Keep an alert as redacted JSON."""
        self.exemplars = (*self.exemplars, exemplar)

    def add_evidence(self, alert: Alert, offset: int, *, distinct: bool) -> None:
        """Add a firing alert to the evidence, exemplars aside."""
        self.distinct_alerts += distinct
        self.severity = max(self.severity, alert.severity.rank)
        if self.is_new_service(alert.service):
            self.services = (*self.services, alert.service)
        self.count_alert(alert, offset)

    def count_alert(self, alert: Alert, offset: int) -> None:
        """Count an alert."""
        self.alert_count += 1
        self.last_offset = offset
        if self.first_offset == UNKNOWN:
            self.first_offset = offset
        # A resolved alert adds no name: it would not be new when it fires.
        if alert.name in self.alert_names or (alert.firing and len(self.alert_names) < NAMES_MAX):
            self.alert_names[alert.name] = self.alert_names.get(alert.name, 0) + 1
        else:
            self.other_alerts += 1

    def count_repeat(self, name: str, offset: int, now: int) -> None:
        """Count an unchanged repeat of a firing member with a known name."""
        self.last_alert_at = now
        self.last_offset = offset
        self.alert_count += 1
        self.alert_names[name] += 1

    # ---- lineage, resets and replays

    def lineage_entry(self, opened_offset: int) -> LineageRecord | None:
        """Return the entry of the incident opened at this offset."""
        for entry in self.lineage:
            if entry.opened_offset == opened_offset:
                return entry
        return None

    def record_in_lineage(self, entry: LineageRecord) -> None:
        """Insert an entry in order of opening, replacing that of the same opening; the oldest are dropped."""
        others = [e for e in self.lineage if e.opened_offset != entry.opened_offset]
        others.append(entry)
        self.lineage = tuple(sorted(others, key=lambda e: e.opened_offset)[-LINEAGE_MAX:])

    def recorded_end(self, floor: int) -> LineageRecord | None:
        """Return the entry with the end of an incident that an earlier generation closed; None where timers decide.

        That is one that was open at `floor`, the offset of the reset, and that a replay closes at the same offset.
        """
        if self.opened_offset >= floor or not self.is_open:
            return None
        entry = self.lineage_entry(self.opened_offset)
        return entry if entry and entry.closed_offset is not None else None

    @property
    def is_replayed(self) -> bool:
        """Whether an earlier generation has settled all alerts of the incident."""
        return max(self.last_offset, self.opened_offset) <= self.replayed_through

    def mark_replayed(self) -> None:
        """Note that an earlier generation has settled all that is settled."""
        self.replayed_through = max(self.replayed_through, self.through)

    def before_reset(self, floor: int) -> Self:
        """Return the state of the group just before the offset `floor`, as far as the lineage gives it."""
        state = type(self)(
            self.group_key, through=floor - 1, replayed_through=self.replayed_through, lineage=self.lineage
        )
        earlier = [entry for entry in self.lineage if entry.opened_offset < floor]
        if earlier:
            previous = earlier[-2].incident_id if len(earlier) > 1 else ""
            state.restore_incident(earlier[-1], previous, floor)
            if state.opened_offset == self.opened_offset:
                state.freeze_membership(self)
        return state

    def restore_incident(self, entry: LineageRecord, previous_incident_id: str, floor: int) -> None:
        """Begin the incident of a lineage entry, without evidence, as open or closed as it was at `floor`."""
        self.begin(entry.incident_id, entry.opened_offset, entry.opened_at, previous_incident_id)
        if entry.closed_offset is not None and entry.closed_offset < floor:
            self.lifecycle, self.status = Lifecycle.CLOSED, entry.status

    def freeze_membership(self, later: "State") -> None:
        """Set members and timers from a later state of the same incident, until re-reading has passed that state."""
        self.firing, self.resolved = later.firing.copy(), later.resolved.copy()
        self.distinct_alerts = len(self.firing) + len(self.resolved)
        self.hold_end, self.last_alert_at, self.overflow = later.hold_end, later.last_alert_at, later.overflow
        self.membership_frozen_at = max(later.membership_frozen_at, later.through)
        self.set_origin(later.subject, later.namespace, later.service)
