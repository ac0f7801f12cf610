"""Where things are kept between runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from cardcheck import cache


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/cardcheck"),
        ("linux", {"HOME": "/home/a"}, "/home/a/.cache/cardcheck"),
        ("darwin", {"HOME": "/Users/a"}, "/Users/a/Library/Caches/cardcheck"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/cardcheck"),
        ("win32", {}, None),
        ("linux", {"CARDCHECK_CACHE": ""}, None),
        ("linux", {"CARDCHECK_CACHE": "/y", "XDG_CACHE_HOME": "/x"}, "/y"),
    ],
)
def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, platform: str, environment: dict[str, str], folder: str | None) -> None:
    """The folder is the system's for caches, or the one that the user names."""
    for name in ("CARDCHECK_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.platform", platform)
    assert cache.cache_folder() == (Path(folder) if folder else None)


def test_what_was_damaged_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every byte counts: what was kept comes back whole, and with one letter changed or missing not at all."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path))
    cache.save("rules", "a", "[1, 2]\n[3]")
    assert cache.load("rules", "a") == b"[1, 2]\n[3]"
    path = tmp_path / "rules-a"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + b"x" + whole[place + 1 :])
        assert cache.load("rules", "a") is None
        path.write_bytes(whole[:place])
        assert cache.load("rules", "a") is None


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
def test_a_pipe_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is no file is not there."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path))
    os.mkfifo(tmp_path / "rules-a")
    assert cache.load("rules", "a") is None
