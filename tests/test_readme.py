"""The documents name every setting and command that exists, no others, and link only to what exists."""

import re
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from openclaw_stream.cli import app
from openclaw_stream.settings import Settings
from tests.conftest import PROJECT

FOLDERS = ("", "deploy/", "schemas/", "openclaw_stream/", "tests/")
DOCUMENTS = {f"{folder}README.md": (PROJECT / folder / "README.md").read_text() for folder in FOLDERS}
README = DOCUMENTS["README.md"]
OPERATION = DOCUMENTS["deploy/README.md"]
ALL = "\n".join(DOCUMENTS.values())
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
NOT_SETTINGS = {"SASL_PLAINTEXT", "SASL_SSL", "OPENCLAW_TEST_CONTAINERS"}


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


def links(document: str) -> Iterator[tuple[str, str]]:
    """Yield the path, relative to the project, and the anchor of every relative link."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(DOCUMENTS[document])):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            linked = (PROJECT / document).parent / path if path else PROJECT / document
            yield linked.resolve().relative_to(PROJECT).as_posix(), anchor


def anchors(document: str) -> set[str]:
    """Return the anchors GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(DOCUMENTS[document]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def settings_in(text: str) -> set[str]:
    return set(re.findall(r"`([A-Z]+_[A-Z_]+)`", text)) - NOT_SETTINGS


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8192


def test_its_first_two_commands_are_one_line_each() -> None:
    demo, tests = (block.splitlines() for block in BLOCKS[:2])
    assert len(demo) == len(tests) == 1
    assert demo[0].endswith("openclaw-stream demo")
    assert tests[0].endswith("python -m pytest")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_relative_link_exists(document: str) -> None:
    found = list(links(document))
    assert found
    for path, anchor in found:
        assert (PROJECT / path).exists(), path
        assert not anchor or anchor in anchors(path), f"{path}#{anchor}"


def test_the_readme_links_to_every_other_document() -> None:
    assert {path for path, _ in links("README.md")} >= DOCUMENTS.keys() - {"README.md"}


def test_every_setting_is_documented_and_no_other() -> None:
    groups = [field.annotation for field in Settings.model_fields.values()]
    variables = {group.variable(name) for group in groups for name in group.model_fields}  # type: ignore[union-attr]
    table = OPERATION.split("\n## Settings\n")[1].split("\n## ")[0]
    assert settings_in(table) == variables
    assert settings_in(ALL) == variables


def test_every_command_is_documented_and_exists() -> None:
    named = {tuple(words.split()) for words in re.findall(r"openclaw-stream ((?:[a-z]+ ?){1,2})", OPERATION)}
    commands = {words[0] for words in named if words[0] in {"run", "demo", "check", "topics", "schemas"}}
    listed = set(re.findall(r"^│ ([a-z]+) ", CliRunner().invoke(app, ["--help"]).output, re.MULTILINE))
    assert commands == listed
