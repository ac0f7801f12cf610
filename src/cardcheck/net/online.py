"""What the outside says of a model: one method a question, asked once a run, and one way in which each can fail.

The Hub is asked through huggingface_hub, whose client is ours (see client.py): the token goes to the Hub's host alone, answers are kept,
and every request stands in the log.
"""

from __future__ import annotations

import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urlsplit

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
    Score,
    make,
)
from cardcheck.net.client import LaterError, Log, make_client
from cardcheck.net.results import (
    MAX_BYTES,
    MAX_FETCHED,
    REPOSITORY,
    checkout,
    choose,
    copied_score,
    folder_of,
    read_checkout,
    read_scores,
)
from cardcheck.net.waiting import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Answer = TypeVar("Answer")
TIMEOUT = 20.0
MAX_FILES, MAX_COMMITS, MAX_DISCUSSIONS, MAX_MODELS = 5000, 200, 200, 500
NAMES = {
    "hub_id": re.compile(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?", re.ASCII),
    "owner": re.compile(r"[\w.-]{1,96}", re.ASCII),
    "arxiv_id": re.compile(r"\d{4}\.\d{4,5}(?:v\d{1,2})?|[a-z.-]{2,20}/\d{7}", re.ASCII | re.IGNORECASE),
}
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
    """Asks the outside. `allow` are hosts (or `host:port`) that may lie on this machine or network, as the Hub itself may."""

    def __init__(self, *, endpoint: str | None = None, refresh: bool = False, allow: Iterable[str] = ()) -> None:
        from huggingface_hub import HfApi, constants, set_client_factory

        self.log = Log()
        self.endpoint = endpoint or constants.ENDPOINT
        allowed = frozenset(allow)
        set_client_factory(lambda: make_client(self.log, hub=self.endpoint, allowed=allowed, refresh=refresh))
        # Pages are asked for by a client that has no Hub: it never sends a token, and reads a file on the Hub within the limits too.
        own = urlsplit(self.endpoint).netloc.rpartition("@")[2]
        self.client = make_client(self.log, allowed={own, *allowed}, refresh=refresh)
        self.api = HfApi(endpoint=self.endpoint)
        self.origin = ""  # of the results that were given, in words
        self._waiting = Waiting(self.log)
        self._answers: dict[tuple[Any, ...], Future[Any]] = {}
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
            return [
                make(Commit, {"id": one["id"], "title": one["title"], "date": str(one["date"])[:10], "authors": _names(one["authors"])})
                for one in self._first_page(f"/api/models/{hub_id}/commits/main")[:MAX_COMMITS]
            ]

        return self._once(("commits", hub_id), ask, hub_id=hub_id)

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

        return self._once(("owner", name), ask, owner=name)

    def models_of(self, owner: str) -> list[str]:
        """Return the ids of an owner's models, newest first."""

        def ask() -> list[str]:
            return [str(one.id) for one in islice(self.api.list_models(author=owner, limit=MAX_MODELS), MAX_MODELS)]

        return self._once(("models", owner), ask, owner=owner)

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

        return self._once(("paper", arxiv_id), ask, arxiv_id=arxiv_id)

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
                raise UnavailableError(f"{answer.url.host} answered {answer.status_code}")
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            return Page(str(answer.url.copy_with(username="", password="")), kind, answer.text)

        return self._once(("page", url), ask)

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return what MTEB's results repository holds of a model: all of these tasks from a checkout, else the first few from the Hub."""

        def ask() -> list[Score]:
            if root := checkout():
                self.origin = f"mteb's checkout in {root}"
                return read_checkout(root, hub_id, tasks)
            tree: Any = self.api.list_repo_tree(REPOSITORY, folder_of(hub_id), recursive=True, repo_type="dataset")
            chosen, copied = choose((one.path for one in islice(tree, MAX_FILES) if getattr(one, "size", MAX_BYTES) < MAX_BYTES), tasks)
            base = f"{self.endpoint}/datasets/{REPOSITORY}/resolve/main/"
            with ThreadPoolExecutor(4) as pool:
                pages = pool.map(lambda path: self.page(base + quote(path)), chosen[:MAX_FETCHED])
                read = [
                    score
                    for page, path in zip(pages, chosen, strict=False)
                    for score in read_scores(page.text.encode(errors="replace"), path)
                ]
            self.origin = f"the Hub's copy of MTEB's results, {min(len(chosen), MAX_FETCHED)} of {len(chosen)} files"
            return [copied_score(task) for task in copied] + read

        return self._once(("results", hub_id, tasks), ask, hub_id=hub_id)

    def _first_page(self, path: str) -> Any:
        """Return the first page of a list, of which huggingface_hub would fetch all pages."""
        from huggingface_hub import get_session
        from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined]

        answer = get_session().get(f"{self.endpoint}{path}", headers=build_hf_headers(), timeout=TIMEOUT)
        hf_raise_for_status(answer)
        return answer.json()

    def _once(self, key: tuple[Any, ...], ask: Callable[[], Answer], **named: str) -> Answer:
        """Ask, or give the answer again that this run has had, a failure too; who asks the same meanwhile waits for it."""
        with self._lock:
            known = key in self._answers
            answer: Future[Answer] = self._answers.setdefault(key, Future())
        if not known:
            try:
                _check_names(named)
                with self._waiting.shown():
                    answer.set_result(_answered(ask))
            except BaseException as error:  # noqa: BLE001  # it is raised below, here and where it is waited for
                answer.set_exception(error)
        return answer.result()


