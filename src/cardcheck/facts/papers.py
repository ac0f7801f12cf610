"""The arXiv papers that the card names: whether they exist, are what the card says they are, and speak of this model.

The Hub is asked first, arXiv for those papers that the Hub has no page of.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.facts.cited import MAX_ENTRY, Cited, arxiv_numbers, compare_authors, compare_titles, looks_like_title, read_entry
from cardcheck.facts.datatable import table_of
from cardcheck.facts.families import ID
from cardcheck.facts.located import Location
from cardcheck.facts.maker import bears_name_of, credited_owners, organisation_of
from cardcheck.facts.model import Source
from cardcheck.facts.naming import around, card_lines, names_of, owner_key
from cardcheck.facts.outside import asked
from cardcheck.net.answers import Paper
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.facts.model import Facts
    from cardcheck.facts.naming import Names
    from cardcheck.net.answers import Outside

MAX_PAPERS = 3
MAX_LOOKED_AT = 400  # rows of the card
MAX_FEED = 400_000  # characters of arXiv's answer
MAX_SHOWN = 160
MAX_SUMMARY = 6000
LINE = 300  # characters of the line above an entry
HUB_BEGAN = "2022-03-02"  # the day that the Hub gives to all repositories that are older
ARXIV = "https://export.arxiv.org/api/query?max_results=3&id_list="
RANKS = ("words", "tag", "citation", "link", "text")  # how a card presents a paper, by how much it makes the paper its own
# The card calls the paper its own. "The paper" and "Paper:" are said of anybody's.
OWN = Pattern(
    r"\bour\s(?:[\w-]{1,20}\s){0,2}\[?(?:[\w-]{1,20}\s)?(?:papers?|report|pre-?print|publication|arxiv)\b"
    r"|\b(?:this|the present) model (?:was|is|has been) (?:first )?(?:introduced|presented|proposed|released|described) (?:in|with|by)\b"
    r"|(?:我们|本)的?\s{0,2}(?:论文|技术报告)",
    re.IGNORECASE,
)
ATOM = {name: Pattern(rf"<{name}[^>]{{0,80}}>([^<]{{0,6000}})</{name}>") for name in ("id", "title", "summary", "published", "name")}


# Papers of libraries and losses. Cards that a library writes call them "our publication", whoever trained the model.
BACKGROUND = frozenset({"1908.10084", "2004.09813", "2010.08240", "1705.00652", "2205.13147", "2209.11055"})


@dataclass(slots=True)
class _Named:
    """A paper that the card names: where first, how, and what it says that the paper is."""

    number: str
    place: Location
    how: str
    said: list[tuple[Location, Cited]] = field(default_factory=list)


def collect_papers(facts: Facts, outside: Outside) -> None:
    """Fill the group `papers`. What lies between the days of paper, model and base has a source of its own, for the Hub tells these."""
    named = sorted(_named(facts).values(), key=lambda one: RANKS.index(one.how))
    if not named:
        facts.sources["papers"] = facts.sources["papers.days"] = Source("absent", "the card names no paper on arXiv")
        return
    chosen = named[:MAX_PAPERS]
    papers = _papers(facts, outside, [one.number for one in chosen])
    if facts.sources["papers"].state != "known":
        facts.sources["papers.days"] = facts.sources["papers"]
        return
    facts.set("papers.more", len(named) - len(chosen))
    facts.sources["papers.days"] = Source("known")
    model = base = ""
    if any(one.how == "words" and papers.get(one.number) for one in chosen):
        model, base = _days(facts, outside)
    names = names_of(facts)
    for one in chosen:
        paper = papers.get(one.number)
        _looked_up(facts, one, paper, names, (model, base))
        if paper:
            _keep(facts, outside, one, paper)
            for place, cited in one.said:
                _said(facts, one.number, place, cited, paper)


def _named(facts: Facts) -> dict[str, _Named]:
    """Return the papers that the card names by a number that arXiv can have, in order."""
    lines = card_lines(facts)
    found: dict[str, _Named] = {}

    def note(number: str, row: dict[str, Any], how: str, cited: Cited | None = None) -> None:
        place = Location(row["file"], row["line"], row["column"])
        how = row.get("kind", "citation") if number in BACKGROUND else how
        one = found.setdefault(number, _Named(number, place, how))
        if RANKS.index(how) < RANKS.index(one.how):
            one.how, one.place = how, place
        if cited:
            one.said.append((place, cited))

    texts = {(row["line"], row["column"]): row["text"] for row in facts["card.links"][:MAX_LOOKED_AT]}
    for row in facts["card.papers"][:MAX_LOOKED_AT]:
        numbers = arxiv_numbers(row["ref"], bare=row["kind"] in ("tag", "text")) if row["kind"] != "citation" else []
        if len(numbers) != 1:
            continue
        text = texts.get((row["line"], row["column"]), "") if row["kind"] == "link" else ""
        own = row["kind"] != "tag" and OWN.search(around(lines, row))
        cited = Cited("link", text) if looks_like_title(text) else None
        note(numbers[0], row, "words" if own else row["kind"], cited)
    for row, entry in _entries(facts, lines):
        numbers = arxiv_numbers(entry, bare="arxiv" in entry.lower())
        if len(numbers) == 1:  # an entry with two is of one paper and speaks of another
            own = OWN.search(_line_before(lines, row))
            note(numbers[0], row, "words" if own else "citation", read_entry(entry))
    return found


def _entries(facts: Facts, lines: list[str]) -> list[tuple[dict[str, Any], str]]:
    """Return the rows of the card's BibTeX entries, each with its text."""
    rows = facts["lineage.citations"]
    entries = []
    for at, row in enumerate(rows):
        last = rows[at + 1]["line"] - 1 if at + 1 < len(rows) else len(lines)
        text = "\n".join(lines[row["line"] - 1 : max(last, row["line"])])[:MAX_ENTRY]
        entries.append((row, text.partition("```")[0]))
    return entries


