"""The hooks that README offers, run by pre-commit and by prek in a real git repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from ast import literal_eval
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.hooks
each_tool = pytest.mark.parametrize("tool", ["pre-commit", "prek"])

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
NAMES = ("cardcheck-model", "cardcheck-files", "cardcheck-application")
HEAVY = {"torch", "sentence-transformers", "transformers", "mteb", "scipy", "pytrec-eval-terrier"}
# What says where and how the tools work; a test run started by a hook, or in somebody's workflow, has some of them.
NOT_OURS = ("GIT_", "GITHUB_", "CI", "PRE_COMMIT", "PREK_", "CARDCHECK_", "SKIP", "VIRTUAL_ENV", "PYTHON")

UNPINNED = 'from sentence_transformers import SentenceTransformer\n\nmodel = SentenceTransformer("BAAI/bge-m3", trust_remote_code=True)\n'
PINNED = UNPINNED.replace("trust_remote_code=True", 'revision="5617a9f61b028005a4858fdac845db406aefb181"')

# Python runs a module of this name when it starts; this one writes down each start of cardcheck with its arguments.
COUNTER = """\
import json, os, sys
if os.path.basename((sys.orig_argv + ["", ""])[1]) == "cardcheck":
    with open(os.environ["STARTS"], "a") as file:
        file.write(json.dumps(sys.orig_argv[2:]) + "\\n")
