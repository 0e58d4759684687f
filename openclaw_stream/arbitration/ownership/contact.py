"""The contact of an owner: a link that is safe to show, or a short text."""

import re

from openclaw_stream.incidents.links import safe_link
from openclaw_stream.text import safe_text

CONTACT_MAX = 200
SCHEMES = ("http", "https", "mailto", "slack", "msteams", "tel")
"""What a contact may link to. Others may run code where they are shown (`javascript:`)."""

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]*)\s*:", re.IGNORECASE)
_LINKS = {
    "mailto": re.compile(r"mailto:[\w.%+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII | re.IGNORECASE),
    "slack": re.compile(r"slack://[\w?&=./-]+", re.ASCII | re.IGNORECASE),
    "msteams": re.compile(r"msteams:[\w%?&=:/.@-]+", re.ASCII | re.IGNORECASE),
    "tel": re.compile(r"tel:\+?[0-9().-]+", re.IGNORECASE),
}


def read_contact(text: str) -> str:
    """Return a contact as it is published; a link has only characters of a URL.

    Raises:
        ValueError: It is too long, holds a secret or a hidden character, or is a link of no scheme in SCHEMES.
    """
    if len(text) > CONTACT_MAX:
        raise ValueError(f"it has {len(text)} characters; at most {CONTACT_MAX} are allowed")
    scheme = _SCHEME.match(text)
    if scheme:
        return _read_link(text, scheme[1].lower())
    if safe_text(text, CONTACT_MAX, one_line=True) != text:
        raise ValueError("it holds a secret, an e-mail address, a hidden character or blanks at an end; use a link")
    return text


def _read_link(text: str, scheme: str) -> str:
    if scheme in _LINKS:
        # The address of a team is meant to be published: it is not redacted as personal data of an alert would be.
        if not _LINKS[scheme].fullmatch(text):
            raise ValueError(f"it is no {scheme} link; write the whole link without blanks, or a text without a colon")
        return text
    if scheme not in SCHEMES:
        raise ValueError(f"{scheme!r} is none of the allowed links ({', '.join(SCHEMES)})")
    link = safe_link(text)
    if not link or safe_text(text, CONTACT_MAX) != text or "@" in text.partition("//")[2].partition("/")[0]:
        raise ValueError("it is no web link without blanks, credentials and secrets")
    if len(link) > CONTACT_MAX:
        raise ValueError(f"it has more than {CONTACT_MAX} characters when encoded")
    return link
