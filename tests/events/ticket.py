"""A ticket rendered from one event alone, as a ticketing consumer may do it."""

from collections.abc import Iterator
from typing import Any

_WORDS = {
    "en": {
        "where": "Where",
        "since": "Since",
        "severity": "Severity",
        "team": "Team",
        "more_teams": "may need",
        "owner": "Owner",
        "confidence": "confidence",
        "ended": "Ended",
        "command": "Command (not executed)",
        "reason": "Reason",
        "risk": "Risk",
        "pods": "pods affected",
        "alerts": "Alerts",
        "more": "more alerts are not shown",
        "links": "Links",
        "colon": ": ",
    },
    "zh-TW": {
        "where": "位置",
        "since": "開始時間",
        "severity": "嚴重性",
        "team": "負責團隊",
        "more_teams": "可能需要",
        "owner": "所屬團隊",
        "confidence": "信心",
        "ended": "結束",
        "command": "指令（未執行）",
        "reason": "理由",
        "risk": "風險",
        "pods": "個 Pod 受影響",
        "alerts": "告警",
        "more": "則告警未列出",
        "links": "連結",
        "colon": "：",
    },
}
_LINKS = ("runbook_url", "dashboard_url", "panel_url", "generator_url")


def render(event: dict[str, Any]) -> str:
    """Return a decision or resolution in JSON types as the text of a ticket, in the language of its texts."""
    words = _WORDS.get(event["provenance"]["language"], _WORDS["en"])
    return "\n".join(line for line in (*_head(event, words), *_command(event, words), *_alerts(event, words)) if line)


def _head(event: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    incident, decision, resolution = event["incident"], event["decision"], event["resolution"]
    yield decision["action_title"]
    if resolution:
        minutes = resolution["duration_s"] // 60
        yield f"{words['ended']}{words['colon']}{resolution['ended_at']} ({minutes} min) {resolution['text']}"
    yield decision["description"]
    subject = incident["subject"]
    place = "/".join(filter(None, (subject["namespace"], subject["kind"], subject["name"])))
    yield f"{words['where']}{words['colon']}{place}"
    yield f"{words['since']}{words['colon']}{incident['opened_at']}"
    yield f"{words['severity']}{words['colon']}{incident['severity']} ({incident['status']})"
    others = ", ".join(decision["secondary_teams"])
    team = f"{decision['primary_responsibility']} ({words['confidence']} {event['confidence']['final']:.0%})"
    yield f"{words['team']}{words['colon']}{team}" + (f", {words['more_teams']} {others}" if others else "")
    if owner := event["owner"]:
        yield f"{words['owner']}{words['colon']}{', '.join(filter(None, (owner['team'], owner['contact'])))}"


def _command(event: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    decision = event["decision"]
    if decision["kubectl_command"]:
        pods = f"{decision['blast_radius']['affected_pods']} {words['pods']}"
        yield f"{words['command']}{words['colon']}{decision['kubectl_command']}"
        yield f"{words['reason']}{words['colon']}{decision['command_reason']}"
        yield f"{words['risk']}{words['colon']}{decision['risk_level']}, {pods}"


def _alerts(event: dict[str, Any], words: dict[str, str]) -> Iterator[str]:
    evidence, left_out = event["incident"]["evidence"], event["incident"]["evidence_left_out"]
    yield f"{words['alerts']}{words['colon']}".rstrip()
    for alert in evidence:
        text = alert["summary"] or alert["message"] or alert["description"]
        labels = ", ".join(f"{name}={value}" for name, value in alert["labels"].items())
        yield f"- {alert['name']} [{alert['count']}, {alert['severity']}, {alert['status']}] {text} ({labels})"
    if left_out:
        yield f"- {left_out} {words['more']}"
    links = dict.fromkeys(alert[kind] for alert in evidence for kind in _LINKS if alert[kind])
    links |= dict.fromkeys(filter(None, [event["trace_url"]]))
    if links:
        yield f"{words['links']}{words['colon']}".rstrip()
        yield from (f"- {link}" for link in links)
