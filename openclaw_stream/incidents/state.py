"""What the fold knows of one group: its current or last incident, and the lineage of those before."""

from typing import NamedTuple, Self

from openclaw_stream.vocabulary import IncidentStatus

NEVER = 1 << 62
"""A time later than any timestamp."""

UNKNOWN = -1
"""A stream time that no record has told yet, or an offset that does not exist."""

MEMBERS_MAX = 1024
NAMES_MAX = 64
SERVICES_MAX = 16
LINEAGE_MAX = 16


class Episode(NamedTuple):
    """One incident in the lineage of its group.

    `closed_offset` is the first offset at which stream time has closed it, None while it is open.
    """

    incident_id: str
    opened_offset: int
    opened_at: int
    closed_offset: int | None
    status: IncidentStatus


class State:
    """One group, as of `through`; times are epoch milliseconds of stream time, offsets those of the partition.

    The fields fall into three: what settles offsets (`through` …), the lineage, and the incident itself. Of the
    incident, members and timers say whether it is open; the rest is evidence. `firing` and `resolved` map a member's
    64-bit fingerprint hash to its startsAt. Exemplars are kept as redacted JSON: a state is written far more often
    than its exemplars are read.
    """

    __slots__ = (
        "alert_count",
        "distinct",
        "early",
        "exemplars",
        "firing",
        "first_offset",
        "flaps",
        "frozen",
        "group_key",
        "hold_end",
        "incident_id",
        "last_alert_at",
        "last_due",
        "last_offset",
        "lineage",
        "names",
        "namespace",
        "open",
        "opened_at",
        "opened_offset",
        "others",
        "overflow",
        "previous_id",
        "replayed_through",
        "resolved",
        "revision",
        "service",
        "services",
        "severity",
        "status",
        "through",
        "traceparent",
        "version",
    )

    def __init__(self, group_key: str) -> None:
        self.group_key = group_key
        self.through = UNKNOWN
        """Highest settled offset of the group."""
        self.replayed_through = UNKNOWN
        """Highest `through` of earlier generations."""
        self.frozen = UNKNOWN
        """Members and timers are as of this offset; re-reading up to it adds evidence only."""
        self.version = 0
        """Counts changes, so that an unchanged state is not written again."""
        self.lineage: tuple[Episode, ...] = ()
        self.open = False
        self.revision = 0
        self.begin("", UNKNOWN, UNKNOWN, "")

    def begin(self, incident_id: str, opened_offset: int, opened_at: int, previous_id: str) -> None:
        """Start an incident with empty evidence; what belongs to the group stays."""
        self.incident_id = incident_id
        self.opened_offset = opened_offset
        self.opened_at = opened_at
        self.previous_id = previous_id
        self.open = bool(incident_id)
        self.status = IncidentStatus.FIRING
        self.revision = 0
        self.last_due = 0
        self.firing: dict[int, int] = {}
        self.resolved: dict[int, int] = {}
        self.overflow = False
        self.hold_end = NEVER
        self.last_alert_at = UNKNOWN
        self.early = False
        """A tick has published the end of an incident that stream time has not closed yet."""
        self.severity = -1
        self.names: dict[str, int] = {}
        self.others = 0
        self.services: tuple[str, ...] = ()
        self.exemplars: tuple[bytes, ...] = ()
        self.alert_count = 0
        self.distinct = 0
        self.flaps = 0
        self.first_offset = UNKNOWN
        self.last_offset = UNKNOWN
        self.namespace = ""
        self.service = ""
        self.traceparent = ""

    def copy(self) -> Self:
        """Return an independent copy; what is immutable is shared."""
        twin = object.__new__(type(self))
        for name in self.__slots__:
            setattr(twin, name, getattr(self, name))
        twin.firing = self.firing.copy()
        twin.resolved = self.resolved.copy()
        twin.names = self.names.copy()
        return twin

    @property
    def over(self) -> bool:
        """Whether its incident can never go on: a silent one may reopen, a resolved one does not."""
        return not self.open and self.status is IncidentStatus.RESOLVED

    def shed(self) -> None:
        """Let go of members and evidence, which nobody asks an incident for that is over."""
        self.firing, self.resolved, self.names = {}, {}, {}
        self.services, self.exemplars = (), ()

    @property
    def weight(self) -> int:
        """Roughly the bytes a copy of this state takes."""
        members = len(self.firing) + len(self.resolved)
        exemplars = sum(map(len, self.exemplars))
        return 1024 + 112 * members + 96 * len(self.names) + 160 * len(self.lineage) + exemplars

    def episode(self, opened_offset: int) -> Episode | None:
        """Return the lineage's entry of the incident opened at this offset."""
        for episode in self.lineage:
            if episode.opened_offset == opened_offset:
                return episode
        return None

    def record(self, episode: Episode) -> None:
        """Put an entry into the lineage in its place, replacing the one of the same opening; the oldest fall out."""
        others = [e for e in self.lineage if e.opened_offset != episode.opened_offset]
        others.append(episode)
        self.lineage = tuple(sorted(others, key=lambda e: e.opened_offset)[-LINEAGE_MAX:])
