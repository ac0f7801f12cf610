"""Answers of the outside as a rule's example records them, in place of the network.

    online:
      model: {acme/ours: {downloads: 7, bases: [acme/encoder]}}
      owner: {acme: "the Hub answered 503"}

A mapping is the answer, a text is why nobody could answer, and what is not there does not exist. The kinds are the methods of
`net.answers.Outside`: model, scan, files, commits, discussions, owner, models_of, paper, dataset, page and results.
"""

from __future__ import annotations

from typing import Any, TypeVar

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

Answer = TypeVar("Answer")


class Recorded:
    """The outside of one example."""

    def __init__(self, given: dict[str, dict[str, Any]]) -> None:
        self.given = given

    def _value(self, kind: str, key: str) -> Any:
        value = self.given.get(kind, {}).get(key)
        if value is None:
            raise AbsentError("it does not exist")
        if isinstance(value, str):
            raise UnavailableError(value)
        return value

    def _rows(self, kind: str, key: str, of: type[Answer]) -> list[Answer]:
        return [make(of, row) for row in self._value(kind, key)]

    def model(self, hub_id: str) -> Model:
        """Return the recorded model."""
        return make(Model, {"id": hub_id} | self._value("model", hub_id))

    def scan(self, hub_id: str) -> Scan:
        """Return the recorded scan."""
        return make(Scan, self._value("scan", hub_id))

    def files(self, hub_id: str, revision: str | None = None) -> list[File]:
        """Return the recorded files."""
        return self._rows("files", f"{hub_id}@{revision}" if revision else hub_id, File)

    def commits(self, hub_id: str) -> list[Commit]:
        """Return the recorded commits."""
        return self._rows("commits", hub_id, Commit)

    def discussions(self, hub_id: str) -> list[Discussion]:
        """Return the recorded discussions."""
        return self._rows("discussions", hub_id, Discussion)

    def owner(self, name: str) -> Owner:
        """Return the recorded owner."""
        return make(Owner, {"name": name} | self._value("owner", name))

    def models_of(self, owner: str) -> list[str]:
        """Return the recorded ids."""
        return [str(one) for one in self._value("models_of", owner)]

    def paper(self, arxiv_id: str) -> Paper:
        """Return the recorded paper."""
        return make(Paper, {"id": arxiv_id} | self._value("paper", arxiv_id))

    def dataset(self, hub_id: str) -> Dataset:
        """Return the recorded data set."""
        return make(Dataset, {"id": hub_id} | self._value("dataset", hub_id))

    def page(self, url: str) -> Page:
        """Return the recorded page."""
        return make(Page, {"url": url} | self._value("page", url))

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return the recorded scores on these tasks."""
        return [score for score in self._rows("results", hub_id, Score) if score.task in tasks]
