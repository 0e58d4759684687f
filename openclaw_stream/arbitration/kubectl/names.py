"""Names of Kubernetes resources, namespaces and containers (RFC 1123)."""

import re

from openclaw_stream.arbitration.kubectl.command import RefusedCommand

_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME_LENGTH = 253


def is_label(text: str) -> bool:
    """Return whether a text is a DNS label: a valid name of a namespace or container."""
    return bool(_LABEL.fullmatch(text))


def label(flag: str, text: str) -> str:
    """Check a namespace or container name: a DNS label."""
    if not is_label(text):
        raise RefusedCommand(f"{flag} {text[:80]!r} is not a Kubernetes name")
    return text


def resource_name(text: str) -> str:
    """Check a resource's name: DNS labels joined by dots."""
    if len(text) > _NAME_LENGTH or not all(map(is_label, text.split("."))):
        raise RefusedCommand(f"{text[:80]!r} is not a Kubernetes name")
    return text
