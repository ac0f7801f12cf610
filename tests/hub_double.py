"""A Hub on loopback in the shapes that the real one answers, and the rest of the web beside it.

The shapes are those of ../shared/reference/hub-api.md, where they were taken from huggingface_hub's source and tests. What is not set
does not exist, and is answered as the Hub does.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pytest_httpserver import HTTPServer
from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Request

WHEN = "2024-05-31T12:00:00.000Z"


class HubDouble:
    """Set what exists through `models`, `owners` and the others; `instead` replaces the answer to a path by anything, faults too.

    `behind` is another server that is asked first; it gives None for what it does not serve.
    """

    def __init__(self) -> None:
        self.server = HTTPServer()
        self.models: dict[str, dict[str, Any]] = {}
        self.trees: dict[str, list[dict[str, Any]]] = {}
        self.commits: dict[str, list[dict[str, Any]]] = {}
        self.discussions: dict[str, list[dict[str, Any]]] = {}
        self.organizations: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        self.papers: dict[str, dict[str, Any]] = {}
        self.datasets: dict[str, dict[str, Any]] = {}
        self.pages: dict[str, str] = {}
        self.instead: dict[str, Callable[[Request], Response]] = {}
        self.behind: Callable[[Request], Response | None] = lambda _request: None
        self.asked: list[Request] = []
        self.server.expect_request(re.compile(".*")).respond_with_handler(self._answer)

    @property
    def url(self) -> str:
        """The endpoint."""
        return str(self.server.url_for("")).rstrip("/")

    def count(self) -> Counter[str]:
        """Return how often each path was asked for."""
        return Counter(request.path for request in self.asked)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request)
        path = request.path
        if path in self.instead:
            return self.instead[path](request)
        if path in self.pages:
            return Response(self.pages[path], mimetype="text/html")
        if (answer := self.behind(request)) is not None:
            return answer
        parts = path.strip("/").split("/")
        found: Any = None
        if parts[:2] == ["api", "models"]:
            found = self._of_models(parts[2:], request)
        elif parts[:2] == ["api", "organizations"] and parts[3:] == ["overview"]:
            found = self.organizations.get(parts[2])
        elif parts[:2] == ["api", "users"] and parts[3:] == ["overview"]:
            found = self.users.get(parts[2])
        elif parts[:2] == ["api", "papers"]:
            found = self.papers.get(parts[2])
        elif parts[:2] == ["api", "datasets"]:
            found = self.datasets.get("/".join(parts[2:4]))
        if found is None:
            return missing()
        return Response(json.dumps(found), mimetype="application/json")

    def _of_models(self, parts: list[str], request: Request) -> Any:
        if not parts:
            author = request.args.get("author")
            return [{"id": name} for name in self.models if name.partition("/")[0] == author]
        name, rest = "/".join(parts[:2]), parts[2:]
        if rest[:1] == ["tree"]:
            return self.trees.get(name)
        if rest[:1] == ["commits"]:
            return self.commits.get(name, []) if request.args.get("p", "0") == "0" else []
        if rest[:1] == ["discussions"]:
            found = self.discussions.get(name, [])
            return {"discussions": found, "count": len(found), "start": 0}
        return self.models.get(name)

    def model(self, name: str, **more: Any) -> None:
        """Set a model, as `GET /api/models/NAME` answers it; the shapes of single values are the real ones."""
        self.models[name] = {
            "_id": "6", "id": name, "modelId": name, "author": name.partition("/")[0], "sha": "a" * 40, "createdAt": WHEN,
            "lastModified": WHEN, "private": False, "gated": False, "disabled": False, "downloads": 7, "likes": 1, "tags": [],
            "siblings": [],
        } | more  # fmt: skip

    def file(self, name: str, path: str, size: int, sha256: str | None = None) -> None:
        """Add a file to a model's tree, a large one where there is a hash."""
        lfs = {"lfs": {"oid": sha256, "size": size, "pointerSize": 134}} if sha256 else {}
        self.trees.setdefault(name, []).append({"type": "file", "oid": "b" * 40, "size": size, "path": path} | lfs)

    def commit(self, name: str, title: str, date: str = WHEN, user: str = "ada") -> None:
        """Add a commit, newest first."""
        row = {"id": f"{len(self.commits.get(name, [])):040x}", "title": title, "message": "", "date": date, "authors": [{"user": user}]}
        self.commits.setdefault(name, []).append(row)

    def discuss(self, name: str, title: str, *, pull_request: bool = False, author: str = "ada") -> None:
        """Add an open discussion."""
        rows = self.discussions.setdefault(name, [])
        rows.append({
            "num": len(rows) + 1, "author": {"name": author}, "repo": {"name": name, "type": "model"}, "title": title, "status": "open",
            "createdAt": WHEN, "isPullRequest": pull_request,
        })  # fmt: skip

    def organization(self, name: str, **more: Any) -> None:
        """Set an organisation."""
        self.organizations[name] = {
            "_id": "5", "name": name, "fullname": name, "avatarUrl": "", "details": "", "isVerified": False, "numUsers": 3, "numModels": 2,
            "numSpaces": 0, "numDatasets": 0, "numFollowers": 10,
        } | more  # fmt: skip

    def user(self, name: str, **more: Any) -> None:
        """Set a person."""
        self.users[name] = {
            "_id": "4", "user": name, "fullname": name, "avatarUrl": "", "isPro": False, "type": "user", "numModels": 1, "numFollowers": 2,
        } | more  # fmt: skip

    def paper(self, arxiv_id: str, title: str, *, authors: tuple[str, ...] = (), models: tuple[str, ...] = (), **more: Any) -> None:
        """Set a paper's page."""
        self.papers[arxiv_id] = {
            "id": arxiv_id, "title": title, "summary": "", "publishedAt": WHEN, "authors": [{"_id": "3", "name": name} for name in authors],
            "linkedModels": [{"id": name} for name in models], "numTotalModels": len(models),
        } | more  # fmt: skip

    def dataset(self, name: str, **more: Any) -> None:
        """Set a data set."""
        self.datasets[name] = {
            "_id": "2", "id": name, "author": name.partition("/")[0], "sha": "c" * 40, "lastModified": WHEN, "private": False,
            "gated": False,            "disabled": False, "downloads": 1, "likes": 0, "tags": [],
        } | more  # fmt: skip


def missing(code: str = "RepoNotFound", status: int = 404) -> Response:
    """Return what the Hub answers where there is nothing."""
    return Response("{}", status=status, headers={"X-Error-Code": code, "X-Error-Message": "not found"}, mimetype="application/json")
