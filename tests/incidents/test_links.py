"""Links of alerts: which annotations hold one, and what is published of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.incidents.links import DASHBOARD, LINK_MAX, PANEL, RUNBOOK, link_kind, safe_link


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("runbook_url", "runbook", "runbook_link", "runbookURL", "runbookUrl", "Runbook", "runbook-url"), RUNBOOK),
        (("playbook", "playbook_url", "sop_url"), RUNBOOK),
        (("dashboard", "dashboard_url", "dashboardURL", "grafana_dashboard"), DASHBOARD),
        (("panelURL", "panel_url", "panel"), PANEL),
        (("__dashboardUid__", "__panelId__", "summary", "related_logs", "link", "url", ""), ""),
    ],
)
def test_an_annotation_is_known_as_a_link_in_the_usual_spellings(names: tuple[str, ...], kind: str) -> None:
    assert {name: link_kind(name) for name in names} == dict.fromkeys(names, kind)


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("https://runbooks.example.org/checkout/errors", None),
        ("http://10.0.0.3:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1#top", None),
        ("https://kibana.example.org/app#/discover?_a=(query:x)", None),
        ("http://[::1]:3000/d/a", None),
        ("HTTPS://Example.org", None),
        (" https://example.org/a ", "https://example.org/a"),
        ("https://example.org/手冊", "https://example.org/%E6%89%8B%E5%86%8A"),
        ("https://example.org/\"><script>'", "https://example.org/%22%3E%3Cscript%3E%27"),
        ("https://ops:hunter2@example.org/a", "https://example.org/a"),
        ("https://example.org/a?token=hunter2hunter2&x=1", "https://example.org/a?token=[redacted:token]&x=1"),
        ("https://example.org/\u202egnp.exe", "https://example.org/gnp.exe"),
    ],
)
def test_a_link_is_published_as_safe_ascii_without_secrets(text: str, link: str | None) -> None:
    assert safe_link(text) == (text if link is None else link)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "javascript:alert(1)",
        "ftp://example.org/a",
        "//example.org/a",
        "https://",
        "https:///a",
        "see https://example.org/a",
        "https://example.org/a and https://example.org/b",
        "https://example.org/a\nb",
        "https://exa\u043cple.org/a",
        "https://example.org\\@evil.example/a",
        "https://example.org/" + "a" * LINK_MAX,
        "CrashLoop.md",
    ],
)
def test_what_is_no_whole_link_is_not_published_as_one(text: str) -> None:
    assert safe_link(text) == ""


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_behind_a_scheme_is_safe_or_left_out(host: str, path: str) -> None:
    link = safe_link(f"https://{host}/{path}")
    assert re.fullmatch(r"(https://[A-Za-z0-9.:_\[\]-]+/?[!#$%&()*+,./:;=?@\[\]~\w-]*)?", link, re.ASCII)
    assert safe_link(link) == link
