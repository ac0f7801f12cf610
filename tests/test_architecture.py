"""What may import what, and what starting costs."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cardcheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import MakeModel

PACKAGE = Path(cardcheck.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
LAYERS = ("facts", "engine", "report")
NETWORK = (
    "requests",
    "httpcore2",
    "httpx",
    "httpx2",
    "aiohttp",
    "urllib3",
    "urllib.request",
    "http.client",
    "socket",
    "ssl",
    "huggingface_hub",
)
OWN_PROCESSES = ("spotcheck/children.py", "spotcheck/nursery.py")  # talk by a pair of sockets that no other process has
MODELS = ("torch", "sentence_transformers", "transformers", "mteb")
HEAVY = (
    "torch",
    "numpy",
    "mteb",
    "google.protobuf",
    "polars",
    "duckdb",
    "scipy",
    "sentence_transformers",
    "transformers",
    "huggingface_hub.hf_api",
    "hishel",
    "httpcore2",
    "httpx",
    "httpx2",
    "requests",
    "sqlite3",
    "stamina",
)

REPORT_MODULES = """
import json, sys
from cardcheck.cli import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
COMMAND = [sys.executable, "-c", "from cardcheck.cli import main; main()"]


def imports(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports at run time, inside its functions too; imports for type checkers are left out."""
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and isinstance(block.test, ast.Name) and block.test.id == "TYPE_CHECKING"
        for statement in block.body
        for node in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported(path: Path, names: tuple[str, ...]) -> list[str]:
    """Return which of `names`, or of what lies inside them, a file imports."""
    found = imports(ast.parse(path.read_text(encoding="utf-8")))
    return [name for name in found if any(name == banned or name.startswith(f"{banned}.") for banned in names)]


def within(path: Path, *folders: str) -> bool:
    """Tell whether a file lies in one of the package's folders."""
    return path.relative_to(PACKAGE).parts[0] in folders


def test_the_imports_are_seen() -> None:
    """The reader of imports sees those inside functions and passes over those for type checkers."""
    text = "import a.b\nif TYPE_CHECKING:\n    import c\nelse:\n    import d\ndef f():\n    from e import g\n"
    assert sorted(imports(ast.parse(text))) == ["a.b", "d", "e.g"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_layers(path: Path) -> None:
    """Facts, engine and report know nothing of measuring, nothing knows the command line, and net and spotcheck have their monopolies."""
    if within(path, *LAYERS):
        assert imported(path, ("cardcheck.spotcheck", "cardcheck.leaderboard")) == []
    if within(path, "facts"):
        assert imported(path, ("cardcheck.engine", "cardcheck.report", "cardcheck.pipeline")) == []
    if within(path, "engine"):
        assert imported(path, ("cardcheck.report", "cardcheck.pipeline")) == []
    if within(path, "spotcheck"):
        assert imported(path, ("cardcheck.report", "cardcheck.engine", "cardcheck.pipeline")) == []
    if not within(path, "cli"):
        assert imported(path, ("cardcheck.cli",)) == []
    if not within(path, "net"):
        assert imported(path, NETWORK) == (["socket"] if path.relative_to(PACKAGE).as_posix() in OWN_PROCESSES else [])
    if not within(path, "spotcheck"):
        allowed = ["mteb"] if path == PACKAGE / "catalogue" / "build.py" else []  # it is run by hand, to make the packaged facts again
        assert imported(path, MODELS) == allowed


def test_modules_are_short() -> None:
    """No module is much longer than 300 lines; the table of facts is a table."""
    long = {path.name for path in FILES if path.read_text(encoding="utf-8").count("\n") > 330}
    assert long <= {"schema.py"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["lint", "README.md"], ["lint", "."], ["audit", "--help"], ["rules", "list"]]
)
def test_light_commands_import_nothing_heavy(make_model: MakeModel, arguments: list[str]) -> None:
    """Help, version, linting and the list of rules import no numerics, no models and no client of the Hub."""
    model = make_model({"README.md": "---\nlicense: mit\n---\n# m\n\n<a href='https://x.example'>x</a>\n", "config.json": "{}"})
    result = subprocess.run(
        [sys.executable, "-c", REPORT_MODULES, *arguments], cwd=model, capture_output=True, text=True, check=False, env=environment()
    )
    modules = json.loads(result.stderr.splitlines()[-1])
    assert "cardcheck.cli" in modules
    assert [name for name in modules if name in HEAVY or name.startswith(tuple(f"{heavy}." for heavy in HEAVY))] == []


def environment() -> dict[str, str]:
    """Return the environment with the package found from any folder."""
    return os.environ | {"PYTHONPATH": str(PACKAGE.parent)}


def cpu_seconds(command: list[str], folder: Path) -> float:
    """Return the CPU time of the quickest of five runs; the first compiles, wherever Python is told to keep nothing of that."""
    times = []
    compiled = environment() | {"PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    compiled.pop("PYTHONDONTWRITEBYTECODE", None)
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = subprocess.run(command, cwd=folder, capture_output=True, check=False, env=compiled)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run.returncode in (0, 1), "a command that fails is quick"
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


@pytest.mark.timed
@pytest.mark.parametrize(
    ("arguments", "budget"),
    [
        (["--version"], 10),
        (["--help"], 10),
        (["lint", "README.md"], 25),  # the budget is 15; machines of CI are noisy
    ],
)
def test_starting_is_quick(make_model: MakeModel, arguments: list[str], budget: float) -> None:
    """Starting, and linting one card, stay within their budget of CPU, counted in empty Pythons: 10 ms where README's figures are from."""
    model = make_model({"README.md": "---\nlicense: mit\n---\n# m\n\nSee [it](https://arxiv.org/abs/2401.00001).\n"})
    assert cpu_seconds([*COMMAND, *arguments], model) <= budget * cpu_seconds([sys.executable, "-c", ""], model)