def _check_names(named: dict[str, str]) -> None:
    """Raise AbsentError for a name that would ask for something else: it comes from a card, and becomes a part of the address."""
    for kind, name in named.items():
        if not NAMES[kind].fullmatch(name) or ".." in name:
            raise AbsentError(f"{name[:100]!r} is no name on the Hub")


def _names(authors: Any) -> list[Any]:
    return [one.get("user") for one in authors if isinstance(one, dict)]


def _day(when: Any) -> str:
    return when.date().isoformat() if hasattr(when, "date") else ""


def _answered(ask: Callable[[], Answer]) -> Answer:
    """Turn every way in which a question can fail into one of two."""
    try:
        return ask()
    except (AbsentError, UnavailableError):
        raise
    except Exception as error:  # noqa: BLE001  # huggingface_hub meets a stranger's answer here, and may fail in any way
        raise _failure(error) from None


def _failure(error: Exception) -> AbsentError | UnavailableError:
    from huggingface_hub import errors

    known: tuple[tuple[type[Exception], AbsentError | UnavailableError], ...] = (
        (errors.GatedRepoError, UnavailableError("gated: its owner gives access on request")),
        (errors.RevisionNotFoundError, AbsentError("there is no such revision")),
        (errors.RepositoryNotFoundError, AbsentError("it does not exist, or is private")),
        (errors.HFValidationError, AbsentError("that is no name on the Hub")),
        (errors.OfflineModeIsEnabled, UnavailableError("offline")),
        (LaterError, UnavailableError(str(error))),
    )
    for kind, failure in known:
        if isinstance(error, kind):
            return failure
    if isinstance(error, errors.HfHubHTTPError):
        return _refusal(error.response.status_code if error.response is not None else 0)
    if isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, OSError)):
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return UnavailableError(f"out of reach: {reason}"[:300])
    # JSON of another shape, or so deep that it is none, or no JSON at all
    return UnavailableError("the answer is not what the Hub answers; is there a proxy or a login page between?")


def _refusal(status: int) -> AbsentError | UnavailableError:
    if status in (404, 410):
        return AbsentError("it does not exist")
    if status == 401:
        return UnavailableError("the Hub does not accept the token (401); log in again with `hf auth login`, or unset HF_TOKEN")
    return UnavailableError(f"the Hub answered {status}")
