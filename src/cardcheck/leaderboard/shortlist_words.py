"""Why a model stands where it stands on a short list, in one line; and sizes for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.leaderboard.languages import long_codes
from cardcheck.leaderboard.shortlist_tasks import some

if TYPE_CHECKING:
    from cardcheck.leaderboard.shortlist import Entry
    from cardcheck.leaderboard.shortlist_facts import Known
    from cardcheck.leaderboard.shortlist_tasks import Choice

KINDS = {"late": "a vector for each token, which takes far more room in an index", "sparse": "sparse vectors", "reranker": "a reranker"}
FEW = 2  # shown of a list


def reason(entry: Entry, first: Entry, many: int, choice: Choice) -> str:
    """Return what to know of a model beside the columns; `first` is the list's first, `many` how many tasks it is about."""
    parts = [
        _place(entry, first),
        "" if choice.is_general else _results(entry, many),
        _training(entry),
        f"higher than expected on {some(entry.placed.odd, FEW)}" if entry.placed.odd else "",
        f"takes no {' or '.join(entry.lacks)}, which {entry.beyond} of the tasks need" if entry.beyond else "",
        f"gives {entry.about.dimensions[0]} numbers, which its results are of, and is made for them to be cut" if entry.cut else "",
        "run with prompts that were searched for on a benchmark" if entry.tuned else "",
        _languages(entry.about, choice),
        *_use(entry.about),
        f"not known: {', '.join(entry.unsure)}" if entry.unsure else "",
    ]
    return "; ".join(part for part in parts if part)


def _place(entry: Entry, first: Entry) -> str:
    if not entry.firm:
        return ""
    if entry.placed.model == first.placed.model:
        return "first"
    near = "its interval holds the first's score" if entry.placed.high >= first.placed.score else ""
    return " and ".join(part for part in ("no smaller model scores higher" if entry.front else "", near) if part)


def _results(entry: Entry, many: int) -> str:
    ran = entry.placed.tasks
    if not ran:
        return "ran none of them: expected from its other results alone"
    return f"ran only {ran} of {many} tasks" if ran * 4 <= many else ""


def _training(entry: Entry) -> str:
    found = entry.overlap
    if found.state == "declared":
        return f"declares training on {some(found.tasks, FEW)}"
    if found.state == "not declared":
        return "nobody says what it was trained on"
    return "" if found.checkable else "declared as trained on none of MTEB's data, which nobody can check"


def _languages(about: Known, choice: Choice) -> str:
    """Say where a model is not meant for the chosen language: an annotation, not a measurement."""
    lacking = [code for code in choice.languages if about.languages and not about.languages & {item[:3] for item in long_codes(code)}]
    return f"not said to be made for {', '.join(lacking)}" if lacking else ""


def _use(about: Known) -> list[str]:
    found = [KINDS[about.kind]] if about.kind in KINDS else []
    if about.code:
        found.append("loading it runs code of its repository")
    if about.open_weights is False:
        found.append("served by its maker only")
    if about.licence is None and about.open_weights:
        found.append("no licence is known")
    if about.successor:
        found.append(f"its maker now has {about.successor}")
    return found


def megabytes(size: float | None) -> str:
    """Return a size for people."""
    if size is None:
        return "?"
    return f"{size:.0f} MB" if size < 1000 else f"{size / 1024:.1f} GB"


def tokens(limit: int | str | None) -> str:
    """Return a limit of tokens for people."""
    return "?" if limit is None else "any" if isinstance(limit, str) else str(limit)


def trained(entry: Entry, many: int) -> str:
    """Return the declared overlap for a narrow column."""
    found = entry.overlap
    return f"{len(found.tasks)} of {many}" if found.state == "declared" else "none" if found.state == "none declared" else "silent"
