"""Names of resources, namespaces and containers, as Kubernetes spells them (RFC 1123)."""

import re

from openclaw_stream.arbitration.kubectl.command import RefusedCommand

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME_LENGTH = 253


def label(flag: str, text: str) -> str:
    """Check a namespace or container name: a DNS label."""
    if not _LABEL.fullmatch(text):
        raise RefusedCommand(f"{flag} {text[:80]!r} is not a Kubernetes name")
    return text


def resource_name(text: str) -> str:
    """Check a resource's name: DNS labels joined by dots."""
    if len(text) > _NAME_LENGTH or not all(_LABEL.fullmatch(part) for part in text.split(".")):
        raise RefusedCommand(f"{text[:80]!r} is not a Kubernetes name")
    return text
