"""From what files say to facts: which model is meant, whether sizes agree, and what code may run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts.application import collect_application, reader_of
from cardcheck.facts.files import Listing
from cardcheck.facts.model import Facts

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "from sentence_transformers import CrossEncoder, SentenceTransformer\n"
COMMIT = "5617a9f61b028005a4858fdac845db406aefb181"


def facts_of(root: Path, files: dict[str, str]) -> Facts:
    """Return the facts of an application with these files."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    facts = Facts()
    collect_application(facts, Listing(root, {path: len(text) for path, text in files.items()}))
    return facts


def models(root: Path, files: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the rows of the models that an application chooses, by id."""
    return {row["id"]: row for row in facts_of(root, files)["app.models"]}


def test_what_the_catalogue_knows(tmp_path: Path) -> None:
    """A model that is known brings its size, its limit and its successor; one that is not is believed where a call loads it."""
    found = models(tmp_path, {"a.py": HEAD + "SentenceTransformer('all-MiniLM-L6-v2')\nSentenceTransformer('acme/ours')\n"})
    known, ours = found["sentence-transformers/all-MiniLM-L6-v2"], found["acme/ours"]
    assert (known["dimension"], known["known"], known["loads"], known["pinned"]) == (384, True, True, False)
    assert (ours["dimension"], ours["known"], ours["successor"]) == (None, False, None)


def test_names_that_are_not_quite_right(tmp_path: Path) -> None:
    """A name in other capitals, one with a slip and one that has moved are told apart; what a service calls its model is its own affair."""
    given = ("baai/bge-m3", "BAII/bge-small-en-v1.5", "dunzhang/stella_en_400M_v5")
    code = "\n".join(f"SentenceTransformer('{name}')" for name in given)
    found = models(tmp_path, {"a.py": HEAD + code, "b.py": "def rank(reranker_model='cross-encoder/ms-marco-minilm-l-12-v2'): ...\n"})
    assert found["baai/bge-m3"]["cased"] == "BAAI/bge-m3"
    assert found["BAII/bge-small-en-v1.5"]["meant"] == "BAAI/bge-small-en-v1.5"
    assert found["dunzhang/stella_en_400M_v5"]["moved_to"] == "NovaSearch/stella_en_400M_v5"
    assert found["cross-encoder/ms-marco-MiniLM-L-12-v2"]["moved_to"] is None


def test_folders_are_no_models_of_the_hub(tmp_path: Path) -> None:
    """A name that is a folder of the application is a model of its own."""
    (tmp_path / "BAAI" / "bge-m3").mkdir(parents=True)
    [row] = models(tmp_path, {"a.py": HEAD + "SentenceTransformer('BAAI/bge-m3')\n"}).values()
    assert (row["kind"], row["loads"], row["known"]) == ("local", False, False)


@pytest.mark.parametrize(
    ("path", "in_tests"),
    [
        ("tests/a.py", True),
        ("app/test/a.py", True),
        ("integration_tests/a.py", True),
        ("app/test_search.py", True),
        ("app/search_test.py", True),
        ("conftest.py", True),
        ("app/search.py", False),
        ("latest/search.py", False),
        ("app/testing.py", False),
        ("contest.py", False),
    ],
)
def test_files_of_tests(tmp_path: Path, path: str, in_tests: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Files of tests are known by their folder or their name."""
    [row] = models(tmp_path, {path: HEAD + "SentenceTransformer('BAAI/bge-m3')\n"}).values()
    assert row["in_tests"] is in_tests


@pytest.mark.parametrize(
    ("options", "pinned"),
    [
        ("", False),
        (", revision='main'", False),
        (f", revision='{COMMIT}'", True),
        (", revision=None", False),
        (", revision=revision", None),
        (", **options", False),
    ],
)
def test_code_that_may_run(tmp_path: Path, options: str, pinned: bool | None) -> None:  # noqa: FBT001  # a parameter of the test
    """Code is pinned by a full commit only; where the revision is worked out at run time, that is not known."""
    facts = facts_of(tmp_path, {"a.py": HEAD + f"SentenceTransformer('a/b', trust_remote_code=True{options})\n"})
    assert [(row["id"], row["pinned"]) for row in facts["app.remote_code"]] == [("a/b", pinned)]


def test_all_that_load_one_name_must_pin_it(tmp_path: Path) -> None:
    """Of two calls that load one constant, the one without a revision counts; code that may run unpinned is not hidden by the other."""
    code = f"N = 'a/b'\nSentenceTransformer(N, revision='{COMMIT}')\nSentenceTransformer(N, trust_remote_code=True)\n"
    facts = facts_of(tmp_path, {"a.py": HEAD + code})
    assert [row["pinned"] for row in facts["app.models"]] == [False]
    assert [row["pinned"] for row in facts["app.remote_code"]] == [False]


def test_rerankers_and_embedders_in_the_wrong_class(tmp_path: Path) -> None:
    """A reranker as an embedder, and the other way round, are told; training a new head on an embedder is no mistake."""
    code = "SentenceTransformer('BAAI/bge-reranker-base')\nCrossEncoder('all-MiniLM-L6-v2')\n"
    code += "CrossEncoder('intfloat/e5-base-v2', num_labels=1)\n"
    found = models(tmp_path, {"a.py": HEAD + code})
    assert [bool(row["misused"]) for row in found.values()] == [True, True, False]


def test_sizes_are_compared_with_the_one_model(tmp_path: Path) -> None:
    """A size is compared with the application's only model; with two, or one that is named at run time by default, nothing is compared."""
    sql = {"a.sql": "create table t (v vector(768));"}
    one = facts_of(tmp_path, {**sql, "a.py": HEAD + "SentenceTransformer('all-MiniLM-L6-v2')\n"})
    two = facts_of(tmp_path, {**sql, "a.py": HEAD + "SentenceTransformer('all-MiniLM-L6-v2')\nSentenceTransformer('BAAI/bge-m3')\n"})
    cut = facts_of(tmp_path, {**sql, "a.py": HEAD + "SentenceTransformer('all-MiniLM-L6-v2', truncate_dim=64)\n"})
    found = [[(row["dimension"], row["model_dimension"], row["shortened"]) for row in facts["app.dimensions"]] for facts in (one, two, cut)]
    assert found == [[(768, 384, False)], [(768, None, False)], [(768, 384, True)]]


def test_two_models_of_one_class(tmp_path: Path) -> None:
    """Two models of one class, or outside of classes, are a mixture; one each in two classes, or under a condition, are a choice."""
    both = "SentenceTransformer('BAAI/bge-small-en-v1.5'); SentenceTransformer('intfloat/e5-small-v2')\n"
    either = "x = SentenceTransformer('BAAI/bge-small-en-v1.5') if y else SentenceTransformer('intfloat/e5-small-v2')\n"
    classes = "class A:\n x = SentenceTransformer('BAAI/bge-small-en-v1.5')\nclass B:\n x = SentenceTransformer('intfloat/e5-small-v2')\n"
    found = [facts_of(tmp_path, {"a.py": HEAD + code})["app.mixtures"] for code in (both, "class A:\n " + both, either, classes)]
    assert [len(rows) for rows in found] == [1, 1, 0, 0]


def test_files_that_say_nothing_are_not_parsed(tmp_path: Path) -> None:
    """A broken file that never speaks of embedding is no problem of the application."""
    facts = facts_of(tmp_path, {"a.py": "print 'x'", "b.py": "print 'SentenceTransformer'", "c.md": HEAD})
    assert [row["path"] for row in facts["app.problems"]] == ["b.py"]
    assert facts["app.files"] == 3


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("a.py", True),
        ("a.ipynb", True),
        ("a.sql", True),
        (".env", True),
        (".env.example", True),
        ("prod.env", True),
        ("Dockerfile", True),
        ("Dockerfile.gpu", True),
        ("compose.yml", True),
        ("a.toml", True),
        ("start.sh", True),
        ("values.yaml.tpl", True),
        ("poetry.lock", False),
        ("package-lock.json", False),
        ("a.schema.json", False),
        ("README.md", False),
        ("a", False),
    ],
)
def test_which_files_are_read(path: str, read: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Code and settings are read by their name; text, locks and schemas are not."""
    assert (reader_of(path) is not None) is read
