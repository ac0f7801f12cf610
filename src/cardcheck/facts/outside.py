"""Evidence from outside the files: who is asked, in parallel, and what becomes of a question that could not be answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.facts.model import Facts, Source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.facts.prose import Prose
    from cardcheck.net.answers import Outside

Answer = TypeVar("Answer")
GROUPS = (
    "overlap", "hub", "scan", "history", "disputes", "bases", "tree", "copies", "owner", "papers", "papers.days",
    "reports", "reports.text", "data", "pages", "official",
)  # fmt: skip
NOT_ASKED = Source("absent", "not asked; --online asks")


class Offline:
    """In place of the outside where no request may be made: nobody can say anything."""

    log = None
    origin = ""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: Any, **__: Any) -> Any:
            raise UnavailableError("not asked: offline")

        return refuse


def collect_outside(facts: Facts, prose: Prose, outside: Outside | None, folder: Path | None = None, *, catalogue: bool = False) -> None:
    """Fill the groups that need the network, which without `outside` are told as not asked for, and what the catalogue tells.

    `folder` is where weights lie that somebody may have changed since they came from the Hub. The `catalogue` needs no network, but
    reading it is too slow for every commit: it is read for an audit, and where the outside is asked.
    """
    if outside is None:
        facts.sources |= dict.fromkeys(GROUPS, NOT_ASKED)
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(collect, facts, outside) for collect in _collectors(folder)]:
                done.result()
    if outside is not None or catalogue:
        from cardcheck.facts.overlap import collect_overlap

        facts.sources["overlap"] = Source("known")
        collect_overlap(facts, prose)  # last, for the paper may tell of training data


def _collectors(folder: Path | None) -> list[Callable[[Facts, Outside], None]]:
    """Return who fills the groups, each its own."""
    from functools import partial

    from cardcheck.facts.hub import collect_hub
    from cardcheck.facts.hubdata import collect_data, collect_relatives
    from cardcheck.facts.official import collect_official
    from cardcheck.facts.owner import collect_owner
    from cardcheck.facts.papers import collect_papers
    from cardcheck.facts.reports import collect_reports

    relatives = partial(collect_relatives, folder=folder)
    return [collect_hub, relatives, collect_data, collect_owner, collect_papers, collect_reports, collect_official]


def asked(facts: Facts, source: str, question: Callable[[], Answer], what: str) -> Answer | None:
    """Return the answer, or None where there is none; the source becomes known, absent or unavailable.

    `what` is what was looked for, as `the model acme/ours`. One answer that could not be had makes its source unavailable, whatever
    else was answered: a rule that needs all of it must not pass.
    """
    try:
        answer = question()
    except AbsentError as error:
        if facts.sources[source].state != "unavailable":
            facts.sources[source] = Source("absent", f"{what}: {error}")
        return None
    except UnavailableError as error:
        facts.sources[source] = Source("unavailable", f"{what}: {error}")
        return None
    if facts.sources[source].state == "absent":
        facts.sources[source] = Source("known")
    return answer