"""


@dataclass(frozen=True, slots=True)
class Hooks:
    """A git repository that offers the hooks, and where the tools install them."""

    path: Path
    revision: str
    environment: Mapping[str, str]

    def run(self, folder: Path, *command: str | Path, **environment: str) -> tuple[int, str]:
        """Run `command` in `folder`, and return its status and all that it printed."""
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**self.environment, **environment},
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
        )
        return ended.returncode, ended.stdout

    def must(self, folder: Path, *command: str | Path) -> str:
        """Run a `command` that cannot fail, and return what it printed."""
        status, text = self.run(folder, *command)
        assert status == 0, text
        return text

    def repository(self, folder: Path) -> Path:
        """Make `folder` a user's repository that uses all three hooks."""
        folder.mkdir()
        self.must(folder, "git", "init", "--quiet")
        listed = "".join(f"      - id: {name}\n" for name in NAMES)
        (folder / ".pre-commit-config.yaml").write_text(
            f"repos:\n  - repo: {self.path}\n    rev: {self.revision}\n    hooks:\n{listed}", encoding="utf-8"
        )
        return folder

    def check(self, folder: Path, tool: str, **environment: str) -> tuple[int, str]:
        """Let `tool` run the hooks on all files of `folder`."""
        self.must(folder, "git", "add", "--all")
        return self.run(folder, BIN / tool, "run", "--all-files", "--verbose", **environment)

    def packages(self, tool: str) -> set[str]:
        """Name what lies in the environment that `tool` installed the hooks into."""
        home = Path(self.environment["PRE_COMMIT_HOME" if tool == "pre-commit" else "PREK_HOME"])
        (place,) = home.glob("repo*/py_env-*" if tool == "pre-commit" else "hooks/python-*")
        (packages,) = place.glob("lib/python*/site-packages")
        return {re.split(r"-\d", path.name)[0].removesuffix(".py").replace("_", "-").lower() for path in packages.iterdir()}


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hooks]:
    """Offer the hooks of this working tree in a repository of their own, installed once by each tool."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout: git cannot say which files belong to the project")
    place = tmp_path_factory.mktemp("hooks")
    hooks = Hooks(place / "cardcheck", "", _environment(place))
    # Without the deadline, pip asks an index that is not there for minutes.
    probe = ["download", "--quiet", "--no-deps", "--retries=0", "--timeout=20", "--dest", str(place / "probe"), "click"]
    status, text = hooks.run(place, sys.executable, "-m", "pip", *probe)
    if status:
        reason = next((line for line in text.splitlines() if line.startswith("ERROR: ")), text)
        pytest.skip(f"the package index cannot be reached, so nothing can install the hooks; pip did not get click: {reason}")
    _copy_project(hooks.path)
    hooks.must(hooks.path, "git", "init", "--quiet")
    hooks.must(hooks.path, "git", "add", "--all")
    hooks.must(hooks.path, "git", "commit", "--quiet", "--message", "hooks")
    hooks = Hooks(hooks.path, hooks.must(hooks.path, "git", "rev-parse", "HEAD").strip(), hooks.environment)
    user = hooks.repository(place / "user")
    with ThreadPoolExecutor() as pool:
        for status, text in pool.map(lambda tool: hooks.run(user, BIN / tool, "install-hooks"), ("pre-commit", "prek")):
            assert status == 0, text
    yield hooks
    shutil.rmtree(place)  # pytest keeps the folders of three runs, and two environments are 250 MB


def _environment(place: Path) -> dict[str, str]:
    """Return an environment in which nothing outside `place` is written, and no settings of the person at work are read."""
    folders = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "PRE_COMMIT_HOME", "PREK_HOME", "CARDCHECK_CACHE")
    for name in folders:
        (place / name.lower()).mkdir()
    constraints = str(ROOT / "constraints.txt")
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(NOT_OURS)},
        **_index(),
        **{name: str(place / name.lower()) for name in folders},
        **{f"GIT_{role}_{part}": "hooks@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",  # so that both tools take this Python
        "PIP_CONSTRAINT": constraints,
        "UV_CONSTRAINT": constraints,
        "PREK_UV_SOURCE": "pip",  # where uv is not installed, prek would ask servers of its own choice for it
        "VIRTUALENV_NO_PERIODIC_UPDATE": "1",
    }


def _index() -> dict[str, str]:
    """Return the package index that pip is configured to use, for pip with another home and for uv, which reads no settings of pip."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True).stdout
    # Environment variables are listed first; they count most.
    pairs = [line.partition("=") for line in reversed(listed.splitlines()) if "=" in line]
    found = {key.rpartition(".")[2]: " ".join(literal_eval(value).split()) for key, _, value in pairs}
    for_pip = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "cert")
    for_uv = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "cert": "SSL_CERT_FILE"}
    return {
        **{f"PIP_{name.replace('-', '_').upper()}": found[name] for name in for_pip if name in found},
        **{variable: found[name] for name, variable in for_uv.items() if name in found},
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # what pip does: the best version of all indexes
    }


def _copy_project(target: Path) -> None:
    """Copy the files that belong to the project, committed or not."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, env=outside, check=True, capture_output=True
    ).stdout.decode()
    for name in sorted(set(listed.split("\0")) - {""}):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name, follow_symlinks=False)


@pytest.fixture
def clean(tmp_path: Path, hooks: Hooks, good_model: Path) -> Path:
    """Give a user's repository of two models and an application, in which nothing is wrong."""
    folder = hooks.repository(tmp_path / "user")
    for name in ("first", "second"):
        shutil.copytree(good_model, folder / name)
    (folder / "app.py").write_text(PINNED, encoding="utf-8")
    (folder / "notes.py").write_text("print('nothing about models')\n", encoding="utf-8")
    return folder


@pytest.fixture
def broken(clean: Path) -> Path:
    """Give the same repository with an odd licence, a card and a configuration that cannot be read, and unpinned remote code."""
    card = (clean / "first/README.md").read_text(encoding="utf-8")
    (clean / "first/README.md").write_text(card.replace("license: mit", "license: MIT"), encoding="utf-8")
    (clean / "second/README.md").write_text("---\nlicense: mit\n", encoding="utf-8")
    (clean / "second/config.json").write_text('{"model_type": "bert",', encoding="utf-8")
    (clean / "app.py").write_text(UNPINNED, encoding="utf-8")
    return clean


