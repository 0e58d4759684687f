"""The file of owners: which entry an incident matches, and the errors of a wrong file, with their lines."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_stream.alerts.subject import Subject
from openclaw_stream.arbitration.ownership import OwnersFileError, parse_owners
from openclaw_stream.incidents.case import Case, Owner
from openclaw_stream.vocabulary import Responsibility
from tests.arbitration.ownership.owners import SHOP
from tests.builders import case, exemplar
from tests.conftest import PROJECT

CART = Subject("deployment", "shop", "cart")
ENTRY = '[[owner]]\nmatch = "{}"\nteam = "Shop"\n'


def owner_of(text: str, of: Case) -> Owner | None:
    return parse_owners(text, "owners.toml").owner_of(of)


def test_an_owner_has_its_team_responsibility_contact_and_entry() -> None:
    assert owner_of(SHOP, case(subject=CART)) == Owner(
        team="Shop backend",
        matched_by='owners file, entry 1: namespace="shop", subject=~"cart|checkout.*"',
        responsibility=Responsibility.BE,
        contact="https://chat.example.org/shop-backend",
    )


def test_without_a_responsibility_only_the_name_is_known() -> None:
    found = owner_of(SHOP, case(subject=Subject("host", "", "web-3")))
    assert found == Owner("Web", 'owners file, entry 2: team="web"; kind="host"')


@pytest.mark.parametrize(
    ("match", "matches"),
    [
        ('namespace="shop"', True),
        ('namespace="other"', False),
        ('subject="cart", kind="deployment"', True),
        ('subject="car"', False),
        ('service="checkout"', True),
        ('cluster="eu-1"', True),
        ('cluster="eu-2"', False),
        ('zone="b"', True),
        ('missing=""', True),
        ('alertname="HighErrorRate"', True),
        ("{}", True),
    ],
)
def test_an_entry_sees_the_incident_and_the_labels_of_its_alerts(match: str, matches: bool) -> None:  # noqa: FBT001
    alerts = (
        exemplar(labels={"cluster": "eu-1", "namespace": "planted", "subject": "planted", "kind": "planted"}),
        exemplar("Other", labels={"cluster": "eu-2", "zone": "b", "service": "planted"}),
    )
    text = f"[[owner]]\nmatch = '{match}'\nteam = 'Shop'\n"
    assert (owner_of(text, case(*alerts, subject=CART)) is not None) is matches


def test_without_a_subject_the_namespace_is_that_of_the_incident() -> None:
    assert owner_of("[[owner]]\nmatch = 'namespace=shop'\nteam = 'Shop'\n", case())


NAMES = st.sampled_from(("cart", "checkout", "web", "db"))


@given(st.lists(NAMES, min_size=1, max_size=8), NAMES)
def test_the_first_matching_entry_counts(names: list[str], subject: str) -> None:
    text = "\n".join(f"[[owner]]\nmatch = 'subject={name}'\nteam = 'T{n}'" for n, name in enumerate(names))
    found = owner_of(text, case(subject=Subject("service", "shop", subject)))
    expected = f"T{names.index(subject)}" if subject in names else None
    assert (found.team if found else None) == expected


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 0, "no [[owner]] entry; add one, or unset OPENCLAW_OWNERS"),
        ("# nothing yet\n", 0, "no [[owner]] entry"),
        ("owner = []\n", 0, "no [[owner]] entry"),
        (f"{ENTRY}team = x\n", 4, "it is no TOML: "),
        ("a = " + "[" * 5000, 0, "nested too deeply"),
        (f'{ENTRY}contact = "open\n', 4, "it is no TOML: "),
        (f'{ENTRY}\nteam = "b"\n', 5, "it is no TOML: Cannot overwrite a value"),
        (f"version = 2\n{ENTRY}", 1, "unknown key 'version'; begin each entry with [[owner]]"),
        (f"{ENTRY}\n[owners]\nx = 1\n", 5, "unknown key 'owners'; begin each entry with [[owner]]"),
        ('# one\n[owner]\nteam = "a"\n', 2, "entries are tables; begin each with [[owner]]"),
        (f"{ENTRY}\n{ENTRY}\nteams = 'x'\n", 9, "entry 2: unknown key 'teams'; the keys of an entry are match, team"),
        (f"{ENTRY}\n{ENTRY}contact = 4711\n", 8, 'entry 2: contact is no text; write contact = "…"'),
        (f'{ENTRY}\n[[owner]]\n\nteam = "b"\n', 5, 'entry 2: match is missing or empty; add match = "…"'),
        ('[[owner]]\nmatch = "{}"\nteam = " "\n', 3, 'entry 1: team is missing or empty; add team = "…"'),
        ('[[owner]]\nteam = "a"\nmatch = "shop"\n', 3, "entry 1: match 'shop' is not allowed: no matcher at 'shop'"),
        ('[[owner]]\nteam = "a"\nmatch = ";"\n', 3, 'write label="value", or {} to match everything'),
        ("[[owner]]\nteam = 'a'\nmatch = \"namespace='shop'\"\n", 3, "a matcher has double quotes only"),
        ("[[owner]]\nteam = 'a'\nmatch = 'a=~\"(\"'\n", 3, "is no regular expression"),
        ("[[owner]]\nteam = 'a'\nmatch = 'a=~\"b{99999999999}\"'\n", 3, "is no regular expression"),
        (f"{ENTRY}responsibility = 'SRE'\n", 4, "responsibility 'SRE' is not allowed: write FE, BE, INFRA, DB, or"),
        (f"{ENTRY}responsibility = 'COLLAB'\n", 4, "responsibility 'COLLAB' is not allowed"),
        (f"{ENTRY}contact = 'javascript:alert(1)'\n", 4, "'javascript' is none of the allowed links"),
        ("[[owner]]\nmatch = '{}'\nteam = 'a\\u202e'\n".replace("'a\\u202e'", '"a\\u202e"'), 3, "a hidden character"),
        (f"[[owner]]\nmatch = '{{}}'\nteam = '{'x' * 81}'\n", 3, "at most 80 are allowed"),
        ("owner = [{match = '{}', team = 'a'}, {match = '{}'}]\n", 1, "entry 2: team is missing"),
    ],
)
def test_an_error_has_the_file_the_line_and_what_to_do(text: str, line: int, reason: str) -> None:
    with pytest.raises(OwnersFileError) as caught:
        parse_owners(text, "owners.toml")
    assert caught.value.line == line
    assert reason in caught.value.reason
    place = f"owners file owners.toml, line {line}: " if line else "owners file owners.toml: "
    assert str(caught.value) == place + caught.value.reason


KEYS = ("match", "team", "contact", "responsibility", "owner", "other", "a.b")
VALUES = ("''", "'{}'", "'shop'", "'BE'", "'https://a.example.org'", "4", "[", "{x = 1}", '"""', "[1,\n2]")
LINES = st.one_of(
    st.sampled_from(("[[owner]]", "[owner]", "[[owner.owner]]", "# owner = 1", "")),
    st.builds("{} = {}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
    st.text(max_size=5),
)


@given(st.lists(LINES).map("\n".join))
def test_any_text_is_entries_or_an_error_in_it(text: str) -> None:
    try:
        found: object = parse_owners(text, "f").entries
    except OwnersFileError as error:
        found = 0 <= error.line <= text.count("\n") + 1
    assert found


@given(st.data(), st.integers(1, 5))
def test_the_line_is_that_of_the_wrong_key_wherever_it_is(data: Any, entries: int) -> None:
    wrong = data.draw(st.integers(0, entries - 1))
    lines: list[str] = []
    for number in range(entries):
        keys = data.draw(st.permutations(["match = '{}'", "team = 'a'", "contact = '#a'", "# team = 'b'", ""]))
        if number == wrong:
            keys[keys.index("contact = '#a'")] = "colour = 'red'"
        lines += ["[[owner]]", *keys]
    with pytest.raises(OwnersFileError) as caught:
        parse_owners("\n".join(lines), "f")
    assert lines[caught.value.line - 1] == "colour = 'red'"
    assert caught.value.reason.startswith(f"entry {wrong + 1}: unknown key 'colour'")


def test_the_sample_of_the_documentation_is_a_file_of_owners() -> None:
    text = (PROJECT / "deploy" / "README.md").read_text(encoding="utf-8")
    (sample,) = re.findall(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    owners = parse_owners(sample, "sample")
    others = (("node", "", "worker-3"), ("service", "kube-system", "dns"), ("host", "", "x"))
    subjects = (CART, *(Subject(*each) for each in others))
    found = [owners.owner_of(case(subject=subject, namespace="")) for subject in subjects]
    assert [owner.team for owner in found if owner] == ["Shop backend", "Platform", "Platform", "Operations"]
