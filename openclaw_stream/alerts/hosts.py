"""Hosts: what an address, a URL or an instance label names."""

import re
from urllib.parse import urlsplit

_DNS_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_IN_CLUSTER = re.compile(
    r"(?:(?P<pod>[a-z0-9-]+)\.)?(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc(?:\.[a-z0-9.-]+)?"
)
_IDENTIFIER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def host_of(address: str) -> str:
    """Return the host of `host:port`, `[v6]:port`, `host/path` or a URL; a DNS name in lower case."""
    if "://" in address:
        try:
            return urlsplit(address).hostname or address
        except ValueError:
            return address
    if address.startswith("["):
        return address[1:].partition("]")[0]
    path_removed = address.partition("/")[0] or address
    host, colon, port = path_removed.rpartition(":")
    host = host if colon and port.isdigit() and ":" not in host else path_removed
    return host.lower().removesuffix(".") if _DNS_NAME.fullmatch(host) else host


def in_cluster_service(host: str) -> tuple[str, str, str] | None:
    """Return pod, name and namespace of a Kubernetes service by its DNS name, the pod empty where it names none."""
    found = _IN_CLUSTER.fullmatch(host)
    return (found["pod"] or "", found["name"], found["namespace"]) if found else None


def is_identifier(instance: str) -> bool:
    """Return whether an instance is a UUID: OpenTelemetry's `service.instance.id`, another one after each start."""
    return _IDENTIFIER.fullmatch(instance) is not None
