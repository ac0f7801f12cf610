"""From what a user names to subjects: folders, files, patterns, cache entries and what is left out."""

from __future__ import annotations

import io
import json
import os
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.facts import files
from cardcheck.inputs import gather

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

    from cardcheck.subject import Subject

CARD = "---\nlicense: mit\ndatasets: [acme/pairs]\nbase_model: acme/encoder\n---\n# ours\n\n[Paper](https://arxiv.org/abs/2401.00001)\n"
BERT = '{"model_type": "bert", "hidden_size": 4}'
TREE = {
    "README.md": "# our application\n\nlicense: see below\n",
    "app/search.py": "model = 'acme/encoder'\n",
    "app/config.json": '{"port": 80}',
    "app/data.csv": "a,b\n",
    "app/.env": "MODEL=acme/encoder\n",
    "Dockerfile": "FROM python\n",
    "deploy/compose.yaml": "services: {}\n",
    "cards/one/README.md": CARD,
    "cards/two/README.md": CARD,
    "cards/notes.md": "# notes\n",
    "models/small/README.md": CARD,
    "models/small/config.json": BERT,
    "models/small/modules.json": "[]",
    "models/small/1_Pooling/config.json": '{"pooling_mode_mean_tokens": true}',
    "models/small/train.py": "print()\n",
    "models/weights/model.safetensors": "x",
    "models/plain/config.json": BERT,
    "models/adapter/adapter_config.json": "{}",
    "node_modules/x/index.py": "",
    ".hidden/x.py": "",
    ".github/workflows/ci.yaml": "jobs: {}\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a working directory with an application, cards and models."""
    for name, text in TREE.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path / "tree")
    return tmp_path / "tree"


