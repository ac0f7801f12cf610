"""Nothing of a model is read from outside of its folder: each way out is tried."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.spotcheck.backends import UnsupportedError
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import encode
from cardcheck.spotcheck.inside import require_inside
from cardcheck.spotcheck.probe import probe

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "what-stands-elsewhere"  # noqa: S105  # it opens nothing


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return a folder beside the model's, with a file that is nobody's business."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.json").write_text(json.dumps({SECRET: {"token": SECRET}}), encoding="utf-8")
    return folder


def _move(model: Path, name: str, outside: Path, *, relative: bool = False) -> None:
    """Move a file of the model out of its folder and link to it from where it was."""
    target = outside / Path(name).name
    shutil.move(model / name, target)
    (model / name).symlink_to(os.path.relpath(target, (model / name).parent) if relative else target)


@pytest.mark.parametrize("name", ["1_Pooling/config.json", "tokenizer.json", "model.safetensors", "sentence_bert_config.json"])
@pytest.mark.parametrize("relative", [False, True])
def test_a_link_out_of_the_folder_is_refused(tiny: Path, outside: Path, name: str, *, relative: bool) -> None:
    """A file of the model that is a link to elsewhere ends the run with its name, before anything is loaded."""
    _move(tiny, name, outside, relative=relative)
    with pytest.raises(UnsupportedError, match=f"^{name} is a link that leaves"):
        require_inside(tiny)


def test_what_a_link_leads_to_is_not_told(tiny: Path, outside: Path, read: Callable[..., Any]) -> None:
    """Neither an encoding nor a probe reads a settings file that is a link to somebody's secrets, and no message holds any of it."""
    (tiny / "sentence_bert_config.json").unlink()
    (tiny / "sentence_bert_config.json").symlink_to(outside / "secret.json")
    with pytest.raises(EncodingError, match=r"sentence_bert_config.json is a link") as error:
        encode(tiny, ["a"], ["b"])
    found = probe(*read(tiny))
    assert found.status == "failed"
    assert "sentence_bert_config.json is a link" in found.reason
    assert SECRET not in str(error.value) + found.reason


def test_a_linked_folder_is_refused_before_kept_encodings_are_found(tiny: Path, outside: Path, tmp_path: Path) -> None:
    """A pooling that changes behind a link to a folder is not in the name of a kept encoding: such links are not followed at all."""
    encode(tiny, ["a"], ["b"], chunks=tmp_path / "chunks")
    shutil.move(tiny / "1_Pooling", outside / "1_Pooling")
    (tiny / "1_Pooling").symlink_to(outside / "1_Pooling")
    with pytest.raises(EncodingError, match="1_Pooling is a link to a folder"):
        encode(tiny, ["a"], ["b"], chunks=tmp_path / "chunks")
    (tiny / "1_Pooling").unlink()
    shutil.move(outside / "1_Pooling", tiny / "pooling")
    (tiny / "1_Pooling").symlink_to("pooling")  # inside, and not followed either
    with pytest.raises(UnsupportedError, match="link to a folder"):
        require_inside(tiny)


def test_links_that_lead_nowhere(tiny: Path, outside: Path) -> None:
    """A link to itself, and one through another link, are refused; a link to a file of the model is not."""
    (tiny / "copy.json").symlink_to("config.json")
    require_inside(tiny)
    (outside / "step").symlink_to(outside / "secret.json")
    for target in ("loop.json", outside / "step", outside / "not-there"):
        (tiny / "loop.json").symlink_to(target)
        with pytest.raises(UnsupportedError, match=r"^loop.json is a link that leaves"):
            require_inside(tiny)
        (tiny / "loop.json").unlink()


