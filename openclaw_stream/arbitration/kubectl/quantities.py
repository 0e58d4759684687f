"""Numbers and resource quantities of a command, checked for format and range."""

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from openclaw_stream.arbitration.kubectl.command import RefusedCommand

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")
_QUANTITY = re.compile(r"(?P<number>(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,3})?)(?P<suffix>m|[kMGT]|[KMGT]i)?")
_SCALES = {
    "m": Fraction(1, 1000),
    "k": Fraction(10**3),
    "M": Fraction(10**6),
    "G": Fraction(10**9),
    "T": Fraction(10**12),
    "Ki": Fraction(2**10),
    "Mi": Fraction(2**20),
    "Gi": Fraction(2**30),
    "Ti": Fraction(2**40),
}
_BYTES = (Fraction(4 * 2**20), Fraction(4 * 2**40), "4Mi to 4Ti")
_RANGES = {
    "cpu": (Fraction(1, 1000), Fraction(256), "1m to 256 cores"),
    "memory": _BYTES,
    "ephemeral-storage": _BYTES,
}

RESOURCES = tuple(_RANGES)


def number(low: int, high: int) -> Callable[[str, str], str]:
    """Return a check (flag, text) → text for a whole number from `low` to `high`.

    kubectl reads +2 as 2, and 010 as octal: only plain decimal digits pass.
    """

    def check(flag: str, text: str) -> str:
        if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
            raise RefusedCommand(f"{flag} must be a plain whole number from {low} to {high}, not {text[:40]!r}")
        return text

    return check


def percentage(low: int, high: int) -> Callable[[str, str], str]:
    """Return a check (flag, text) → text for a whole percentage with its sign, such as `70%`.

    kubectl reads a number without the sign as thousandths of a core.
    """
    plain = number(low, high)

    def check(flag: str, text: str) -> str:
        if not text.endswith("%"):
            raise RefusedCommand(f"{flag} must be a percentage such as 70%, not {text[:40]!r}")
        return f"{plain(flag, text[:-1])}%"

    return check


def size(resource: str, text: str) -> Fraction:
    """Return a Kubernetes quantity in cores or bytes.

    Raises:
        RefusedCommand: The resource is unknown (see RESOURCES), or its quantity is malformed or out of range.
    """
    if resource not in _RANGES:
        raise RefusedCommand(f"{resource[:40]!r} is not one of {', '.join(RESOURCES)}")
    match = _QUANTITY.fullmatch(text)
    if not match:
        raise RefusedCommand(f"{resource} {text[:40]!r} is not a Kubernetes quantity such as 500m or 512Mi")
    value = Fraction(match["number"]) * _SCALES.get(match["suffix"], Fraction(1))
    low, high, allowed = _RANGES[resource]
    if not low <= value <= high:
        raise RefusedCommand(f"{resource}={text} is outside {allowed}")
    return value


def resource_list(flag: str, text: str) -> str:
    """Check `cpu=500m,memory=512Mi` and return it in the order of RESOURCES."""
    amounts: dict[str, str] = {}
    for item in text.split(","):
        resource, _, quantity = item.partition("=")
        size(resource, quantity)
        if resource in amounts:
            raise RefusedCommand(f"{flag} repeats {resource}")
        amounts[resource] = quantity
    return ",".join(f"{resource}={amounts[resource]}" for resource in RESOURCES if resource in amounts)


def check_requests(limits: Mapping[str, str], requests: Mapping[str, str]) -> None:
    """Refuse a request above its limit, as the Kubernetes API does."""
    for resource in limits.keys() & requests.keys():
        if size(resource, requests[resource]) > size(resource, limits[resource]):
            raise RefusedCommand(f"the {resource} request {requests[resource]} is above its limit {limits[resource]}")