def short(subjects: list[Subject], tree: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the kind, the path from the tree and the named files of each subject."""
    return [(s.kind, os.path.relpath(s.path, tree), tuple(sorted(s.only))) for s in subjects]


APPLICATION = (".github/workflows/ci.yaml", "Dockerfile", "app/.env", "app/config.json", "app/search.py", "deploy/compose.yaml")
MODELS = [("folder", f"models/{name}", ()) for name in ("adapter", "plain", "small", "weights")]
CARDS = [("card", f"cards/{name}/README.md", ()) for name in ("one", "two")]


def test_a_tree_is_searched(tree: Path) -> None:
    """A folder that is no model is searched for models, cards and an application's files; other people's folders are passed over."""
    assert short(gather(["."]), tree) == [*MODELS, *CARDS, ("application", ".", APPLICATION)]


def test_a_tree_elsewhere(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder outside the working directory is searched in the same way; its application's files are named from where they lie."""
    (tree.parent / "elsewhere").mkdir()
    monkeypatch.chdir(tree.parent / "elsewhere")
    subjects = gather([str(tree / "app"), str(tree / "models")])
    assert short(subjects, tree) == [*MODELS, ("application", "app", (".env", "config.json", "search.py"))]
    (tree / "x.py").write_text("")
    assert short(gather([str(tree / "app" / "search.py"), str(tree / "x.py")]), tree) == [("application", ".", ("app/search.py", "x.py"))]


@pytest.mark.parametrize("model", ["small", "weights", "plain", "adapter"])
def test_a_models_folder_is_one_subject(tree: Path, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a configuration or weights of a model is that model, all of it, from outside and from inside."""
    assert short(gather([f"models/{model}"]), tree) == [("folder", f"models/{model}", ())]
    monkeypatch.chdir(tree / "models" / model)
    assert short(gather(["."]), tree) == [("folder", f"models/{model}", ())]


def test_an_id_makes_a_folder_a_model(tree: Path) -> None:
    """A folder that the user says is a copy of a repository is that repository."""
    found = gather(["cards"], hub_id="acme/ours")
    assert [(s.kind, s.id) for s in found] == [("folder", "acme/ours")]
    assert gather(["cards/one/README.md"], hub_id="acme/ours")[0].id == "acme/ours"
    assert tree.is_dir()


@pytest.mark.parametrize("content", [{}, {"notes.txt": "x"}, {"README.md": "# no front matter\n"}])
def test_a_folder_with_nothing_in_it_is_judged_as_a_model(tmp_path: Path, content: dict[str, str]) -> None:
    """A folder in which nothing is found is not passed over: what is missing in it is told."""
    (tmp_path / "x").mkdir()
    for name, text in content.items():
        (tmp_path / "x" / name).write_text(text)
    assert [(s.kind, s.path) for s in gather([str(tmp_path / "x")])] == [("folder", tmp_path / "x")]


@pytest.mark.parametrize(
    ("names", "subjects"),
    [
        (["cards/one/README.md"], [CARDS[0]]),
        (["cards/notes.md"], [("card", "cards/notes.md", ())]),
        (["README.md"], [("card", "README.md", ())]),
        (["app/search.py"], [("application", ".", ("app/search.py",))]),
        (["app/config.json", "Dockerfile"], [("application", ".", ("Dockerfile", "app/config.json"))]),
        (["models/small/config.json"], [("files", "models/small", ("config.json",))]),
        (["models/small/1_Pooling/config.json"], [("files", "models/small", ("1_Pooling/config.json",))]),
        (["models/weights/model.safetensors"], [("files", "models/weights", ("model.safetensors",))]),
        (
            ["models/small/modules.json", "models/small/1_Pooling/config.json", "models/small/README.md", "models/plain/config.json"],
            [
                ("files", "models/small", ("1_Pooling/config.json", "README.md", "modules.json")),
                ("files", "models/plain", ("config.json",)),
            ],
        ),
        (["models/small/README.md"], [("card", "models/small/README.md", ())]),
        (["models/small/train.py"], [("application", ".", ("models/small/train.py",))]),
        (["models/small", "cards/one/README.md"], [MODELS[2], CARDS[0]]),
    ],
)
def test_named_files(tree: Path, names: list[str], subjects: list[Any]) -> None:
    """Files that are named one by one are told apart by what they are, and those of one model are judged together."""
    assert short(gather(names), tree) == subjects


def test_results_belong_to_the_model_above(tree: Path) -> None:
    """Files of results lie one folder below their model."""
    (tree / "models/small/.eval_results").mkdir()
    (tree / "models/small/.eval_results/a.yaml").write_text("- a\n")
    assert short(gather(["models/small/.eval_results/a.yaml"]), tree) == [("files", "models/small", (".eval_results/a.yaml",))]


def test_a_file_is_judged_once(tree: Path) -> None:
    """What is named twice, or by a name and a pattern, is one subject."""
    names = [
        "cards/one/README.md",
        "./cards/one/README.md",
        "cards/*/README.md",
        "app/search.py",
        "app/*.py",
        *["models/plain/config.json"] * 2,
    ]
    assert short(gather(names), tree) == [
        *CARDS,
        ("files", "models/plain", ("config.json",)),
        ("application", ".", ("app/search.py",)),
    ]


@pytest.mark.parametrize("name", ["app/data.csv", "models/weights/model.safetensors.txt", "LICENSE"])
def test_files_that_no_rule_speaks_of_are_refused(tree: Path, name: str) -> None:
    """A named file that is neither a model's nor an application's is an error, not a pass."""
    (tree / name).write_text("x")
    with pytest.raises(CardcheckError, match="is no file that cardcheck reads"):
        gather([name])


@pytest.mark.parametrize("name", ["gone/README.md", "./gone", "gone.py", "", " ", "../gone"])
def test_names_that_lead_nowhere_are_refused(tree: Path, name: str) -> None:
    """A name of nothing is an error."""
    assert tree.is_dir()
    with pytest.raises(CardcheckError):
        gather([name])


@pytest.mark.parametrize(
    ("pattern", "subjects"),
    [
        ("cards/*/README.md", CARDS),
        ("**/README.md", [("card", "README.md", ()), *CARDS, ("card", "models/small/README.md", ())]),
        ("cards/**", [*CARDS, ("card", "cards/notes.md", ())]),
        ("app/*", [("application", ".", ("app/config.json", "app/search.py"))]),
        ("models/[ps]*/config.json", [("files", "models/plain", ("config.json",)), ("files", "models/small", ("config.json",))]),
        ("app/search.p?", [("application", ".", ("app/search.py",))]),
    ],
)
def test_patterns(tree: Path, pattern: str, subjects: list[Any]) -> None:
    """A quoted pattern is spread out; of the files that it matches those count that a rule can speak of."""
    assert sorted(short(gather([pattern]), tree)) == sorted(subjects)
    assert sorted(short(gather([str(tree / pattern)]), tree)) == sorted(subjects)


@pytest.mark.parametrize("pattern", ["*.gone", "gone/**", "models/*", "models/*/"])
def test_patterns_that_match_no_file_are_refused(tree: Path, pattern: str) -> None:
    """A pattern without a file is an error: a typing error, or folders alone, must not pass for a clean run."""
    assert tree.is_dir()
    with pytest.raises(CardcheckError, match="matches no file"):
        gather([pattern])


def test_names_with_the_signs_of_patterns(tree: Path) -> None:
    """A file whose name holds brackets is itself."""
    (tree / "cards/[x]").mkdir()
    (tree / "cards/[x]/README.md").write_text(CARD)
    assert short(gather(["cards/[x]/README.md"]), tree) == [("card", "cards/[x]/README.md", ())]


@pytest.mark.parametrize(
    ("names", "exclude", "left"),
    [
        (["."], ["models", "cards", "app"], [("application", ".", (".github/workflows/ci.yaml", "Dockerfile", "deploy/compose.yaml"))]),
        (["."], ["models/", "cards/*", "app/*", ".github", "Dock*", "deploy", "*.md"], []),
        (["."], ["*"], []),
        (["cards"], ["cards/two"], [CARDS[0]]),
        (["cards"], ["*/two/*"], [CARDS[0]]),
        (["cards"], ["cards"], []),
        (["models/small", "models/plain"], ["models/small"], [MODELS[1]]),
        (["models"], ["models/[!p]*"], [MODELS[1]]),
        (["cards/one/README.md", "cards/two/README.md"], ["cards/two"], [CARDS[0]]),
        (["**/README.md"], ["models", "README.md", "cards/two"], [CARDS[0]]),
        (["app/search.py", "app/data.csv"], ["*.csv"], [("application", ".", ("app/search.py",))]),
        (["models/small/config.json"], ["models"], []),
    ],
)
def test_exclude(tree: Path, names: list[str], exclude: list[str], left: list[Any]) -> None:
    """Patterns leave out files and whole folders, also those that are named one by one, as hooks name them."""
    assert short(gather(names, exclude=exclude), tree) == left


def test_links_are_not_followed_in_a_search(tree: Path, tmp_path: Path) -> None:
    """A link in a tree, to a file or a folder or to itself, is passed over."""
    (tmp_path / "secret.py").write_text("")
    (tree / "app/link.py").symlink_to(tmp_path / "secret.py")
    (tree / "app/again").symlink_to(tree)
    (tree / "app/loop").symlink_to("loop")
    assert short(gather(["app"]), tree) == [("application", ".", ("app/.env", "app/config.json", "app/search.py"))]


def test_cache_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries of the Hub's cache are found in a search, by name and from inside, and known by their id and commit."""
    for name in ("one", "two"):
        entry = tmp_path / "hub" / f"models--acme--{name}"
        for folder in ("blobs", "refs", "snapshots/abc"):
            (entry / folder).mkdir(parents=True)
        (entry / "refs/main").write_text("abc")
        (entry / "blobs/1").write_text(CARD)
        (entry / "snapshots/abc/README.md").symlink_to("../../blobs/1")
    monkeypatch.chdir(tmp_path)
    assert [(s.kind, s.id, s.revision) for s in gather(["hub"])] == [("cache", "acme/one", "abc"), ("cache", "acme/two", "abc")]
    for given in ("hub/models--acme--one", "hub/models--acme--one/snapshots/abc"):
        assert [(s.kind, s.id) for s in gather([given])] == [("cache", "acme/one")]
    monkeypatch.chdir("hub/models--acme--one/snapshots/abc")
    assert [(s.kind, s.id) for s in gather(["."])] == [("cache", "acme/one")]


def test_too_many_files_are_told(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree with more files than are looked at is an error, since half of it would pass unseen."""
    monkeypatch.setattr("cardcheck.inputs.MAX_FILES", 5)
    with pytest.raises(CardcheckError, match="holds more than 5 files"):
        gather(["."])
    assert len(gather(["cards"])) == 2
    assert tree.is_dir()


def test_deep_trees_end(tmp_path: Path) -> None:
    """A tree that is nested too deeply is searched to a depth only."""
    deep = tmp_path.joinpath(*["d"] * (files.MAX_DEPTH + 3))
    deep.mkdir(parents=True)
    (deep / "x.py").write_text("")
    (tmp_path / "y.py").write_text("")
    assert [s.only for s in gather([str(tmp_path)])] == [("y.py",)]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that puts bytes on standard input."""

    def call(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return call


def test_standard_input(run: Run, typed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` is the card on standard input; the report names it so, and not the file it lay in meanwhile."""
    monkeypatch.chdir(tmp_path)
    typed(CARD.replace("mit", "MIT").encode())
    result = run("lint", "-")
    assert (result.status, result.err) == (1, "")
    assert "README.md:2:1: warning CC110" in result.out
    typed(CARD.replace("mit", "MIT").encode())
    document = json.loads(run("lint", "-", "--json").out)["audits"][0]
    assert document["subject"]["given"] == "-"
    assert {finding["path"] for finding in document["findings"]} == {"README.md"}
    typed(CARD.encode())
    assert run("lint", "-").status == 0


def test_reports_do_not_name_where_standard_input_lay(run: Run, typed: Any) -> None:
    """The text report says that the card came from standard input and names no temporary file."""
    typed(CARD.encode())
    assert tempfile.gettempdir() not in run("lint", "-").out


def test_standard_input_of_another_name(run: Run, typed: Any) -> None:
    """`--stdin-filename` says what the text is: another card, or a model's configuration."""
    typed(b"{")
    result = run("lint", "-", "--stdin-filename", "modules.json")
    assert result.status == 1
    assert "modules.json:1:2: error CC505" in result.out
    typed(b"\xff\x00---\n")
    assert run("lint", "-", "--stdin-filename", "CARD.md").status == 1


@pytest.mark.parametrize("name", ["a/b.md", "/etc/x.md", "../x.md", "..", ".", "", "x.csv"])
def test_names_that_standard_input_cannot_have(run: Run, typed: Any, name: str) -> None:
    """A name with folders, none at all, or one that no rule speaks of ends with 2."""
    typed(b"x")
    result = run("lint", "-", "--stdin-filename", name)
    assert (result.status, result.out) == (2, "")
    assert "internal error" not in result.err


def test_standard_input_beside_files(run: Run, typed: Any, tree: Path) -> None:
    """Standard input may be judged together with files; fixes leave it alone."""
    typed(CARD.replace("mit", "MIT").encode())
    result = run("lint", "-", "cards", "--fix")
    assert result.status == 1
    assert " in 1 of 3 subjects" in result.out
    assert (tree / "cards/one/README.md").read_text() == CARD


@pytest.mark.parametrize("text", ["", "{", "[]", "<<<<<<< ours\n{}\n", '{"hidden_size": 384,}'])
@pytest.mark.parametrize("beside", [{"tokenizer_config.json": "{}"}, {"model.safetensors": ""}, {"README.md": "---\nlicense: mit\n---\n"}])
def test_a_broken_config_is_that_of_what_lies_beside_it(tmp_path: Path, text: str, beside: dict[str, str]) -> None:
    """A config.json that cannot be read belongs to the model that it lies with, and to an application elsewhere."""
    (tmp_path / "m").mkdir()
    for name, content in {"config.json": text, **beside}.items():
        (tmp_path / "m" / name).write_text(content)
    (tmp_path / "config.json").write_text("{")
    assert [s.kind for s in gather([str(tmp_path / "m" / "config.json")])] == ["files"]
    assert [s.kind for s in gather([str(tmp_path / "config.json")])] == ["application"]
