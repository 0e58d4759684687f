import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.arbitration.ownership.contact import CONTACT_MAX, SCHEMES, read_contact


@pytest.mark.parametrize(
    "contact",
    [
        "https://chat.example.org/shop-backend",
        "http://wiki.example.org:8080/teams?name=shop#contact",
        "mailto:shop-backend+oncall@example.org",
        "slack://channel?team=T012AB3CD&id=C0123456789",
        "msteams:/l/channel/19%3Aabc%40thread.tacv2/Shop",
        "tel:+886-2-5555-0100",
        "#shop-backend",
        "ext. 4711, ask for Ms Lin",
        "商店後端值班",
        "",
    ],
)
def test_links_and_short_texts_are_published_as_they_are(contact: str) -> None:
    assert read_contact(contact) == contact


def test_a_web_link_is_written_in_characters_of_a_url() -> None:
    assert read_contact("https://wiki.example.org/團隊") == "https://wiki.example.org/%E5%9C%98%E9%9A%8A"


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        ("javascript:alert(1)", "none of the allowed links"),
        (" JavaScript : alert(1)", "none of the allowed links"),
        ("data:text/html,<script>", "none of the allowed links"),
        ("file:///etc/passwd", "none of the allowed links"),
        ("Slack: #shop", "no slack link"),
        ("mailto:a@example.org?body=x", "no mailto link"),
        ("https://user:hunter2@chat.example.org/x", "credentials"),
        ("https://chat.example.org/a b", "blanks"),
        ("https://chat.example.org/?password=hunter2hunter2", "secrets"),
        ("https://", "no web link"),
        ("#shop password=hunter2hunter2", "a secret"),
        ("#shop\u202ekcab", "a hidden character"),
        ("#shop\nnext", "a hidden character"),
        ("oncall@example.org", "use a link"),
        ("x" * (CONTACT_MAX + 1), f"at most {CONTACT_MAX}"),
        (f"https://chat.example.org/{'團' * 100}", "when encoded"),
    ],
)
def test_what_is_unsafe_to_show_is_refused(contact: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_contact(contact)


@given(st.one_of(st.text(), st.from_regex(r"\s*[a-z]{2,10}\s*:\S*", fullmatch=True)))
def test_a_contact_is_short_printable_and_no_link_of_another_scheme(text: str) -> None:
    try:
        contact = read_contact(text)
    except ValueError:
        return
    assert len(contact) <= CONTACT_MAX
    assert contact.isprintable()
    before, colon, _ = contact.partition(":")
    is_link = bool(colon) and before.strip().isascii() and before.strip().replace("-", "").isalnum()
    assert not is_link or not before.strip()[0].isalpha() or before.lower() in SCHEMES
