"""Checks the fields of events that a person could run, independently of the code under test."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from tests.arbitration.hostile.decision_path import POD, Outcome
from tests.arbitration.oracle import is_safe

_NAME = re.compile(r"[\w*/.:@+-]*")
_EXPECTED_COMMAND = re.compile(
    rf"kubectl [a-z ]+ (?:(?:deployment|horizontalpodautoscaler)/checkout|pod/{re.escape(POD)})(?: .*)? -n shop"
)
_PROGRAMS = re.compile(
    r"kubectl|k|oc|sudo|env|(?:ba|z|da|k|fi)?sh|curl|wget|rm|dd|ssh|docker|helm|terraform|aws|gcloud|systemctl|reboot|eval"
    r"|exec|chmod|iptables|crontab|nsenter|kubeadm|etcdctl|redis-cli|cmd|powershell|cat|tee|mv|cp"
)
_LINKS = ("generator_url", "runbook_url", "dashboard_url", "panel_url")
_LINK = re.compile(r"(https?://[\w.:\[\]-]+([/?#][!#$%&()*+,./:;=?@\[\]~\w-]*)?)?", re.ASCII | re.IGNORECASE)
"""Empty, or an address without any sign that ends an attribute or begins an element or a code span."""

_HOMOGLYPHS = {"\u043a": "k", "\u0441": "c", "\u0435": "e", "\u043e": "o"}


def violations(outcome: Outcome) -> Iterator[str]:
    """Yield everything in the events of a decision that must not be there."""
    decision = outcome.decision["decision"]
    yield from _command_violations("kubectl_command", decision["kubectl_command"])
    for name in ("target_resource", "namespace"):
        if not _NAME.fullmatch(decision[name]) or decision[name].startswith("-"):
            yield f"{name}: {decision[name]!r}"
    if decision["namespace"] not in {"", "shop"}:
        yield f"namespace: {decision['namespace']!r}"
    for each in decision["optimization_suggestions"]:
        if could_be_run(each["kubectl_or_config"]):
            yield from _command_violations("kubectl_or_config", each["kubectl_or_config"])
    for event in outcome.events("tuning"):
        yield from _command_violations("command", event["command"])
        if "kubectl" in event["log"].replace(event["command"] or "\0", ""):
            yield f"log: {event['log']!r}"
        if event["executed"] or bool(event["parsed"]) is not bool(event["command"]):
            yield f"executed {event['executed']}, parsed {event['parsed']}"
    incident = outcome.decision["incident"]
    for alert in incident["evidence"]:
        yield from (f"{name}: {alert[name]!r}" for name in _LINKS if not _LINK.fullmatch(alert[name]))
    published = [
        decision,
        outcome.decision["validation"],
        outcome.decision["provenance"],
        outcome.decision["owner"],
        # The group key is a key to compare, not a text to show: names that only look alike stay different.
        {name: value for name, value in incident.items() if name != "group_key"},
    ]
    yield from (f"hidden: {text!r}" for text in _texts(published) if _has_hidden(text))


def could_be_run(text: str) -> bool:
    """Return whether a person could paste a line of the text into a shell."""
    plain = "".join(_HOMOGLYPHS.get(char, char) for char in unicodedata.normalize("NFKD", text))
    bare = "".join(char for char in plain if char.isascii() and char not in "\0'\"\\")
    if "kubectl" in bare.lower():
        return True
    parts = re.split(r"[\n;&|(){}`<>]+", bare)
    return any((words := part.strip(" \t$#>*-").split()) and _PROGRAMS.fullmatch(words[0]) for part in parts)


def _command_violations(field: str, text: str) -> Iterator[str]:
    if text and not (is_safe(text) and _EXPECTED_COMMAND.fullmatch(text)):
        yield f"{field}: {text!r}"


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _texts(each)


def _has_hidden(text: str) -> bool:
    return any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\n\t" for char in text)
