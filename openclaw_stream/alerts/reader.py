"""Reads one alert object, in the native form or as Alertmanager writes it, into the alert that is folded.

It reads the parsed JSON by hand: that takes half the time of a validating model, and shows its rules in one place.
What an alert may hold is published as the schema of `AlertEvent`; a test compares the two. Only a missing name makes an
alert unreadable: an optional field of the wrong type is left out with a warning.
"""

from itertools import islice
from typing import Any

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.field_values import (
    SHOWN_MAX,
    describe_value,
    inner_text,
    metrics_of,
    named_text,
    text_of,
    texts_of,
)
from openclaw_stream.alerts.identity import MEASURED, Grouping, fingerprint_of
from openclaw_stream.alerts.matchers import Matchers
from openclaw_stream.alerts.resource_names import member_of, name_of
from openclaw_stream.alerts.severity import NONE, Severities
from openclaw_stream.alerts.status import Stated, stated
from openclaw_stream.alerts.subject import DATASOURCE_ALERTS, WORKLOAD_KINDS, subject_of
from openclaw_stream.alerts.timestamps import timestamp_of
from openclaw_stream.errors import PoisonError
from openclaw_stream.text import Hidden, safe_text
from openclaw_stream.vocabulary import Severity

HEARTBEATS = (
    'alertname=~"(?i)(prometheus|alertmanager|alerting|monitoring|pipeline|cluster|e2e|kube|thanos|vmalert|grafana)?'
    '[-_ ]?(watchdog|heartbeat|always[-_ ]?firing)|([a-z0-9]+[-_ ]?)?dead[-_ ]?man.?s?[-_ ]?(switch|snitch)?"'
)
"""The usual names of alerts that fire as long as all is well."""

SILENT_PIPELINE = "AlertingPipelineSilent"
"""The alert that a heartbeat becomes when it ends."""

_INHIBITORS = frozenset(("InfoInhibitor",))
_SEVERITY_FIELDS = ("priority", "level", "urgency")
_SEVERITY_LABELS = (
    "severity",
    "alertseverity",
    "severitylevel",
    "severitytext",
    "sev",
    "priority",
    "urgency",
    "level",
    "threshold.name",
    "thresholdname",
)
_SCALES = {"sev": "sev", "priority": "priority"}
"""Fields whose bare numbers are on a scale."""

_MATCHED_FIELDS = ("namespace", "service", "severity", "source", "target_resource")
_STATUS_FIELDS = ("status", "state", "Status", "State")
_NAMES_MAX = 4096
_KEYS_SHOWN = 8


class SkippedAlertError(Exception):
    """An alert that opens and changes nothing; the message is the reason, one of a few words, for the metric."""


