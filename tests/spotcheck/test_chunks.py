"""Finished chunks: whole or not there, found again, made again when damaged, and an interrupted run goes on from them."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.spotcheck import chunks
from cardcheck.spotcheck.chunks import Store, key, prune
from cardcheck.spotcheck.encode import encode
from cardcheck.spotcheck.work import _store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.spotcheck.encode import Encoded

KILLS = int(os.environ.get("CARDCHECK_KILLS", "10"))
WINDOW = 8
QUERIES = [f"who was {'very ' * (number % 9)}{number}?" for number in range(60)]
DOCUMENTS = [f"the railway of {number}, " * (1 + number % 6) for number in range(240)]


def _run(model: Path, chunks: Path | None, **options: Any) -> Encoded:
    return encode(model, QUERIES, DOCUMENTS, chunks=chunks, window=WINDOW, **options)


@pytest.fixture(scope="module")
def whole(saved_model: Path) -> Encoded:
    """Return the vectors of a run that nothing interrupted and that kept nothing."""
    return _run(saved_model, None)


def _same(first: Encoded, second: Encoded) -> bool:
    return np.array_equal(first.queries, second.queries) and np.array_equal(first.documents, second.documents)


def _job(model: Path, chunks: Path, out: Path) -> dict[str, Any]:
    """Return the job that `_run` hands to the child."""
    return {
        "path": str(model), "query": QUERIES, "document": DOCUMENTS, "device": "cpu", "seed": 0, "trust_remote_code": False,
        "backend": "auto", "dtype": "auto", "chunks": str(chunks), "mteb": "", "batch_tokens": None, "window": WINDOW, "out": str(out),
    }  # fmt: skip


def _work(job: dict[str, Any]) -> None:
    """Do the child's work slowly; runs in a process that is killed."""
    from cardcheck.spotcheck.work import work

    work(job, lambda _count: time.sleep(0.02))


def test_killed_at_random_points(saved_model: Path, tmp_path: Path, whole: Encoded) -> None:
    """Processes killed at any point leave chunks that a later run goes on from, and its vectors are those of an uninterrupted run."""
    spawning = multiprocessing.get_context("forkserver")
    spawning.set_forkserver_preload(["torch", "sentence_transformers", "cardcheck.spotcheck.work"])
    seed = int.from_bytes(os.urandom(4))
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    reached = set()
    for number in range(KILLS):
        process = spawning.Process(target=_work, args=(_job(saved_model, tmp_path / "chunks", tmp_path / f"out{number}"),))
        process.start()
        process.join(chance.uniform(0.2, 2.5) if number else 60)  # the first one may have to wait for the libraries
        process.kill()
        process.join()
        folder = next((tmp_path / "chunks").iterdir(), None)
        if number == 0:  # it came to its end: take half of its work away
            assert folder
            for file in sorted(folder.glob("*.chunk"))[::2]:
                file.unlink()
            (folder / "about.json").unlink()
        reached.add(len(list(folder.glob("*.chunk"))) if folder else 0)
    resumed = _run(saved_model, tmp_path / "chunks")
    assert _same(whole, resumed), f"seed {seed}"
    assert resumed.about["reused_texts"] > 0, f"seed {seed}"
    assert len(reached) > 1, f"seed {seed}"


def test_a_finished_encoding_is_found_again(saved_model: Path, tmp_path: Path, whole: Encoded) -> None:
    """The same texts of the same model are not encoded twice, and progress tells of them all the same."""
    told: list[int] = []
    assert _same(whole, _run(saved_model, tmp_path))
    again = _run(saved_model, tmp_path, progress=told.append)
    assert _same(whole, again)
    assert again.about["reused_texts"] == sum(told) == len(QUERIES) + len(DOCUMENTS)
    assert again.about["max_seq_length"] == whole.about["max_seq_length"]


def test_damaged_chunks_are_made_again(saved_model: Path, tmp_path: Path, whole: Encoded) -> None:
    """A chunk that is cut off, changed, empty, of another size or no chunk at all is not used."""
    _run(saved_model, tmp_path)
    folder = next(tmp_path.iterdir())
    files = sorted(folder.glob("*.chunk"))
    damages: tuple[Callable[[bytes], bytes], ...] = (
        lambda data: data[:-7],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda _data: b"",
        lambda data: b"x" + data,
    )
    for at, damage in enumerate(damages):
        files[at].write_bytes(damage(files[at].read_bytes()))
    files[4].write_bytes(files[-1].read_bytes())  # the last one has fewer rows
    again = _run(saved_model, tmp_path)
    assert _same(whole, again)
    assert again.about["reused_texts"] == len(QUERIES) + len(DOCUMENTS) - 5 * WINDOW


def test_a_changed_model_is_another_encoding(tiny: Path, tmp_path: Path) -> None:
    """Other weights, code, data type, device or texts have a folder of their own; another card or a pickle nobody loads have not."""
    job = _job(tiny, tmp_path / "chunks", tmp_path / "out")

    def folder(**changed: Any) -> Path:
        store = _store(job | changed, WINDOW)
        assert store
        return store.folder

    first = folder()
    (tiny / "README.md").write_text("another card", encoding="utf-8")
    (tiny / "pytorch_model.bin").write_bytes(b"a pickle")
    assert folder() == first
    assert folder(device="cuda:1") == folder(device="cuda:0")
    found = {first, folder(dtype="exact"), folder(device="cuda"), folder(query=QUERIES[1:]), folder(trust_remote_code=True)}
    (tiny / "model.py").write_text("pass", encoding="utf-8")
    found.add(folder())
    weights = bytearray((tiny / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tiny / "model.safetensors").write_bytes(weights)
    found.add(folder())
    assert len(found) == 7


def test_a_folder_that_cannot_be_written_keeps_nothing(saved_model: Path, tmp_path: Path, whole: Encoded) -> None:
    """Without a place for chunks the encoding is made as without them."""
    (tmp_path / "chunks").write_text("a file", encoding="utf-8")
    assert _same(whole, _run(saved_model, tmp_path / "chunks"))


def test_texts_cannot_be_mistaken_for_others() -> None:
    """Texts, kinds and settings that differ, also where they would read the same one after the other, have another key."""
    keys = {
        key(None, texts, settings)
        for texts in ([("query", "ab"), ("query", "c")], [("query", "a"), ("query", "bc")], [("document", "ab"), ("query", "c")])
        for settings in ({"dtype": "auto"}, {"dtype": "exact"})
    }
    assert len(keys) == 6
    assert key(None, [("query", "\ud800")], {})  # a lone surrogate


def test_another_code_is_another_encoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older checkout of the same version kept is not found again."""
    found = [key(None, [], {})]
    for source in ("a = 1", "a = 2"):
        (tmp_path / "work.py").write_text(source, encoding="utf-8")
        monkeypatch.setattr(chunks, "__file__", str(tmp_path / "chunks.py"))
        found.append(key(None, [], {}))
    assert len(set(found)) == 3


def test_old_encodings_are_pruned(tmp_path: Path) -> None:
    """What was not used for longest goes first, the one in use stays, and halves of killed runs go."""
    for number in range(4):
        store = Store(tmp_path / f"e{number}")
        assert store.save("document-000000", np.zeros((10, 100), np.float32))
        os.utime(store.folder, (number, number))
    half = tmp_path / "e3" / ".document-000001.chunk.77"
    half.write_bytes(b"half")
    os.utime(half, (1, 1))
    prune(tmp_path, "e0", most=13_000)
    assert {path.name for path in tmp_path.iterdir()} == {"e0", "e3", "e2"}
    assert not half.exists()