@pytest.mark.parametrize("path", ["/", "../outside"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sentence_bert_config.json", lambda path: {"tokenizer_name_or_path": path}),
        ("sentence_bert_config.json", lambda path: {"tokenizer_args": {"vocab_file": path}}),
        ("modules.json", lambda path: [{"idx": 0, "name": "0", "type": "a.Transformer", "path": ""}, {"type": "a.Pooling", "path": path}]),
        ("adapter_config.json", lambda path: {"base_model_name_or_path": path}),
        ("model.safetensors.index.json", lambda path: {"weight_map": {"weight": path + "/model.safetensors"}}),
    ],
)
def test_a_path_out_of_the_folder_is_refused(tiny: Path, outside: Path, name: str, content: Callable[[str], Any], path: str) -> None:
    """Settings that name a file or folder elsewhere, whole or by way of the folder above, are refused with the file that does."""
    named = str(outside) if path == "/" else path
    (tiny / name).write_text(json.dumps(content(named)), encoding="utf-8")
    with pytest.raises(UnsupportedError, match=f"^{name} names .*outside.* leaves the model's folder"):
        require_inside(tiny)


def test_paths_that_nobody_follows_are_no_fault(tiny: Path) -> None:
    """Where a model was trained stands in many a config.json, and is not opened; a tokenizer's Hub id is no path."""
    for name, change in (("config.json", {"_name_or_path": "/home/a/b"}), ("sentence_bert_config.json", {"tokenizer_name_or_path": "a/b"})):
        known = json.loads((tiny / name).read_text(encoding="utf-8"))
        (tiny / name).write_text(json.dumps(known | change), encoding="utf-8")
    (tiny / "modules.json").write_text("no JSON", encoding="utf-8")
    require_inside(tiny)


def test_a_virtual_environment_beside_the_model(tiny: Path, outside: Path) -> None:
    """Folders that are none of the model's may be full of links out of it, and are not looked into; settings that name one are refused."""
    (tiny / ".venv/bin").mkdir(parents=True)
    (tiny / ".venv/bin/python").symlink_to("/usr/bin/python3")
    (tiny / "node_modules").mkdir()
    (tiny / "node_modules/linked").symlink_to(outside)
    require_inside(tiny)
    for path in (".venv", ".venv/bin", "node_modules/linked"):
        (tiny / "modules.json").write_text(json.dumps([{"type": "a.Pooling", "path": path}]), encoding="utf-8")
        with pytest.raises(UnsupportedError, match=r"modules.json names"):
            require_inside(tiny)


def test_a_snapshot_of_the_hubs_cache_is_run(tiny: Path, outside: Path, tmp_path: Path) -> None:
    """The Hub's cache keeps a snapshot's files as links into `blobs`, which are followed; other links are not."""
    entry = tmp_path / "hub" / "models--acme--tiny"
    (entry / "blobs").mkdir(parents=True)
    (entry / "refs").mkdir()
    snapshot = entry / "snapshots" / ("a" * 40)
    expected = encode(tiny, ["a"], ["b"]).documents
    shutil.copytree(tiny, snapshot)
    for number, file in enumerate(sorted(path for path in snapshot.rglob("*") if path.is_file())):
        shutil.move(file, entry / "blobs" / str(number))
        file.symlink_to(os.path.relpath(entry / "blobs" / str(number), file.parent))
    assert np.array_equal(encode(snapshot, ["a"], ["b"]).documents, expected)
    for target in (entry / "refs" / "main", tmp_path / "hub" / "models--acme--other" / "blobs" / "1", outside / "secret.json"):
        (snapshot / "more.json").symlink_to(target)
        with pytest.raises(UnsupportedError, match=r"more.json is a link"):
            require_inside(snapshot)
        (snapshot / "more.json").unlink()
    shutil.copytree(snapshot, tmp_path / "elsewhere" / "snapshots" / "a", symlinks=True)
    with pytest.raises(UnsupportedError, match="is a link that leaves"):
        require_inside(tmp_path / "elsewhere" / "snapshots" / "a")


def test_a_folder_that_hides_its_names(tiny: Path) -> None:
    """A folder that may be entered and not listed could hold any link: it is refused."""
    (tiny / "1_Pooling").chmod(0o111)
    try:
        if os.access(tiny / "1_Pooling", os.R_OK):
            pytest.skip("this user may list every folder")
        with pytest.raises(UnsupportedError, match="cannot be listed"):
            require_inside(tiny)
    finally:
        (tiny / "1_Pooling").chmod(0o755)