class AlertReader:
    """Reads alerts as the settings say; created once for a worker.

    Args:
        grouping: Which alerts make one incident.
        severities: The words for severities.
        ignore: Alerts that are counted and never folded.
        heartbeats: Alerts that fire as long as all is well: their end is the incident.
    """

    def __init__(
        self,
        grouping: Grouping | None = None,
        severities: Severities | None = None,
        ignore: Matchers | None = None,
        heartbeats: Matchers | None = None,
    ) -> None:
        self.grouping = grouping or Grouping()
        self._severities = severities or Severities()
        self._known_severities = self._severities.known
        self._ignore = ignore or Matchers()
        self._heartbeats = Matchers(HEARTBEATS) if heartbeats is None else heartbeats
        # The names of alerts are few, and a regular expression costs as much as all other reading of an alert.
        self._by_name = self._ignore.only_names and self._heartbeats.only_names
        self._plain_names: dict[str, str] = {}

    def read(self, document: dict[str, Any], timestamp: int, warnings: list[str]) -> Alert:
        """Return the alert of a JSON object; append to `warnings` what of it was ignored.

        `timestamp` is the record's, in epoch milliseconds. A field takes precedence over the label of that name.

        Raises:
            PoisonError: It has no name.
            SkippedAlertError: It is none that an incident is made of: pending, suppressed, ignored, no problem.
        """
        known_warnings = len(warnings)
        labels = texts_of(values, "labels", warnings) if (values := document.get("labels")) is not None else {}
        written = document.get("alert_type") or labels.get("alertname")
        name = self._plain_names.get(written, "") if type(written) is str else ""
        is_heartbeat = False
        if not name:
            name = name_of(_name(document, labels))
            is_heartbeat = self._is_heartbeat(name, document, labels)
        if is_heartbeat:  # most have the severity none
            document = {**document, "severity": Severity.CRITICAL.value}
        elif name in DATASOURCE_ALERTS:
            message = document.get("message") or _failed_query(labels)
            document = {**document, "service": "", "target_resource": "", "message": message}
        alert = self._read(document, name, labels, timestamp, warnings)
        if len(warnings) > known_warnings:
            alert.warnings = tuple(warnings[known_warnings:])
        return self._inverted(alert) if is_heartbeat else alert

    def _read(
        self, document: dict[str, Any], name: str, labels: dict[str, str], timestamp: int, warnings: list[str]
    ) -> Alert:
        get = document.get
        # Written out for each field: a call for each would cost a third of the whole.
        target = get("target_resource", "")
        target = target if type(target) is str else named_text(target, "target_resource", warnings)
        source = text if type(text := get("source", "")) is str else text_of(text, "source", warnings)
        namespace = text if type(text := get("namespace", "")) is str else named_text(text, "namespace", warnings)
        service = text if type(text := get("service", "")) is str else named_text(text, "service", warnings)
        url = get("generator_url") or get("generatorURL") or ""
        target = target or labels.get("target_resource", "")
        source = source or labels.get("source", "")
        namespace, subject = subject_of(name, namespace, service, target, labels)
        service = subject.name if subject.kind in WORKLOAD_KINDS else ""
        end = get("ends_at") or get("endsAt")
        ends_at = _timestamp(end, "ends_at", timestamp, warnings) if end else 0
        fingerprint = _fingerprint(text, labels, warnings) if (text := get("fingerprint")) else ""
        if not fingerprint:
            fingerprint = fingerprint_of((name, source, namespace, service), target, labels)
        # By position, in the order of the fields: by name it takes three times as long.
        return Alert(
            name,
            (self._known_severities.get(text) if type(text := get("severity")) is str else None)
            or self._severity(document, labels, warnings),
            get("status") == "firing" or _is_firing(document, ends_at, timestamp, warnings),
            _timestamp(get("starts_at") or get("startsAt") or get("activeAt"), "starts_at", timestamp, warnings),
            ends_at,
            fingerprint,
            member_of(fingerprint),
            self.grouping.key(name, subject, labels),
            subject,
            namespace,
            service,
            source,
            target,
            text if type(text := get("message", "")) is str else text_of(text, "message", warnings),
            labels,
            texts_of(values, "annotations", warnings) if (values := get("annotations")) is not None else {},
            metrics_of(values, warnings) if (values := get("metrics")) is not None else {},
            url if type(url) is str else text_of(url, "generator_url", warnings),
        )

    def _is_heartbeat(self, name: str, document: dict[str, Any], labels: dict[str, str]) -> bool:
        """Return whether it is a heartbeat; raise where it is not to be folded at all."""
        if name in _INHIBITORS:
            raise SkippedAlertError("inhibitor")
        if not self._by_name:
            labels = _with_fields(document, labels)
        if self._ignore.match(labels, name):
            raise SkippedAlertError("ignored")
        if self._heartbeats.match(labels, name):
            return True
        if self._by_name and name not in DATASOURCE_ALERTS and len(self._plain_names) < _NAMES_MAX:
            self._plain_names[name] = name
        return False

    def _inverted(self, heartbeat: Alert) -> Alert:
        """Return the alert that a heartbeat stands for: it fires when the heartbeat ends, and ends when it is back."""
        subject = heartbeat.subject._replace(kind="alert", name=SILENT_PIPELINE)
        return Alert(
            SILENT_PIPELINE,
            Severity.CRITICAL,
            not heartbeat.firing,
            heartbeat.ends_at if not heartbeat.firing else 0,
            0,
            heartbeat.fingerprint,
            heartbeat.member,
            self.grouping.key(SILENT_PIPELINE, subject, heartbeat.labels),
            subject,
            heartbeat.namespace,
            "",
            heartbeat.source,
            "",
            f"The alerting pipeline is silent: heartbeat {heartbeat.name} has ended, so other alerts may be missing.",
            heartbeat.labels,
            heartbeat.annotations,
            {},
            heartbeat.generator_url,
            is_heartbeat=True,
        )

    def _severity(self, document: dict[str, Any], labels: dict[str, str], warnings: list[str]) -> Severity:
        value = document.get("severity") or labels.get("severity")
        if type(value) is str and (severity := self._known_severities.get(value)):
            return severity
        unknown: list[object] = []
        for field, stated_value in _severities_of(document, labels):
            text = inner_text(stated_value, ("name", "value", "level"))
            if text is None:
                unknown.append(stated_value)
                continue
            if text.strip().lower() == NONE and self._severities.read(text) is None:
                raise SkippedAlertError("severity_none")
            scaled = f"{_SCALES[field]} {text}" if field in _SCALES and text.isdigit() else text
            if severity := self._severities.read(scaled):
                return severity
            unknown.append(text)
        if unknown:
            described = describe_value(unknown[0])
            warnings.append(f"severity: {described} is not known; taken as warning (see OPENCLAW_SEVERITIES)")
        return Severity.WARNING