def _mend(folder: Path, good_model: Path) -> None:
    for name in ("first", "second"):
        shutil.copytree(good_model, folder / name, dirs_exist_ok=True)
    (folder / "app.py").write_text(PINNED, encoding="utf-8")


def _found(text: str) -> dict[str, set[tuple[str, str]]]:
    """Return what each hook found: file and rule."""
    _, *blocks = re.split(r"^- hook id: ", text, flags=re.MULTILINE)
    finding = re.compile(r"^\s*(\S+?):\d+(?::\d+)?: (?:error|warning|note) (CC\d+) ", re.MULTILINE)
    return {block.split()[0]: set(finding.findall(block)) for block in blocks}


@each_tool
def test_findings(hooks: Hooks, broken: Path, good_model: Path, tool: str) -> None:
    """Each hook finds what is its own in the files that are wrong, and all pass when these are mended."""
    models = {("first/README.md", "CC110"), ("second/README.md", "CC102"), ("second/config.json", "CC505")}
    application = {("app.py", "CC904")}
    status, text = hooks.check(broken, tool)
    found = _found(text)
    assert status == 1, text
    assert text.count("Failed\n") == len(NAMES), text
    assert models <= found["cardcheck-model"], text
    assert found["cardcheck-files"] == models, text
    assert found["cardcheck-application"] == application, text
    _mend(broken, good_model)
    status, text = hooks.check(broken, tool)
    assert (status, _found(text)) == (0, {name: set() for name in NAMES}), text
    assert text.count("Passed\n") == len(NAMES), text


@each_tool
def test_commit(hooks: Hooks, broken: Path, good_model: Path, tool: str) -> None:
    """`git commit` is refused while a card is broken, says why, and goes through when it is mended."""
    hooks.must(broken, BIN / tool, "install")
    hooks.must(broken, "git", "add", "--all")
    status, text = hooks.run(broken, "git", "commit", "--message", "broken")
    assert status == 1, text
    assert ("second/README.md", "CC102") in _found(text).get("cardcheck-files", set()), text
    assert hooks.run(broken, "git", "rev-parse", "--verify", "--quiet", "HEAD") == (1, "")
    _mend(broken, good_model)
    hooks.must(broken, "git", "add", "--all")
    hooks.must(broken, "git", "commit", "--message", "mended")
    assert hooks.must(broken, "git", "log", "--format=%s") == "mended\n"


@each_tool
def test_nothing_heavy_is_installed(hooks: Hooks, tool: str) -> None:
    """The hooks' environment holds cardcheck, and nothing that measures or runs models."""
    packages = hooks.packages(tool)
    assert {"cardcheck", "click"} <= packages
    assert packages & HEAVY == set()


@each_tool
def test_one_start_for_many_files(hooks: Hooks, tmp_path: Path, good_model: Path, tool: str) -> None:
    """Each hook starts cardcheck once, be there two hundred files or none to name."""
    folder = hooks.repository(tmp_path / "user")
    card = (good_model / "README.md").read_text(encoding="utf-8")
    files = {f"cards/{number:03}/README.md": card for number in range(200)}
    code = {f"code/module_{number:03}.py": PINNED for number in range(200)}
    for name, content in {**files, **code}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    counter = tmp_path / "counter"
    counter.mkdir()
    (counter / "sitecustomize.py").write_text(COUNTER, encoding="utf-8")
    status, text = hooks.check(folder, tool, PYTHONPATH=str(counter), STARTS=str(tmp_path / "starts"))
    assert status == 0, text
    starts = [json.loads(line) for line in (tmp_path / "starts").read_text(encoding="utf-8").splitlines()]
    assert len(starts) == len(NAMES), [start[:5] for start in starts]
    named = [sorted(word for word in start if "/" in word) for start in starts]
    assert named == [[], sorted(files), sorted(code)]
