"""What the image is made of is pinned, and in step with pyproject.toml."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from openclaw_stream import __version__
from tests.conftest import PROJECT

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
LOCKS = {
    "requirements.lock": PYPROJECT["project"]["dependencies"],
    "build.lock": PYPROJECT["build-system"]["requires"],
}
RELOCK = "run deploy/lock.sh"


def entries(lock: str) -> Iterator[tuple[Requirement, list[str], list[str]]]:
    """Yield each locked requirement with its hashes and what requires it."""
    text = (PROJECT / "deploy" / lock).read_text()
    for block in re.split(r"^(?=\w)", text, flags=re.MULTILINE):
        if "==" in block:
            requirement = Requirement(block.partition("\\")[0].strip())
            required_by = re.findall(r"#(?: +via)? +(\S+)(?: \(.*\)| -\))?$", block, re.MULTILINE)
            yield requirement, re.findall(r"--hash=sha256:[0-9a-f]{64}\b", block), required_by


@pytest.mark.parametrize("lock", LOCKS)
def test_each_dependency_is_locked_within_its_bounds(lock: str) -> None:
    locked = {canonicalize_name(requirement.name): requirement for requirement, _, _ in entries(lock)}
    for declared in map(Requirement, LOCKS[lock]):
        [pin] = locked[canonicalize_name(declared.name)].specifier
        assert declared.specifier.contains(pin.version, prereleases=True), f"{declared} but {pin}: {RELOCK}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_has_one_version_and_hashes(lock: str) -> None:
    found = list(entries(lock))
    assert len({canonicalize_name(requirement.name) for requirement, _, _ in found}) == len(found)
    for requirement, hashes, _ in found:
        assert [each.operator for each in requirement.specifier] == ["=="], requirement
        assert len(set(hashes)) == len(hashes) > 0, requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_every_entry_is_required(lock: str) -> None:
    """An entry that only removed dependencies required is in no lock that deploy/lock.sh writes now."""
    declared = {canonicalize_name(Requirement(each).name) for each in LOCKS[lock]}
    found = {canonicalize_name(requirement.name): set(required_by) for requirement, _, required_by in entries(lock)}
    direct = {name for name, required_by in found.items() if not required_by or "openclaw-stream" in required_by}
    assert direct == declared, RELOCK
    reached: set[str] = set()
    waiting = set(declared)
    while waiting:
        reached |= waiting
        waiting = {name for name, required_by in found.items() if required_by & reached} - reached
    assert reached == found.keys(), RELOCK


def test_the_dockerfile_names_this_version() -> None:
    dockerfile = (PROJECT / "deploy/Dockerfile").read_text()
    assert re.findall(r'image\.version="(.*)"', dockerfile) == [__version__]


@pytest.mark.deploy
def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=Path(sys.executable).parent) or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint; run .ci/install-deploy-tools")
    command = [hadolint, "--failure-threshold=style", "deploy/Dockerfile"]
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")
