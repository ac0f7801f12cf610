"""What the outside says of a model: one method a question, asked once a run, and one way in which each can fail.

The Hub is asked through huggingface_hub, whose client is ours (see client.py): the token goes to the Hub's host alone, answers are kept,
and every request stands in the log.
"""

from __future__ import annotations

import threading
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import httpx2

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.net.answers import (
    Commit,
    Dataset,
    Discussion,
    File,
    Model,
    Owner,
    Page,
    Paper,
    Scan,
    make,
)
from cardcheck.net.client import Log, make_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Answer = TypeVar("Answer")
TIMEOUT = 20.0
MAX_FILES, MAX_COMMITS, MAX_DISCUSSIONS, MAX_MODELS = 5000, 200, 200, 500
MODEL = [
    "author",
    "baseModels",
    "childrenModelCount",
    "createdAt",
    "disabled",
    "downloads",
    "gated",
    "lastModified",
    "likes",
    "private",
    "sha",
    "tags",
]


class Online:
    """Asks the outside. `allow` are hosts that may lie on this machine or network, as a mirror of the Hub does."""

    def __init__(self, *, endpoint: str | None = None, refresh: bool = False, allow: Iterable[str] = ()) -> None:
        from huggingface_hub import HfApi, constants, set_client_factory

        self.log = Log()
        self.endpoint = endpoint or constants.ENDPOINT
        allowed = frozenset({(urlsplit(self.endpoint).hostname or "").lower(), *(host.lower() for host in allow)})

        def client() -> httpx2.Client:
            return make_client(self.log, allowed=allowed, refresh=refresh)

        set_client_factory(client)
        self.client = client()
        self.api = HfApi(endpoint=self.endpoint)
        self._answers: dict[tuple[Any, ...], Any] = {}
        self._lock = threading.Lock()

    def model(self, hub_id: str) -> Model:
        """Return what the Hub says of a model; a renamed one has another `id`."""

        def ask() -> Model:
            info = self.api.model_info(hub_id, expand=MODEL, timeout=TIMEOUT)  # type: ignore[arg-type]
            bases = getattr(info, "base_models", None) or {}
            found = bases if isinstance(bases, dict) else vars(bases)
            of = [one.get("id") if isinstance(one, dict) else getattr(one, "id", one) for one in found.get("models") or []]
            more = {"created": _day(info.created_at), "modified": _day(info.last_modified), "bases": of, "relation": found.get("relation")}
            return make(Model, vars(info) | more | {"children": getattr(info, "children_model_count", None)})

        return self._once(("model", hub_id), ask)

    def scan(self, hub_id: str) -> Scan:
        """Return what the Hub's scanners say of the files."""

        def ask() -> Scan:
            found: Any = self.api.model_info(hub_id, securityStatus=True, timeout=TIMEOUT).security_repo_status or {}
            issues = [(one["path"], one["level"]) for one in found.get("filesWithIssues") or []]
            return make(Scan, {"done": found.get("scansDone"), "issues": issues})

        return self._once(("scan", hub_id), ask)

    def files(self, hub_id: str, revision: str | None = None) -> list[File]:
        """Return the files of a model's repository."""

        def ask() -> list[File]:
            tree: Any = islice(self.api.list_repo_tree(hub_id, recursive=True, revision=revision), MAX_FILES)
            return [
                make(File, {"path": one.path, "size": one.size, "sha256": one.lfs and one.lfs.sha256})
                for one in tree
                if hasattr(one, "size")
            ]

        return self._once(("files", hub_id, revision), ask)

    def commits(self, hub_id: str) -> list[Commit]:
        """Return the commits of a model's main branch, newest first; the first page of them."""

        def ask() -> list[Commit]:
            found = self.api.list_repo_commits(hub_id)[:MAX_COMMITS]
            return [
                make(Commit, {"id": one.commit_id, "title": one.title, "date": _day(one.created_at), "authors": one.authors})
                for one in found
            ]

        return self._once(("commits", hub_id), ask)

    def discussions(self, hub_id: str) -> list[Discussion]:
        """Return the open discussions and pull requests of a model."""

        def ask() -> list[Discussion]:
            found = islice(self.api.get_repo_discussions(hub_id, discussion_status="open"), MAX_DISCUSSIONS)
            return [make(Discussion, vars(one) | {"date": _day(one.created_at), "is_pull_request": one.is_pull_request}) for one in found]

        return self._once(("discussions", hub_id), ask)

    def owner(self, name: str) -> Owner:
        """Return what the Hub says of an organisation or, where there is none of the name, of a person."""

        def ask() -> Owner:
            found: Any
            try:
                found, kind = _answered(lambda: self.api.get_organization_overview(name)), "organization"
            except AbsentError:
                found, kind = self.api.get_user_overview(name), "user"
            numbers = {"members": getattr(found, "num_users", None), "followers": found.num_followers, "models": found.num_models}
            return make(Owner, vars(found) | numbers | {"name": name, "kind": kind, "verified": getattr(found, "is_verified", None)})

        return self._once(("owner", name), ask)

    def models_of(self, owner: str) -> list[str]:
        """Return the ids of an owner's models, newest first."""

        def ask() -> list[str]:
            return [str(one.id) for one in islice(self.api.list_models(author=owner, limit=MAX_MODELS), MAX_MODELS)]

        return self._once(("models", owner), ask)

    def paper(self, arxiv_id: str) -> Paper:
        """Return the Hub's page of a paper, with the models that are linked to it."""

        def ask() -> Paper:
            found = self.api.paper_info(arxiv_id)
            more = {
                "authors": [one.name for one in found.authors or []],
                "published": _day(found.published_at),
                "organization": getattr(found.organization, "name", None),
                "github": found.github_repo,
                "models": [one.id for one in found.linked_models or []],
                "model_count": found.num_total_models,
            }
            return make(Paper, vars(found) | more)

        return self._once(("paper", arxiv_id), ask)

    def dataset(self, hub_id: str) -> Dataset:
        """Return what the Hub says of a data set."""

        def ask() -> Dataset:
            found = self.api.dataset_info(hub_id, timeout=TIMEOUT)
            return make(Dataset, vars(found) | {"modified": _day(found.last_modified)})

        return self._once(("dataset", hub_id), ask)

    def page(self, url: str) -> Page:
        """Return a page of the web."""

        def ask() -> Page:
            answer = self.client.get(url)
            if answer.status_code in (404, 410):
                raise AbsentError(f"{url} does not exist")
            if answer.is_error:
                raise UnavailableError(f"{urlsplit(url).hostname} answered {answer.status_code}")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Page(str(answer.url), kind, answer.text)

        return self._once(("page", url), ask)

    def _once(self, key: tuple[Any, ...], ask: Callable[[], Answer]) -> Answer:
        """Ask, or give the answer again that this run has had, a failure too."""
        with self._lock:
            known = self._answers.get(key)
        if known is None:
            try:
                known = _answered(ask)
            except (AbsentError, UnavailableError) as error:
                known = error
            with self._lock:
                self._answers[key] = known
        if isinstance(known, AbsentError | UnavailableError):
            raise known
        answer: Answer = known
        return answer


def _day(when: Any) -> str:
    return when.date().isoformat() if hasattr(when, "date") else ""


def _answered(ask: Callable[[], Answer]) -> Answer:
    """Turn every way in which a question can fail into one of two."""
    from huggingface_hub import errors

    try:
        return ask()
    except (AbsentError, UnavailableError):
        raise
    except errors.GatedRepoError:
        raise UnavailableError("gated: its owner gives access on request") from None
    except errors.RevisionNotFoundError:
        raise AbsentError("there is no such revision") from None
    except errors.RepositoryNotFoundError:
        raise AbsentError("it does not exist, or is private") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (404, 410):
            raise AbsentError("it does not exist") from None
        raise UnavailableError("the Hub asks to come back later (429)" if status == 429 else f"the Hub answered {status}") from None
    except errors.OfflineModeIsEnabled:
        raise UnavailableError("offline") from None
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnavailableError(f"out of reach: {reason}"[:300]) from None
    except (KeyError, TypeError, ValueError, AttributeError):  # JSON of another shape, or none at all
        raise UnavailableError("the answer is not what the Hub answers; is there a proxy or a login page between?") from None
