"""The README says what there is, and nothing else."""

import re

from typer.testing import CliRunner

from openclaw_stream.cli import app
from openclaw_stream.settings import Settings
from tests.conftest import PROJECT

README = (PROJECT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_its_first_two_commands_are_one_line_each() -> None:
    demo, tests = (block.splitlines() for block in BLOCKS[:2])
    assert len(demo) == len(tests) == 1
    assert demo[0].endswith("openclaw-stream demo")
    assert tests[0].endswith("python -m pytest")


def test_every_setting_is_in_it_and_no_other() -> None:
    groups = [field.annotation for field in Settings.model_fields.values()]
    variables = {group.variable(name) for group in groups for name in group.model_fields}  # type: ignore[union-attr]
    told = set(re.findall(r"`([A-Z]+_[A-Z_]+)`", README)) - {"OPENCLAW_TEST_CONTAINERS"}
    assert told - {"SASL_PLAINTEXT", "SASL_SSL"} == variables


def test_every_command_is_in_it_and_exists() -> None:
    told = {tuple(words.split()) for words in re.findall(r"openclaw-stream ((?:[a-z]+ ?){1,2})", README)}
    commands = {words[0] for words in told if words[0] in {"run", "demo", "check", "topics", "schemas"}}
    listed = set(re.findall(r"^│ ([a-z]+) ", CliRunner().invoke(app, ["--help"]).output, re.MULTILINE))
    assert commands == listed
