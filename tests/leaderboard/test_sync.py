"""Bringing results into the store: from every kind of source, again after changes, and under what goes wrong."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from results_made import REVISION, put, result

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import read, shares, store
from cardcheck.leaderboard.read import share
from cardcheck.leaderboard.sources import Folder
from cardcheck.leaderboard.sync import sync

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, Any]]


def rows(file: Path, *names: str) -> Rows:
    """Return columns of the store, in the order of their values."""
    found: Rows = store.open_store(file).rows(names or ("model", "revision", "task", "split", "subset", "main_score")).to_pylist()
    return sorted(found, key=repr)


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    put(root, "a/one", result("SciFact", {"test": [("default", 0.5)]}))
    put(root, "a/one", result("ArguAna", {"test": [("default", 0.25)], "dev": [("default", 0.75)]}))
    put(root, "b/two", result("SciFact", {"test": [("default", 0.7)]}), revision="external")
    return root


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "scores.parquet"


def packed(tree: Path, kind: str) -> Path:
    """Return an archive of a tree, as GitHub packs it: below a folder of its own."""
    import zstandard

    archive = tree.with_name(f"results.{kind}")
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
            for path in tree.rglob("*.json"):
                out.write(path, f"results-main/{path.relative_to(tree)}")
        return archive
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz" if kind == "tar.gz" else "w") as tar:
        tar.add(tree, "results-main")
    text = plain.getvalue()
    archive.write_bytes(zstandard.compress(text) if kind == "tar.zst" else text)
    return archive


def git(*arguments: str, at: Path) -> None:
    """Run git with a name and nothing of the user's settings."""
    about = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    names = {f"GIT_{who}_{what}": "t@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=at, check=True, capture_output=True, env=os.environ | about | names)


@pytest.mark.parametrize("kind", ["tar", "tar.gz", "tar.zst", "zip"])
def test_an_archive_gives_what_the_folder_gives(tree: Path, file: Path, kind: str) -> None:
    """Every kind of archive holds the same scores as the folder it was packed from."""
    sync(str(tree), file)
    expected = rows(file)
    done = sync(str(packed(tree, kind)), file)
    assert done.read == 5
    assert rows(file) == expected
    assert len(expected) == 4
    assert sync(str(packed(tree, kind).with_name(f"results.{kind}")), file).head.rows == 4


def test_a_bare_repository_is_read_through_git(tree: Path, file: Path, tmp_path: Path) -> None:
    """The last commit is read without a checkout; after another commit only what changed is read."""
    git("init", "-q", at=tree)
    git("add", ".", at=tree)
    git("commit", "-qm", "one", at=tree)
    git("clone", "-q", "--bare", str(tree), str(tmp_path / "bare.git"), at=tmp_path)
    address = f"file://{tmp_path}/bare.git"
    assert sync(address, file).read == 5
    assert sync(address, file).unchanged
    put(tree, "a/one", result("SciFact", {"test": [("default", 0.9)]}))
    git("commit", "-qam", "two", at=tree)
    git("push", "-q", str(tmp_path / "bare.git"), "HEAD", at=tree)
    assert sync(address, file).read == 1
    assert {"model": "a/one", "task": "SciFact", "main_score": 0.9} in rows(file, "model", "task", "main_score")


@pytest.mark.parametrize("address", ["ext::sh -c touch% /tmp/x", "https://127.0.0.1:9/none", "--upload-pack=touch x"])
def test_an_address_that_leads_nowhere_is_said(tree: Path, file: Path, address: str) -> None:
    """What git cannot fetch, or what is no address, becomes one line; the store stays."""
    sync(str(tree), file)
    with pytest.raises(CardcheckError):
        sync(address, file)
    assert len(rows(file)) == 4


def test_only_what_changed_is_read_again(tree: Path, file: Path) -> None:
    """A changed, a new and a removed file are seen; the rest is kept as it was."""
    sync(str(tree), file)
    assert sync(str(tree), file).unchanged
    put(tree, "a/one", result("SciFact", {"test": [("default", 0.125)]}), described=False)
    put(tree, "c/three", result("SciFact", {"test": [("default", 0.1)]}))
    (tree / "results" / "b__two" / "external" / "SciFact.json").unlink()
    done = sync(str(tree), file)
    assert (done.read, done.kept, done.gone) == (3, 3, 1)
    changed = rows(file)
    sync(str(tree), file, again=True)
    assert rows(file) == changed
    assert [row["main_score"] for row in changed if row["task"] == "SciFact"] == [0.125, 0.1]


def test_a_description_that_changes_renames_its_results(tree: Path, file: Path) -> None:
    """Files beside a new description are read again, although they did not change; without it they are as their folder says."""
    sync(str(tree), file)
    meta = tree / "results" / "a__one" / REVISION / "model_meta.json"
    meta.write_text(json.dumps({"name": "a/renamed", "revision": None}))
    sync(str(tree), file)
    assert {row["model"] for row in rows(file, "model")} == {"a/renamed", "b/two"}
    meta.unlink()
    sync(str(tree), file)
    assert {(row["model"], row["described"]) for row in rows(file, "model", "described")} == {("a/one", False), ("b/two", True)}


def test_bad_files_are_named_and_stop_nothing(tree: Path, file: Path) -> None:
    """Files that cannot be read are counted, each with a reason, are not read again, and are forgotten once they are mended."""
    for name, text in {
        "Empty": b"",
        "Cut": b'{"task_name": "x", "sco',
        "Text": b"hello",
        "Line": json.dumps(result("a\nb", {})).encode(),
    }.items():
        put(tree, "a/one", text, task=name)
    put(tree, "a/one", '{"task_name": "SciFact\\ud800", "scores": {}, "mteb_version": null, "dataset_revision": "1"}', task="Half")
    (tree / "results" / "b__two" / "external" / "model_meta.json").write_text("[]")
    done = sync(str(tree), file)
    assert {path.rpartition("/")[2] for path in done.head.bad} == {
        "Empty.json",
        "Cut.json",
        "Text.json",
        "Line.json",
        "Half.json",
        "model_meta.json",
    }
    assert all(done.head.bad.values())
    assert done.head.rows == 4
    assert sync(str(tree), file).unchanged
    put(tree, "a/one", result("Empty", {"test": [("default", 1.0)]}))
    assert len(sync(str(tree), file).head.bad) == 5


def test_links_pipes_and_giants_are_left_alone(tree: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link, a pipe and a file beyond the limit are not followed, waited for or read."""
    folder = tree / "results" / "a__one" / REVISION
    (folder / "Link.json").symlink_to(folder / "SciFact.json")
    os.mkfifo(folder / "Pipe.json")
    (tree / "results" / "loop").symlink_to(tree / "results")
    put(tree, "a/one", b" " * 5000, task="Giant")
    monkeypatch.setattr("cardcheck.leaderboard.sources.MAX_BYTES", 4000)
    done = sync(str(tree), file)
    assert list(done.head.bad) == [f"results/a__one/{REVISION}/Giant.json"]
    assert done.head.rows == 4


def test_experiments_are_kept_apart(tree: Path, file: Path) -> None:
    """Results of an experiment carry its name."""
    put(tree, "a/one", result("SciFact", {"test": [("default", 0.4)]}), experiment="embed_dim_64")
    sync(str(tree), file)
    assert {row["experiment"] for row in rows(file, "experiment")} == {None, "embed_dim_64"}


def test_a_run_without_scores_is_a_row(tree: Path, file: Path) -> None:
    """A file whose scores are empty still says that there was a run."""
    put(tree, "a/one", result("STS12", {}))
    sync(str(tree), file)
    assert {"task": "STS12", "split": None, "main_score": None} in rows(file, "task", "split", "main_score")


def test_a_folder_without_results_leaves_the_store(tree: Path, file: Path, tmp_path: Path) -> None:
    """What holds no results is refused, as is what is nothing at all; a store that is none is made again."""
    sync(str(tree), file)
    (tmp_path / "empty").mkdir()
    (tmp_path / "some.tar").write_bytes(b"not a tar")
    (tmp_path / "some.zip").write_bytes(b"not a zip")
    (tmp_path / "some.tar.zst").write_bytes(b"not zstd")
    (tmp_path / "some.txt").write_bytes(b"text")
    for name in ("empty", "nothing", "some.tar", "some.zip", "some.tar.zst", "some.txt"):
        with pytest.raises(CardcheckError):
            sync(str(tmp_path / name), file)
    assert len(rows(file)) == 4
    file.write_bytes(b"PAR1 broken")
    with pytest.raises(CardcheckError, match="no store"):
        store.open_store(file)
    assert sync(str(tree), file).read == 5


def test_several_processes_read_the_same(tree: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that is shared gives the rows in the same order as work that is not."""
    for number in range(40):
        put(tree, f"m/{number}", result("SciFact", {"test": [("default", number / 40)]}))
    sync(str(tree), file)
    alone = store.open_store(file).rows(store.schema().names).to_pylist()
    monkeypatch.setattr(read, "PAYS", 1)
    monkeypatch.setattr(shares, "PIECE", 3)
    sync(str(tree), file, jobs=3, again=True)
    assert store.open_store(file).rows(store.schema().names).to_pylist() == alone


def test_a_process_that_dies_takes_no_file_with_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a dead process had taken is read by the one that is left."""
    monkeypatch.setattr(shares, "CHILD", "import sys, os; os.read(int(sys.argv[1]), 4); os._exit(9)")
    monkeypatch.setattr(shares, "PIECE", 1)
    source = Folder(str(tree))
    paths = sorted(path for path in source.stamps() if not path.endswith("model_meta.json"))
    found = [path for one in shares.in_processes(source, paths, 2) for path in one.files["path"].to_pylist()]
    assert found == paths
    assert share(source, []).scores.num_rows == 0


RUN = "import sys; from pathlib import Path; from cardcheck.leaderboard.sync import sync; sync(sys.argv[1], Path(sys.argv[2]), again=True)"
FOREVER = RUN.replace("; sync(", "\nwhile True: print(flush=True); sync(")


def test_a_sync_that_is_killed_leaves_the_old_store_or_the_new(tree: Path, file: Path) -> None:
    """Killed at any moment of reading or writing, the store holds all scores of before or all of after, and the next sync works."""
    for number in range(200):
        put(tree, f"m/{number}", result("SciFact", {"test": [("default", 0.0)]}))
    sync(str(tree), file)
    for turn in range(1, 13):
        for number in range(200):
            put(tree, f"m/{number}", result("SciFact", {"test": [("default", float(turn))]}), described=False)
        with subprocess.Popen([sys.executable, "-c", FOREVER, str(tree), str(file)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.02 * turn)
            process.send_signal(signal.SIGKILL)
        found = rows(file)
        assert len({row["main_score"] for row in found if row["model"].startswith("m/")}) == 1
        assert len(found) == 204
    sync(str(tree), file)
    assert {row["main_score"] for row in rows(file) if row["model"] == "m/0"} == {12.0}
    assert not list(file.parent.glob(".*.half"))


def test_two_syncs_at_once_wait_for_each_other(tree: Path, file: Path) -> None:
    """Several syncs that start together all succeed, and one store comes of it."""
    started = [subprocess.Popen([sys.executable, "-c", RUN, str(tree), str(file)]) for _ in range(3)]
    assert [process.wait(60) for process in started] == [0, 0, 0]
    assert len(rows(file)) == 4
    assert not list(file.parent.glob(".*.half"))


def test_a_reader_keeps_what_it_opened(tree: Path, file: Path) -> None:
    """A store that was opened before a sync still gives the scores of then."""
    sync(str(tree), file)
    opened = store.open_store(file)
    put(tree, "a/one", result("SciFact", {"test": [("default", 0.0)]}))
    sync(str(tree), file)
    assert 0.5 in opened.rows(["main_score"])["main_score"].to_pylist()
