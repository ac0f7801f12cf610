"""Where things are kept between runs."""

from __future__ import annotations

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