def _line_before(lines: list[str], row: dict[str, Any]) -> str:
    """Return the line of text above an entry, which asks to cite it."""
    above = lines[max(0, row["line"] - 8) : row["line"] - 1]
    return next((line[-LINE:] for line in reversed(above) if line.strip() and not line.lstrip().startswith(("```", "~~~"))), "")


def _papers(facts: Facts, outside: Outside, numbers: list[str]) -> dict[str, Paper | None]:
    """Return the papers by their numbers, None for one that neither the Hub nor arXiv has; the source says whether that could be told."""
    found = {
        number: asked(facts, "papers", partial(or_none, partial(outside.paper, number)), f"the Hub's page of arXiv:{number}")
        for number in numbers
    }
    missing = [number for number, paper in found.items() if paper is None or not paper.title]
    if missing and facts.sources["papers"].state == "known":
        feed = asked(facts, "papers", lambda: _feed(outside, missing), f"arXiv's answer on {', '.join(missing)}")
        found |= {number: (feed or {}).get(number) or found[number] for number in missing}
    return found


def or_none(question: Callable[[], Any]) -> Any:
    """Return the answer, None where there is none: of a paper, that is an answer too."""
    try:
        return question()
    except AbsentError:
        return None


def _feed(outside: Outside, numbers: list[str]) -> dict[str, Paper]:
    """Return those papers of these that arXiv has. Its Atom is read by patterns: entities are not expanded, depth does not matter."""
    try:
        text = outside.page(ARXIV + ",".join(numbers)).text[:MAX_FEED]
    except AbsentError as error:
        raise UnavailableError(str(error)) from None
    if "<feed" not in text[:2000]:
        raise UnavailableError("it is no list of papers")
    entries = text.split("<entry>")[1:]
    found = {}
    for entry in entries[: MAX_PAPERS + 1]:
        values = {name: " ".join(html.unescape(one[1]).split()) if (one := ATOM[name].search(entry)) else "" for name in ATOM}
        number = arxiv_numbers(values["id"], bare=False)
        if "/api/errors" in values["id"]:
            if not any(one in values["summary"] for one in numbers):
                raise UnavailableError(f"it is an error: {values['summary'][:100]}")
        elif number:
            authors = [html.unescape(one[1]).strip() for one in ATOM["name"].finditer(entry)][:200]
            found[number[0]] = Paper(number[0], values["title"], values["summary"], authors, values["published"][:10])
    return found


