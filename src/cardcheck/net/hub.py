"""Fetching a repository from the Hugging Face Hub, through huggingface_hub.

huggingface_hub does the resuming, retrying, locking and caching; this module chooses what to fetch and turns every way it can fail
into one line that says what to do. Its requests pass our client (client.py), which sends the token to the Hub's host alone and
nothing to an address that is not of the open internet; the Hub that HF_ENDPOINT names may lie anywhere.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardcheck.subject import Subject

# Pickles are never fetched: weights load from safetensors, and from an ONNX graph where a repository has nothing else.
SMALL_FILES = ["*.md", "*.json", "*.txt", "*.model", "*.yaml", "*.yml", "*.py"]
WEIGHTS = ["*.safetensors"]
GRAPHS = ("onnx/model.onnx", "model.onnx")
METADATA_TIMEOUT = 20.0
BAD_TOKEN = 401  # a repository that is missing or private has an error code as well, and is another exception


def fetch(given: str, hub_id: str, revision: str | None, *, offline: bool, weights: bool) -> Subject:
    """Fetch a model repository into the Hub's cache and return it as a Subject.

    Raises CardcheckError where the Hub is out of reach or the repository is missing, gated or private.
    """
    from huggingface_hub import constants

    from cardcheck.subject import from_cache

    folder = Path(constants.HF_HUB_CACHE) / f"models--{hub_id.replace('/', '--')}"
    if offline or constants.HF_HUB_OFFLINE:
        if not folder.is_dir():
            raise CardcheckError(f"{hub_id} is not in the local cache {folder.parent}", hint="run once without --offline")
        return from_cache(given, folder, hub_id, revision)
    commit = _download(hub_id, revision, SMALL_FILES + (WEIGHTS if weights else []))
    subject = from_cache(given, folder, hub_id, commit)
    if weights and (graph := _graph(subject.listing)):
        _download(hub_id, commit, [graph, f"{graph}_data", f"{graph}.data"])
    return replace(subject, kind="hub")


def _graph(listing: Mapping[str, int]) -> str | None:
    """Return the ONNX graph of a repository that has no safetensors weights."""
    if any(path.endswith(".safetensors") for path in listing):
        return None
    return next((path for path in GRAPHS if path in listing), None)


def fetch_data(hub_id: str, revision: str, patterns: list[str], *, offline: bool) -> Path:
    """Fetch files of a data set at a commit into the Hub's cache and return their folder.

    Raises CardcheckError where they cannot be had.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if not sys.stderr.isatty():
        disable_progress_bars()
    offline = offline or bool(constants.HF_HUB_OFFLINE)
    if not offline:
        _use_our_client()
    try:
        found = snapshot_download(hub_id, repo_type="dataset", revision=revision, allow_patterns=patterns, local_files_only=offline)
    except Exception as error:  # noqa: BLE001  # huggingface_hub meets a stranger's answer here, and may fail in any way
        reason = "it is not in the local cache" if offline else (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise CardcheckError(f"the data set {hub_id} cannot be had: {reason}", hint="run once with the network") from None
    return Path(found)


def cached_listing(cache: Path, hub_id: str, commit: str) -> dict[str, int]:
    """Return the sizes of all files of a commit, fetched or not, as the Hub's cache remembers them; empty where it does not."""
    from huggingface_hub import errors, get_cached_repo_tree

    try:
        tree = get_cached_repo_tree(hub_id, revision=commit, cache_dir=cache)
    except (errors.CachedRepoTreeNotFoundError, errors.HFValidationError, OSError):
        return {}
    inside = (file for file in tree if not PurePosixPath(file.path).is_absolute() and ".." not in PurePosixPath(file.path).parts)
    return {file.path: file.size for file in inside}


def _download(hub_id: str, revision: str | None, patterns: list[str]) -> str:
    """Download the files that match; return the commit."""
    import httpx2 as httpx
    from huggingface_hub import HfApi, errors, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    from cardcheck.net.client import LaterError

    if not sys.stderr.isatty():
        disable_progress_bars()
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    _use_our_client()
    use_cache = "run again later, or with --offline to use the local cache"
    try:
        HfApi().model_info(hub_id, revision=revision, timeout=METADATA_TIMEOUT)  # a cache must not hide that the Hub said no
        snapshot = snapshot_download(hub_id, revision=revision, allow_patterns=patterns)
    except errors.GatedRepoError:
        hint = f"ask for access on {endpoint}/{hub_id} and log in with `hf auth login`"
        raise CardcheckError(f"{hub_id} is gated: its owner gives access on request", hint=hint) from None
    except errors.RevisionNotFoundError:
        raise CardcheckError(f"{hub_id} has no revision {revision}", hint="give a branch, a tag or a commit hash") from None
    except errors.RepositoryNotFoundError:
        hint = "check the name; for a private one log in with `hf auth login`"
        raise CardcheckError(f"{hub_id} does not exist on {endpoint} or is private", hint=hint) from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        if status == BAD_TOKEN:
            hint = "log in again with `hf auth login`, or unset HF_TOKEN"
            raise CardcheckError(f"{endpoint} does not accept the token for {hub_id}", hint=hint) from None
        raise CardcheckError(f"{endpoint} answered {status} for {hub_id}", hint=use_cache) from None
    except LaterError as error:
        raise CardcheckError(f"{endpoint} answered {error.status} for {hub_id}", hint=use_cache) from None
    except (httpx.TransportError, errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CardcheckError(f"the Hub at {endpoint} is out of reach: {reason}", hint=use_cache) from None
    except ValueError:
        raise CardcheckError(f"what answers at {endpoint} is not the Hub", hint="is there a proxy or a login page between?") from None
    Path(snapshot).mkdir(parents=True, exist_ok=True)  # where nothing was worth fetching there is no folder yet
    return Path(snapshot).name


def _use_our_client() -> None:
    """Let huggingface_hub ask through our client.

    A run that asks online has set one: what is fetched then stands in its log, and is asked for again when its answers are too old.
    """
    from huggingface_hub import constants, get_session, set_client_factory

    from cardcheck.net.client import Log, make_client

    if not get_session().headers.get("user-agent", "").startswith("cardcheck/"):
        set_client_factory(lambda: make_client(Log(), hub=constants.ENDPOINT, keep=False))  # kept answers would hide what is new there
