"""From what the user named to a subject."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.net import hub
from cardcheck.subject import HUB_ID, HUB_URL, Subject, from_cache, resolve

if TYPE_CHECKING:
    from conftest import MakeModel


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Give an entry of the Hub's cache."""
    entry = tmp_path / "models--acme--ours"
    for folder in ("blobs", "refs", "snapshots/abc"):
        (entry / folder).mkdir(parents=True)
    (entry / "refs" / "main").write_text("abc\n")
    (entry / "blobs" / "1").write_text("# ours\n")
    (entry / "snapshots" / "abc" / "README.md").symlink_to("../../blobs/1")
    return entry


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Give the list of what is asked of the Hub; nothing is."""
    calls: list[tuple[Any, ...]] = []

    def fetch(given: str, hub_id: str, revision: str | None, *, offline: bool, weights: bool) -> Subject:
        calls.append((hub_id, revision, offline, weights))
        return Subject(given, "hub", Path(), hub_id, revision)

    monkeypatch.setattr(hub, "fetch", fetch)
    return calls


def test_folder(make_model: MakeModel) -> None:
    """A folder is itself; an id may be given with it."""
    model = make_model()
    assert resolve(str(model)) == Subject(str(model), "folder", model)
    assert resolve(str(model), hub_id="acme/ours").id == "acme/ours"


@pytest.mark.parametrize("name", ["README.md", "card.MD", "x.markdown"])
def test_card(make_model: MakeModel, name: str) -> None:
    """A Markdown file is a card."""
    path = make_model({name: "# m"}) / name
    assert resolve(str(path)).kind == "card"


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "README"])
def test_other_files_are_refused(make_model: MakeModel, name: str) -> None:
    """Any other file is no subject."""
    with pytest.raises(CardcheckError, match="neither a folder nor a Markdown file"):
        resolve(str(make_model({name: "x"}) / name))


@pytest.mark.parametrize("name", ["a.md", "a"])
def test_pipes_and_loops_are_refused(tmp_path: Path, name: str) -> None:
    """A pipe or a link to itself is refused at once, whatever it is called."""
    os.mkfifo(tmp_path / name)
    (tmp_path / "loop.md").symlink_to("loop.md")
    for path in (tmp_path / name, tmp_path / "loop.md"):
        with pytest.raises(CardcheckError, match="is not a folder or a file that can be read"):
            resolve(str(path))


@pytest.mark.parametrize("given", ["./gone", "/gone/x", "~/gone/x", "gone", "a/b/c", "a b/c", "../x/y", "https://example.org/a/b", "-/x"])
def test_what_is_not_there_is_refused(given: str, asked: list[tuple[Any, ...]]) -> None:
    """What is neither here nor written like a Hub id is refused, and the Hub is not asked."""
    with pytest.raises(CardcheckError, match="is no folder here and no Hub id"):
        resolve(given)
    assert asked == []


@pytest.mark.parametrize(
    ("given", "revision"),
    [
        ("acme/ours", None),
        ("acme/ours@main", "main"),
        ("acme/ours@refs/pr/1", "refs/pr/1"),
        ("https://huggingface.co/acme/ours", None),
        ("https://huggingface.co/acme/ours/", None),
        ("https://huggingface.co/acme/ours/tree/abc", "abc"),
        ("hf.co/acme/ours/blob/abc/README.md", "abc"),
        ("https://huggingface.co/acme/ours?library=x#usage", None),
    ],
)
def test_ids_and_addresses_of_the_hub(given: str, revision: str | None, asked: list[tuple[Any, ...]]) -> None:
    """An id with or without a revision and any address of its pages name the same repository."""
    resolve(given, weights=False, offline=True)
    assert asked == [("acme/ours", revision, True, False)]


@pytest.mark.parametrize(
    "url", ["https://huggingface.co.evil.example/acme/ours", "https://evil.example/huggingface.co/acme/ours", "ftp://hf.co/acme/ours"]
)
def test_other_hosts_are_not_the_hub(url: str) -> None:
    """An address of another host is no address of the Hub."""
    assert not HUB_URL.match(url)
    assert not HUB_ID.match(url)


@pytest.mark.parametrize("hub_id", ["ours", "a/b/c", "../x", "acme/", "acme/ours\n", "", "acme/o urs"])
def test_bad_ids_are_refused(make_model: MakeModel, hub_id: str) -> None:
    """An id given with a folder must be one."""
    with pytest.raises(CardcheckError, match="is not a Hub id"):
        resolve(str(make_model()), hub_id=hub_id)


@pytest.mark.parametrize("inside", [".", "snapshots/abc"])
def test_cache_entry(cache: Path, inside: str) -> None:
    """An entry of the Hub's cache, or a snapshot in it, is known by its id and commit."""
    given = str(cache / inside)
    assert resolve(given) == Subject(given, "cache", cache / "snapshots" / "abc", "acme/ours", "abc", cache / "blobs")


@pytest.mark.parametrize("given", [".", "../abc"])
def test_cache_entry_from_inside(cache: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    """A snapshot is recognised from inside as well, where `cardcheck lint` without arguments looks."""
    monkeypatch.chdir(cache / "snapshots" / "abc")
    assert resolve(given).kind == "cache"


PARENT = pytest.param("..")


@pytest.mark.parametrize("revision", ["gone", "../../x", "a/b", PARENT])
def test_revisions_that_are_not_in_the_cache(cache: Path, revision: str) -> None:
    """A revision that was not fetched, or that leads out of the snapshots, is refused."""
    (cache / "x").mkdir()
    with pytest.raises(CardcheckError, match="has no snapshot"):
        from_cache("acme/ours", cache, "acme/ours", revision)


@pytest.mark.parametrize("given", ["a" * 300, "~nobody-of-that-name/x"])
def test_names_that_the_system_refuses(given: str) -> None:
    """A name that is too long, or of a user who is not there, is refused as what it is."""
    with pytest.raises(CardcheckError):
        resolve(given)
