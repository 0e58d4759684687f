"""The finding of `check` about the file of owners."""

from pathlib import Path

import pytest

from openclaw_stream.check import FindingStatus
from openclaw_stream.check.services import check_owners
from openclaw_stream.settings import OwnerSettings
from tests.arbitration.ownership.owners import SHOP
from tests.check.runner import Environment, call


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "owners.toml"
    path.write_text(SHOP)
    return path


@pytest.fixture
def wrong_file(file: Path) -> Path:
    file.write_text(f"{SHOP}colour = 'red'\n")
    return file


async def test_the_finding_of_a_right_file_has_its_number_of_entries(file: Path) -> None:
    found = await check_owners(OwnerSettings(owners=file))
    assert (found.state, found.text) == (FindingStatus.WORKS, f"{file} is right; entries: 2")


@pytest.mark.parametrize(
    ("label", "text"), [(None, "no incident has an owner"), ("team", "the label team names the owners")]
)
async def test_without_a_file_nothing_is_wrong(label: str | None, text: str) -> None:
    found = await check_owners(OwnerSettings(team_label=label))
    assert (found.state, found.fatal) == (FindingStatus.MISSING, False)
    assert found.text == f"OPENCLAW_OWNERS is not set: {text}"


async def test_a_wrong_file_fails_the_check_with_its_line(ready: Environment, wrong_file: Path) -> None:
    done = await call(ready | {"OPENCLAW_OWNERS": str(wrong_file)})
    assert done.returncode == 1
    assert f"missing   owners (needed): owners file {wrong_file}, line 10: entry 2: unknown key 'colour'" in done.stdout


@pytest.mark.io
async def test_a_path_without_a_file_is_a_wrong_setting(file: Path) -> None:
    done = await call({"OPENCLAW_OWNERS": f"{file}.old"})
    assert done.returncode == 2
    assert "OPENCLAW_OWNERS=" in done.stderr
    assert "a TOML file of [[owner]] entries" in done.stderr
