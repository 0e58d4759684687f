"""The layout of the package: imports in one direction, small modules and functions, names with one meaning.

All imports count, also those inside functions and under TYPE_CHECKING. A folder is a node of its own at every depth
and contains the modules directly in it; a module at the top of the package is a node too.
"""

import ast
import gc
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import openclaw_stream

PACKAGE = "openclaw_stream"
MODULE_LINES = 400
FUNCTION_LINES = 40

# From the ground floor up. A folder imports only folders of lines above its own line, never one of its own line.
LAYERS = (
    "openclaw_stream errors ids vocabulary text",
    "http_client resilience",
    "alerts",
    "alerts.formats",
    "alerts.decoding",
    "incidents",
    "events",
    "settings",
    "telemetry",
    "signoz",
    "arbitration.kubectl arbitration.ownership",
    "arbitration.remedies",
    "arbitration.rules arbitration.validation",
    "arbitration.tuning",
    "arbitration.llm.providers",
    "arbitration.llm.prompt",
    "arbitration.llm",
    "arbitration",
    "langfuse",
    "stream.state stream.kafka",
    "stream",
    "embedded",
    "check demo",
    "cli",
    "__main__",
)

# Module names that several folders use for the same subject.
SHARED_NAMES = {
    "__main__": "what `python -m` runs",
    "chain": "the LLM chain, and its settings",
    "health": "whether something works: the worker, and the connection to Langfuse",
    "kafka": "the Kafka client, the embedded broker, and the checks of the broker",
    "langfuse": "the tracing backend, and its settings",
    "providers": "the LLM providers, and their settings",
    "response": "reading what a server answered: an LLM, and SigNoz",
    "signoz": "the client of SigNoz, and its settings",
    "state": "what is stored: of an incident, and of a partition",
    "tracing": "traces of decisions: the protocol, and its implementation for Langfuse",
    "tuning": "shadow tuning, and its event",
}


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed module of a package."""

    name: str
    """Dotted, without the package: `stream.kafka.topics`; an `__init__` has the name of its folder."""
    folder: str
    """The dotted folder; at the top of the package the module's own name."""
    lines: int
    tree: ast.Module


@cache
def modules(root: Path) -> dict[str, Module]:
    """Parse all modules under a package's folder, by name."""
    # Python 3.11 fails if the collector runs a destructor that parses, for a traceback, within `ast.parse`.
    gc.collect()
    gc.disable()
    try:
        return _parsed(root)
    finally:
        gc.enable()


def _parsed(root: Path) -> dict[str, Module]:
    found = {}
    for path in sorted(root.rglob("*.py")):
        folders = path.relative_to(root).parts[:-1]
        parts = folders if path.stem == "__init__" else (*folders, path.stem)
        name = ".".join(parts) or root.name
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, ".".join(folders) or name, len(text.splitlines()), ast.parse(text))
    return found


def imports(module: Module, package: Mapping[str, Module], root: str) -> set[str]:
    """Return the modules of the package that a module imports anywhere in its text; relative imports are refused."""
    targets = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"relative import in {module.name}, line {node.lineno}")
            base = node.module or ""
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                targets.add(submodule if submodule.removeprefix(f"{root}.") in package else base)
    inside = {target.removeprefix(f"{root}.") for target in targets if target == root or target.startswith(f"{root}.")}
    return (inside & set(package)) - {module.name}


@cache
def import_graph(root: Path) -> dict[str, set[str]]:
    """Return the imported modules by importing module."""
    package = modules(root)
    return {name: imports(module, package, root.name) for name, module in package.items()}


