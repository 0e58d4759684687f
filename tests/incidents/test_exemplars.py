"""Alerts as they are stored: capped, redacted, and read again, also those of earlier versions."""

import sys
import tracemalloc
from typing import Any

import orjson

from openclaw_stream.alerts.alert import Alert
from openclaw_stream.alerts.resource_names import member_of
from openclaw_stream.incidents.case import Exemplar
from openclaw_stream.incidents.exemplars import exemplar, exemplar_from
from openclaw_stream.vocabulary import Severity


def stored(**fields: Any) -> Exemplar:
    given: dict[str, Any] = {"severity": Severity.HIGH, "firing": True, "starts_at": 0, "ends_at": 0}
    alert = Alert("A", **given, fingerprint="f", member=(1 << 64) - 1, group_key="g", **fields)
    return exemplar_from(exemplar(alert))


def test_an_alert_without_texts_takes_little_space() -> None:
    alert = Alert("A", Severity.HIGH, True, 0, 0, "f", 7, "g")  # noqa: FBT003 - by position
    assert orjson.loads(exemplar(alert)) == {"name": "A", "severity": "high", "member": 7, "fingerprint": "f"}
    assert exemplar_from(exemplar(alert)) == Exemplar("A", Severity.HIGH, "f", member=7)


def test_a_stored_alert_holds_no_more_memory_than_its_bytes() -> None:
    alert = Alert("A", Severity.HIGH, True, 0, 0, "f", 7, "g", message="m" * 400)  # noqa: FBT003 - by position
    size = sys.getsizeof(exemplar(alert))
    tracemalloc.start()
    try:
        kept = [exemplar(alert) for _ in range(500)]
        allocated, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert allocated < 1.3 * size * len(kept)


def test_of_many_annotations_texts_and_links_are_kept() -> None:
    others = {f"note{number}": "n" for number in range(20)}
    telling = {
        "Summary": "s",
        "description": "d",
        "runbook_url": "https://r.example/a",
        "dashboardURL": "https://g.example/d",
    }
    kept = stored(annotations=others | telling)
    assert set(telling) < set(kept.annotations)
    assert (len(kept.annotations), kept.annotations_left_out) == (8, 16)
    assert list(kept.annotations)[:4] == ["note0", "note1", "note2", "note3"], "in their order"


def test_labels_beyond_the_limit_are_counted() -> None:
    kept = stored(labels={f"l{number}": "x" for number in range(40)})
    assert (len(kept.labels), kept.labels_left_out) == (32, 8)


def test_a_long_link_is_kept_whole_and_a_long_text_is_cut() -> None:
    link = "https://prometheus.example.org/graph?g0.expr=" + "a" * 700
    kept = stored(generator_url=link, annotations={"runbook_url": link, "summary": "s" * 600})
    assert kept.generator_url == kept.annotations["runbook_url"] == link
    assert len(kept.annotations["summary"]) == 500


def test_the_name_of_a_runbook_stays_an_annotation() -> None:
    assert stored(annotations={"runbook": "CrashLoop.md"}).annotations == {"runbook": "CrashLoop.md"}


def test_an_exemplar_of_an_earlier_version_is_read() -> None:
    """It has every field, also empty ones, no hash of its fingerprint and no counts."""
    old = b"""{"name": "A", "severity": "high", "fingerprint": "f", "source": "", "namespace": "shop", "service": "",
        "target_resource": "", "message": "m", "labels": {"a": "b"}, "annotations": {}, "metrics": {"m": 1.5},
        "starts_at": 5, "generator_url": "http://prometheus:9090/graph"}"""
    read = exemplar_from(old)
    assert (read.name, read.severity, read.labels, read.starts_at) == ("A", Severity.HIGH, {"a": "b"}, 5)
    assert (read.member, read.labels_left_out, read.warnings) == (member_of("f"), 0, ())


def test_what_a_later_version_adds_is_ignored() -> None:
    read = exemplar_from(b'{"name": "A", "severity": "high", "member": 7, "added": {"by": "a later version"}}')
    assert read == Exemplar("A", Severity.HIGH, member=7)
