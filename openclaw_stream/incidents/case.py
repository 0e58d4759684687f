"""The input of a decision: one revision of one incident, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openclaw_stream.alerts.subject import NO_SUBJECT, Subject
from openclaw_stream.vocabulary import Responsibility, Severity

TEAM_NAME_MAX = 80
"""Characters of the name of a team that owns a subject."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """An alert shown as an example of its incident; capped in size and redacted.

    `starts_at` is in epoch milliseconds, 0 where the alert gave none. `member` is the hash of its fingerprint in the
    state of its group. The counts say how many more labels and annotations the alert has.
    """

    name: str
    severity: Severity
    fingerprint: str = ""
    source: str = ""
    namespace: str = ""
    service: str = ""
    target_resource: str = ""
    message: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    starts_at: int = 0
    generator_url: str = ""
    warnings: tuple[str, ...] = ()
    member: int = 0
    labels_left_out: int = 0
    annotations_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Owner:
    """The team that owns the subject of an incident, by the operator's file of owners or a label of the alerts.

    `matched_by` names the entry of the file, or the label. `responsibility` is None where only the team's name is
    known. `label` is the label's name where a label names the owner. All texts are safe to display.
    """

    team: str
    matched_by: str
    responsibility: Responsibility | None = None
    contact: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """The evidence of one revision; times in epoch milliseconds of stream time.

    `alert_names` counts alerts by name (capped; `other_alerts` counts those of further names), `services` are
    the distinct services seen, `exemplars` the first alerts of each name and those more severe than any before.
    `namespace` and `service` are those of the opening alert, empty where it named none. `resolved_early` is set where
    the incident ended before its first decision: rules decide it. `owner` is looked up when the revision is decided.
    `subject` is what the alerts state they are about, `grouped_by` the subject by which they are grouped, which never
    changes during an incident (None: the same).
    """

    incident_id: str
    revision: int
    group_key: str
    namespace: str
    service: str
    severity: Severity
    opened_at: int
    last_alert_at: int
    due: int
    alert_count: int
    distinct_alerts: int
    alert_names: Mapping[str, int]
    exemplars: tuple[Exemplar, ...]
    services: tuple[str, ...] = ()
    other_alerts: int = 0
    flaps: int = 0
    resolved_early: bool = False
    subject: Subject = NO_SUBJECT
    owner: Owner | None = None
    grouped_by: Subject | None = None