def _severities_of(document: dict[str, Any], labels: dict[str, str]) -> list[tuple[str, object]]:
    """Return what an alert says of its severity, field or label first; names in any case, without separators."""
    fields: list[tuple[str, object]] = [(field, document.get(field)) for field in ("severity", "Severity")]
    known = {label.lower().replace("_", "").replace("-", ""): text for label, text in labels.items()}
    fields += [(label, known.get(label)) for label in _SEVERITY_LABELS]
    fields += [(field, document.get(field)) for field in _SEVERITY_FIELDS]
    return [(field, value) for field, value in fields if value is not None and value != ""]


def _with_fields(document: dict[str, Any], labels: dict[str, str]) -> dict[str, str]:
    """Return the labels as matchers see them: a field of the alert counts as the label of that name."""
    fields = {field: document.get(field) for field in _MATCHED_FIELDS}
    return labels | {field: text for field, text in fields.items() if type(text) is str and text}


def no_alert(document: dict[str, Any]) -> str:
    """Return why an object is no alert, with its first keys."""
    shown_keys = (safe_text(key, SHOWN_MAX, hidden=Hidden.ESCAPE) for key in islice(document, _KEYS_SHOWN))
    keys = ", ".join(shown_keys) or "none"
    return f"no alert: no alert_type, alertname, alert_name or label alertname (keys: {keys})"


def _name(document: dict[str, Any], labels: dict[str, str]) -> str:
    for field in ("alert_type", "alertname", "alert_name"):
        value = document.get(field)
        if type(value) is str and (name := value.strip()):
            return name
    own_labels = document.get("labels")
    if (name := labels.get("alertname", "").strip()) and (
        type(own_labels) is not dict or type(own_labels["alertname"]) is str
    ):
        return name
    raise PoisonError(no_alert(document))


def _failed_query(labels: dict[str, str]) -> str:
    """Return what an alert of Grafana's means that has the labels of its rule but says nothing about it."""
    rule, datasource = labels.get("rulename", "unknown"), labels.get("datasource_uid", "unknown")
    return f"Grafana could not evaluate the rule {rule}: the query of data source {datasource} failed or found no data."


def _fingerprint(value: object, labels: dict[str, str], warnings: list[str]) -> str:
    """Return the sender's fingerprint, empty where there is none or it changes with a measured value."""
    fingerprint = (value if isinstance(value, str) else text_of(value, "fingerprint", warnings)).strip()
    return fingerprint if MEASURED.isdisjoint(labels) else ""


def _is_firing(document: dict[str, Any], ends_at: int, timestamp: int, warnings: list[str]) -> bool:
    if not ("status" in document or "state" in document or "Status" in document or "State" in document):
        return not 0 < ends_at <= timestamp
    for field in _STATUS_FIELDS:
        value = document.get(field)
        if value is None or value == "":
            continue
        text = inner_text(value, ("state", "status", "name", "value"))
        word = stated(text) if text else None
        if word is Stated.PENDING or word is Stated.SUPPRESSED:
            raise SkippedAlertError(word.value)
        if word is None:
            warnings.append(f"{field}: {describe_value(value)} is neither firing nor resolved; taken as firing")
        return word is not Stated.RESOLVED
    return not 0 < ends_at <= timestamp


def _timestamp(value: object, field: str, timestamp: int, warnings: list[str]) -> int:
    if not value:
        return 0
    try:
        return timestamp_of(value, timestamp)
    except (ValueError, OverflowError) as error:
        warnings.append(f"{field}: {describe_value(value, field)} ignored: {error}")
        return 0
