"""What contributors use: pinned versions, commands, hooks and templates, and the fixed top level of the project."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from openclaw_stream import __version__
from tests.conftest import PROJECT

GITHUB = PROJECT / ".github"
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
JUSTFILE = (PROJECT / ".justfile").read_text()
TOP_LEVEL = {"pyproject.toml", "openclaw_stream", "schemas", "tests", "deploy", "README.md", "findings", "LICENSE"}
IGNORED = set((PROJECT / ".gitignore").read_text().split())
REPOSITORY = "https://github.com/openclaw/openclaw-stream"


def test_nothing_else_is_at_the_top() -> None:
    here = {path.name + "/" * path.is_dir(): path.name for path in PROJECT.iterdir()}
    names = {name for entry, name in here.items() if entry not in IGNORED and not entry.endswith(".egg-info/")}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def pins(path: str) -> dict[str, set[str]]:
    """Return the pinned versions by package; a package may have several, for several platforms."""
    found: dict[str, set[str]] = {}
    for line in re.findall(r"^\w.*?(?= *\\$|$)", (PROJECT / path).read_text(), re.MULTILINE):
        requirement = Requirement(line)
        [specifier] = requirement.specifier
        assert specifier.operator == "=="
        found.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return found


def test_ci_pins_every_dependency_within_its_bounds() -> None:
    pinned = pins(".ci/constraints.txt")
    extras = PYPROJECT["optional-dependencies"]
    for declared in map(Requirement, [*PYPROJECT["dependencies"], *extras["embedded"], *extras["test"]]):
        if declared.name != PYPROJECT["name"]:
            versions = pinned[canonicalize_name(declared.name)]
            assert all(declared.specifier.contains(version, prereleases=True) for version in versions), (
                f"{declared} but {versions}: run deploy/lock.sh"
            )


def test_ci_tests_the_versions_of_the_image() -> None:
    image, tested = pins("deploy/requirements.lock"), pins(".ci/constraints.txt")
    assert {name: tested[name] for name in image} == image, "run deploy/lock.sh"


def test_ci_installs_the_pinned_versions() -> None:
    assert re.search(
        r"^export PIP_CONSTRAINT=\$PWD/\.ci/constraints\.txt$", (PROJECT / ".ci/run").read_text(), re.MULTILINE
    )


def test_every_command_of_the_justfile_has_a_line_of_help() -> None:
    recipes = re.findall(r"(.*)\n^([a-z]+)(?: \*\w+)?:(?!=)", JUSTFILE, re.MULTILINE)
    assert len(recipes) > 5
    assert not [name for comment, name in recipes if not re.fullmatch(r"# [A-Z].*\.", comment)]


def test_the_commands_of_the_justfile_exist() -> None:
    scripts = set(re.findall(r"^    ((?:deploy|\.ci)/[\w.-]+)", JUSTFILE, re.MULTILINE))
    assert scripts == {"deploy/lock.sh", ".ci/install-deploy-tools", ".ci/engine", ".ci/run"}
    assert all((PROJECT / script).stat().st_mode & 0o100 for script in scripts)
    for module in re.findall(r"python -m (tests\.[\w.]+)", JUSTFILE):
        assert (PROJECT / Path(*module.split("."))).with_suffix(".py").is_file()


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_workflow_only_calls_the_script() -> None:
    [job] = load(GITHUB / "workflows/ci.yml")["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}


def test_hooks_run_tools_of_the_environment() -> None:
    [repository] = load(PROJECT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    tools = {hook["entry"].split()[0] for hook in repository["hooks"]}
    assert tools == {f".venv/bin/{name}" for name in ("ruff", "mypy", "openclaw-stream", "python")}


@pytest.mark.parametrize("path", sorted(GITHUB.glob("ISSUE_TEMPLATE/*.yml")), ids=lambda path: path.stem)
def test_the_forms_of_issues_are_complete(path: Path) -> None:
    form = load(path)
    if path.stem == "config":
        assert [link["url"].startswith(REPOSITORY) for link in form["contact_links"]] == [True]
        return
    assert {"name", "description", "body"} <= form.keys()
    identifiers = [field["id"] for field in form["body"] if field["type"] != "markdown"]
    assert len(set(identifiers)) == len(identifiers) > 0


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (GITHUB / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == __version__


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "pull_request_template.md"])
def test_links_lead_to_files(name: str) -> None:
    links = re.findall(r"\]\(((?!https?:)[^)#]+)", (GITHUB / name).read_text())
    assert not [link for link in links if not (GITHUB / link).exists()]


def test_the_package_names_its_repository() -> None:
    assert PYPROJECT["urls"]["Repository"] == REPOSITORY
    for url in PYPROJECT["urls"].values():
        _, _, path = url.partition("/blob/main/")
        assert url.startswith(REPOSITORY)
        assert (PROJECT / path).exists()
