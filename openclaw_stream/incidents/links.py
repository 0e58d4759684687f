"""Links in alerts: to a runbook, a dashboard or a panel, in the spellings that producers use."""

import re
from functools import lru_cache
from urllib.parse import quote

from openclaw_stream.text import safe_text

RUNBOOK, DASHBOARD, PANEL = "runbook_url", "dashboard_url", "panel_url"
LINK_MAX = 1000
"""Characters of a link; a longer one is left out, because a part of it leads elsewhere."""

_KINDS = {
    "runbook": RUNBOOK,
    "playbook": RUNBOOK,
    "sop": RUNBOOK,
    "dashboard": DASHBOARD,
    "grafanadashboard": DASHBOARD,
    "panel": PANEL,
    "grafanapanel": PANEL,
}
_SEPARATORS = re.compile(r"[_.\- ]")
_LINK = re.compile(
    r"(?P<scheme>https?://)(?:[^\s/?#\\]*@)?(?P<rest>(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?(?:[/?#]\S*)?)",
    re.ASCII | re.IGNORECASE,
)
_URL_CHARACTERS = "%/:?#[]@!$&()*+,;=~"


@lru_cache(maxsize=1024)
def link_kind(name: str) -> str:
    """Return what an annotation of this name links to: RUNBOOK, DASHBOARD or PANEL; empty for any other."""
    plain = _SEPARATORS.sub("", name.lower())
    return _KINDS.get(plain.removesuffix("url").removesuffix("link"), "")


def safe_link(text: str) -> str:
    """Return an http(s) link without secrets, as ASCII that is safe to display; empty where a text is none.

    Credentials before the host are left out. Whatever is no character of a URL is percent-encoded.
    """
    match = _LINK.fullmatch(text.strip())
    if match is None or len(text) > 2 * LINK_MAX:
        return ""
    shown = safe_text(match["scheme"] + match["rest"], 2 * LINK_MAX)
    link = quote(shown, safe=_URL_CHARACTERS)
    return link if len(link) <= LINK_MAX and not shown.endswith("…") else ""
