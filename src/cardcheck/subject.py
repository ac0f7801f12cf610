"""From what the user named to a Subject: a folder to read, and the Hub id it is known by."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = r"[A-Za-z0-9][\w.-]{0,95}"
HUB_ID = Pattern(rf"^(?P<id>{NAME}/{NAME})(?:@(?P<revision>[\w./-]+))?$")
HUB_URL = Pattern(
    rf"^(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/(?:models/)?(?P<id>{NAME}/{NAME})"
    r"(?:/(?:tree|blob|resolve|commit)/(?P<revision>[^/?#]+)[^?#]*)?/?(?:[?#].*)?$"
)
CACHE_FOLDER = Pattern(rf"^models--(?P<owner>{NAME}?)--(?P<name>{NAME})$")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited.

    `path` is a folder or, for kind `card`, one Markdown file. `blobs` is where the Hub's cache keeps the files that its snapshots
    link to. `revision` is a commit hash where it is known. `listing` holds the sizes of all files of a Hub repository, those that
    were not fetched (pickles, and weights that nobody measures) among them. `only` are the files below `path` that were named, for
    the kinds `files` (a model's files, one by one) and `application` (files that choose a model); the others take all there is.
    """

    given: str
    kind: Literal["hub", "folder", "cache", "card", "files", "application"]
    path: Path
    id: str | None = None
    revision: str | None = None
    blobs: Path | None = None
    listing: Mapping[str, int] = field(default_factory=dict)
    only: tuple[str, ...] = ()


def resolve(given: str, *, hub_id: str | None = None, offline: bool = False, weights: bool = True) -> Subject:
    """Find what `given` names: a folder or card on this machine first, else a Hub id or address.

    `hub_id` says which Hub repository a folder is a copy of. `weights` False leaves weights out of what is fetched.
    Raises CardcheckError where there is no such thing, or the Hub cannot give it.
    """
    if hub_id is not None and not HUB_ID.fullmatch(hub_id):
        raise CardcheckError(f"{hub_id!r} is not a Hub id", hint="write it as ORG/NAME")
    if path := _existing(given):
        subject = _local(given, path)
        return replace(subject, id=hub_id) if hub_id else subject
    match = HUB_ID.match(given) or HUB_URL.match(given)
    if not match or given.startswith((".", "/", "~")):
        raise CardcheckError(
            f"{given!r} is no folder here and no Hub id",
            hint="name a model folder, a README.md, or a Hub id such as sentence-transformers/all-MiniLM-L6-v2",
        )
    from cardcheck.net.hub import fetch

    return fetch(given, match["id"], match["revision"], offline=offline, weights=weights)


def _existing(given: str) -> Path | None:
    if not given.strip():
        raise CardcheckError("the subject is empty", hint="name a model folder, a README.md or a Hub id")
    try:
        path = Path(given).expanduser()
        return path if path.exists() or path.is_symlink() else None
    except (OSError, RuntimeError) as error:  # a name too long, a folder that may not be entered, a user that is not there
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CardcheckError(f"cannot look at {given[:200]}: {reason}") from None


def _local(given: str, path: Path) -> Subject:
    if path.is_file():
        if path.suffix.lower() not in (".md", ".markdown"):
            raise CardcheckError(f"{given} is neither a folder nor a Markdown file", hint="name the model's folder or its README.md")
        return Subject(given, "card", path)
    if not path.is_dir():
        raise CardcheckError(f"{given} is not a folder or a file that can be read", hint="a link that leads nowhere or to itself?")
    whole = Path(os.path.abspath(path))  # noqa: PTH100  # resolve() would follow the cache's links
    for folder in (whole, whole.parent.parent):
        if found := CACHE_FOLDER.match(folder.name):
            return from_cache(given, folder, f"{found['owner']}/{found['name']}", whole.name if folder != whole else None)
    return Subject(given, "folder", path)


def from_cache(given: str, folder: Path, hub_id: str, revision: str | None) -> Subject:
    """Return the snapshot of a Hub cache entry (`models--ORG--NAME`): `revision`, or what `refs/main` points to."""
    commit = revision or "main"
    reference = folder / "refs" / commit
    if ".." not in reference.parts and reference.is_file():
        commit = reference.read_text(encoding="utf-8").strip()
    snapshot = folder / "snapshots" / commit
    if commit in (".", "..") or os.sep in commit or not snapshot.is_dir():
        raise CardcheckError(f"the cache entry {folder} has no snapshot {commit}", hint="fetch it once without --offline")
    from cardcheck.net.hub import cached_listing

    return Subject(given, "cache", snapshot, hub_id, commit, folder / "blobs", cached_listing(folder.parent, hub_id, commit))