def folder_graph(root: Path) -> dict[str, set[str]]:
    """Return the imported folders by importing folder."""
    package = modules(root)
    graph: dict[str, set[str]] = {module.folder: set() for module in package.values()}
    for name, targets in import_graph(root).items():
        folder = package[name].folder
        graph[folder] |= {package[target].folder for target in targets} - {folder}
    return graph


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """Return one circle of a graph, its first node repeated at its end; empty without a circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def upward_imports(graph: Mapping[str, set[str]], layers: tuple[str, ...]) -> list[str]:
    """Return the imports between folders that do not go to a lower layer, and the folders without a layer."""
    height = {folder: level for level, layer in enumerate(layers) for folder in layer.split()}
    unknown = [f"{folder} is in no layer" for folder in sorted(graph) if folder not in height]
    edges = [(folder, target) for folder, targets in sorted(graph.items()) for target in sorted(targets)]
    return unknown + [
        f"{folder} imports {target}"
        for folder, target in edges
        if folder in height and target in height and height[target] >= height[folder]
    ]


def long_modules(root: Path) -> list[str]:
    """Return the modules with too many lines."""
    return [f"{each.name}: {each.lines}" for each in modules(root).values() if each.lines > MODULE_LINES]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function's body without its docstring, with its nested functions."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def long_functions(root: Path) -> list[str]:
    """Return the functions whose body has too many lines."""
    return [
        f"{module.name}.{node.name}: {body_lines(node)}"
        for module in modules(root).values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > FUNCTION_LINES
    ]


def _repeated(named: Iterator[tuple[str, str]]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = {}
    for name, place in named:
        places.setdefault(name, []).append(place)
    return {name: each for name, each in sorted(places.items()) if len(each) > 1}


def repeated_classes(root: Path) -> dict[str, list[str]]:
    """Return the modules by class name, where several define a class of that name."""
    return _repeated(
        (node.name, module.name)
        for module in modules(root).values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    )


def repeated_module_names(root: Path) -> dict[str, list[str]]:
    """Return the modules and folders by the last part of their name, where several share it."""
    return _repeated((name.rpartition(".")[2], name) for name in modules(root))


ROOT = Path(openclaw_stream.__file__).parent


def test_modules_import_in_no_circle() -> None:
    assert not circle(import_graph(ROOT))


def test_folders_import_in_no_circle() -> None:
    assert not circle(folder_graph(ROOT))


def test_folders_import_only_lower_layers() -> None:
    assert not upward_imports(folder_graph(ROOT), LAYERS)


def test_each_layer_is_there() -> None:
    assert not {folder for layer in LAYERS for folder in layer.split()} - set(folder_graph(ROOT))


def test_modules_are_short() -> None:
    assert not long_modules(ROOT)


def test_functions_are_short() -> None:
    assert not long_functions(ROOT)


def test_class_names_are_unique() -> None:
    assert not repeated_classes(ROOT)


def test_a_module_name_has_one_meaning() -> None:
    repeated = repeated_module_names(ROOT)
    assert {name: places for name, places in repeated.items() if name not in SHARED_NAMES} == {}
    assert not set(SHARED_NAMES) - set(repeated)


# The checkers themselves, on small packages.


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return tmp_path / "sample"


def write(root: Path, **texts: str) -> Path:
    """Write a package; `low__a` stands for low/a.py, and every folder gets an `__init__`."""
    for name, text in texts.items():
        path = root.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in (root, *(path for path in root.rglob("*") if path.is_dir())):
        (folder / "__init__.py").touch()
    return root


@pytest.mark.parametrize(
    "text",
    [
        "import sample.high.b",
        "from sample.high import b",
        "from sample.high.b import NAME",
        "def later():\n    from sample.high import b",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import sample.high.b as other",
        "class Late:\n    async def run(self):\n        import sample.high.b",
    ],
)
def test_an_import_is_found_wherever_it_is(package: Path, text: str) -> None:
    write(package, low__a=text, high__b="from sample.low.a import NAME")
    assert set(circle(import_graph(package))) == {"low.a", "high.b"}
    assert set(circle(folder_graph(package))) == {"low", "high"}


def test_a_circle_of_folders_needs_no_circle_of_modules(package: Path) -> None:
    write(package, low__a="import sample.high.b", high__b="", high__c="import sample.low.d", low__d="")
    assert not circle(import_graph(package))
    assert set(circle(folder_graph(package))) == {"low", "high"}


def test_a_folder_inside_another_is_a_node_of_its_own(package: Path) -> None:
    write(package, low__a="import sample.low.inner.b", low__inner__b="import sample.low.c", low__c="")
    assert set(circle(folder_graph(package))) == {"low", "low.inner"}


def test_relative_imports_are_refused(package: Path) -> None:
    write(package, low__a="from . import b", low__b="")
    with pytest.raises(ValueError, match=r"relative import in low\.a, line 1"):
        import_graph(package)


def test_an_import_upward_or_beside_is_found(package: Path) -> None:
    write(package, low__a="import sample.high.b", high__b="", beside__c="import sample.low.d", low__d="")
    graph = folder_graph(package)
    assert upward_imports(graph, ("sample low", "beside high")) == ["low imports high"]
    assert upward_imports(graph, ("sample", "high", "low beside")) == ["beside imports low"]
    assert not upward_imports(graph, ("sample", "high", "low", "beside"))


def test_a_folder_without_a_layer_is_found(package: Path) -> None:
    write(package, low__a="", new__b="", top="")
    assert upward_imports(folder_graph(package), ("sample low",)) == ["new is in no layer", "top is in no layer"]


def test_a_long_module_is_found(package: Path) -> None:
    write(package, low__a="x = 1\n" * MODULE_LINES, low__b="x = 1\n" * (MODULE_LINES + 1))
    assert long_modules(package) == ["low.b: 401"]


@pytest.mark.parametrize("header", ["def long():", "async def long():"])
def test_a_long_function_is_found(package: Path, header: str) -> None:
    docstring = '    """Summary.\n\n    More.\n    """\n'
    body = "    x = 1\n"
    write(package, a=f"{header}\n{docstring}{body * 40}", b=f"{header}\n{docstring}{body * 41}")
    assert long_functions(package) == ["b.long: 41"]


def test_nested_functions_count(package: Path) -> None:
    inner = "    def inner():\n" + "        x = 1\n" * 39
    write(package, a=f"def outer():\n{inner}    return inner\n", b="class A:\n" + inner + "    y = 1\n" * 40)
    assert long_functions(package) == ["a.outer: 41"]


def test_repeated_classes_are_found(package: Path) -> None:
    write(package, a="class One: ...", b="def f():\n    class One: ...", c="class Two: ...")
    assert repeated_classes(package) == {"One": ["a", "b"]}


def test_repeated_module_names_are_found(package: Path) -> None:
    write(package, low__chain="", high__chain="", high__low__other="")
    assert repeated_module_names(package) == {"chain": ["high.chain", "low.chain"], "low": ["high.low", "low"]}
