"""The normalised alert, input of the fold."""

from dataclasses import dataclass, field

from openclaw_stream.vocabulary import Severity


@dataclass(slots=True)
class Alert:
    """A normalised alert of any input format.

    `starts_at` and `ends_at` are epoch milliseconds, 0 if the alert has none or an implausible one.
    `fingerprint` is the alert's own, else derived from its identity labels; never empty.
    `member` is the fingerprint as an unsigned 64-bit hash, equal in every process.
    `group_key` identifies the incident scope within a partition. Texts are as received: not cut, not redacted.
    Not frozen: creating a frozen dataclass takes twice the time, and there is one per alert.
    """

    name: str
    severity: Severity
    firing: bool
    starts_at: int
    ends_at: int
    fingerprint: str
    member: int
    group_key: str
    namespace: str = ""
    service: str = ""
    source: str = ""
    target_resource: str = ""
    message: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    generator_url: str = ""
