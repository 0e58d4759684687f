"""One alert as the fold sees it: decoded, normalised, identified."""

from dataclasses import dataclass, field

from openclaw_stream.alerts.subject import NO_SUBJECT, Subject
from openclaw_stream.vocabulary import Severity


@dataclass(slots=True)
class Alert:
    """A normalised alert; whatever format it came in.

    `starts_at` and `ends_at` are epoch milliseconds, 0 where the alert gave none (or an absurd one).
    `fingerprint` is the alert's own, else derived from its identity labels; never empty.
    `member` is the fingerprint as an unsigned 64-bit hash, equal in every process.
    `group_key` names the incident scope within a partition; `subject` is what the alert is about.
    `warnings` say what of it was ignored. `is_heartbeat` marks the end or the return of a heartbeat.
    Texts are as received: not yet capped, not yet redacted.
    Not frozen: a frozen dataclass costs twice the time to make, and this one is made for every alert.
    """

    name: str
    severity: Severity
    firing: bool
    starts_at: int
    ends_at: int
    fingerprint: str
    member: int
    group_key: str
    subject: Subject = NO_SUBJECT
    namespace: str = ""
    service: str = ""
    source: str = ""
    target_resource: str = ""
    message: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    generator_url: str = ""
    warnings: tuple[str, ...] = ()
    is_heartbeat: bool = False