def _days(facts: Facts, outside: Outside) -> tuple[str, str]:
    """Return the days on which the model and the one model that it was made from came to the Hub; empty where that is not known."""
    me: str = facts["subject.id"] or ""
    bases = {base for base in (*facts["card.base_model"], *(row["id"] for row in facts["lineage.stated"])) if ID.match(base)} - {me}
    days = []
    for hub_id in (me, bases.pop() if len(bases) == 1 else ""):
        question = partial(or_none, partial(outside.model, hub_id))
        model = asked(facts, "papers.days", question, f"the day of {hub_id}") if hub_id else None
        days.append(model.created if model and model.created > HUB_BEGAN else "")
    return days[0], days[1]


def _looked_up(facts: Facts, one: _Named, paper: Paper | None, names: Names, days: tuple[str, str]) -> None:
    facts.add(
        "papers.looked_up",
        one.place,
        number=one.number,
        how=one.how,
        exists=paper is not None,
        title=_shown(paper.title) if paper else "",
        published=paper.published[:10] if paper else "",
        names=names.in_text(paper.summary, paper.title) if paper else "unsaid",
        owners=paper is not None and _is_owners(paper, facts["subject.id"] or ""),
        before_model=_between(paper.published, days[0]) if paper else 0,
        before_base=_between(paper.published, days[1]) if paper else 0,
        of=_others(facts, paper) if paper else "",
    )


def _keep(facts: Facts, outside: Outside, one: _Named, paper: Paper) -> None:
    """Keep what a paper that is the model's own says of itself: it may tell what the model was trained on."""
    named = names_of(facts).in_text(paper.summary, paper.title) == "yes" and one.how != "text"
    if one.number not in BACKGROUND and (one.how == "words" or named or _is_owners(paper, facts["subject.id"] or "")):
        summary = " ".join(paper.summary[:MAX_SUMMARY].split())
        facts.add("overlap.papers", one.place, number=one.number, summary=summary, table=table_of(facts, outside, one.number))


def _said(facts: Facts, number: str, place: Location, cited: Cited, paper: Paper) -> None:
    """Note what the card says that the paper is, beside what it is."""
    authored = compare_authors(cited.authors, paper.authors)
    facts.add(
        "papers.said",
        place,
        number=number,
        where=cited.where,
        said=_shown(cited.title),
        real=_shown(paper.title),
        titled=compare_titles(cited.title, paper, authored),
        authored=authored,
        said_author=_shown(cited.authors[0]) if cited.authors else "",
        real_author=_shown(paper.authors[0]) if paper.authors else "",
    )


def _is_owners(paper: Paper, hub_id: str) -> bool:
    """Tell whether the paper is its owner's by the Hub: by organisation, an author's name, the code's owner, or another linked model."""
    owner = hub_id.partition("/")[0]
    key = owner_key(owner)
    if len(key) < 3:
        return False
    makers = [paper.organization, *re.findall(r"github\.com/([\w-]{1,60})", paper.github[:200])]
    authors = [owner_key(name) for name in paper.authors[:200]]
    return (
        any(key == owner_key(maker) for maker in makers if maker)
        or any(len(name) > 5 and (name in key or (len(key) > 5 and key in name)) for name in authors)
        or any(one.lower().startswith(f"{owner.lower()}/") and one.lower() != hub_id.lower() for one in paper.models)
    )


def _others(facts: Facts, paper: Paper) -> str:
    """Return the well-known organisation that the Hub names for the paper, where it is neither the owner nor the maker of a base."""
    found = organisation_of(paper.organization) or bears_name_of(paper.organization)
    owners = {(facts["subject.id"] or "").partition("/")[0].lower(), *credited_owners(facts)}
    return "" if found is None or facts["lineage.is_conversion"] or any(map(found.owns, owners)) else found.name


def _between(first: str, second: str) -> int:
    """Return how many days the first day lies before the second; 0 where it does not, or one is unknown."""
    try:
        return max(0, (date.fromisoformat(second[:10]) - date.fromisoformat(first[:10])).days)
    except ValueError:
        return 0


def _shown(text: str) -> str:
    """Return a stranger's text as a message can quote it: one line, without control characters, not too long."""
    return "".join(letter for letter in " ".join(text[:2000].split()) if letter.isprintable())[:MAX_SHOWN]
