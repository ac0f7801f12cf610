"""The blog posts and reports that a card links as its own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from cardcheck.engine.recorded import Recorded
from cardcheck.facts import Facts, collect
from cardcheck.facts.model import Source
from cardcheck.facts.naming import owner_key
from cardcheck.facts.reports import collect_reports, is_owners
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel
    from hub_double import HubDouble

    from cardcheck.net.online import Online

    Read = Callable[..., Facts]

URL = "https://acme.example/blog/zebra"
CARD = f"---\ntags: [sentence-transformers]\n---\n# Zebra\n\nFor more details see [our blog post]({URL}).\n"
WORDS = "All of this is about search, and how it finds what people look for in long texts that nobody reads to the end. " * 5


@pytest.fixture
def read(make_model: MakeModel) -> Read:
    """Give the reader of a card with what the outside answers."""

    def facts(card: str = CARD, outside: Any = None, **pages: Any) -> Facts:
        path = make_model({"README.md": card})
        found = collect(Subject(str(path), "folder", path, id="acme-ai/zebra-large"))
        collect_reports(found, outside or Recorded({"page": pages}))
        return found

    return facts


def only(facts: Facts) -> dict[str, Any]:
    """Return the one row, without its place."""
    (row,) = facts["reports.looked_up"]
    return {key: value for key, value in row.items() if key not in ("file", "line", "column")}


def test_a_report_that_is_there(read: Read) -> None:
    """Domain, name of the model and words on training are told."""
    page = {"text": f"<html><h1>Zebra</h1><p>{WORDS} It was fine-tuned.</p></html>"}
    assert only(read(**{URL: page})) == {
        "url": URL, "presented": True, "owners": True, "found": True, "final": URL, "moved": "", "names": "yes", "trains": "yes",
    }  # fmt: skip
    row = only(read(**{URL: {"text": f"<html><p>{WORDS}</p></html>", "url": "https://tea.example/shop"}}))
    assert (row["owners"], row["moved"], row["names"], row["trains"]) == (False, "another site", "no", "no")


def test_a_report_that_is_gone(read: Read) -> None:
    """A page that does not exist is told; one that fails leaves the rules unknown."""
    facts = read()
    assert (facts.sources["reports"].state, only(facts)["found"]) == ("known", False)
    facts = read(**{URL: "acme.example answered 403"})
    assert facts.sources["reports"].reason == f"the report {URL}: acme.example answered 403"


@pytest.mark.parametrize(
    "page",
    [
        {"text": "<html><script src=app.js></script><div id=root></div></html>"},
        {"kind": "application/pdf", "text": "%PDF-1.7 " + WORDS},
        {"kind": "application/json", "text": WORDS},
        {"kind": "", "text": WORDS},
    ],
)
def test_what_cannot_be_read_is_not_judged(read: Read, page: dict[str, Any]) -> None:
    """Of PDFs and pages that scripts fill nothing is said but that they are there: what they say is unknown, with the reason."""
    facts = read(**{URL: page})
    row = only(facts)
    assert facts.sources["reports"] == Source("known")
    assert facts.sources["reports.text"].state == "unavailable"
    assert facts.sources["reports.text"].reason.startswith(f"the report {URL} ")
    assert (row["found"], row["names"], row["trains"]) == (True, "unsaid", "unsaid")


@pytest.mark.parametrize(
    "line",
    [
        "Ben wrote a [post](https://ben.example/blog/search) on search.",
        "- [Training rerankers](https://huggingface.co/blog/train-reranker): the guide.",
        "| [rival](https://rival.example/blog/rival) | 64.5 |",
        "Read more in [our post](ftp://acme.example/blog/x).",
        "We report all in our paper.",
    ],
)
def test_background_is_not_asked_for(read: Read, line: str) -> None:
    """Other people's posts, guides and tables of rivals cost no request."""
    assert read(f"# Zebra\n\n{line}\n").sources["reports"].state == "absent"


def test_three_reports_its_own_first(read: Read) -> None:
    """Three are asked for, once each, and those first that the card presents."""
    sites = "".join(f"- on [it](https://acme.example/blog/{n})\n" for n in range(4))
    card = f"# Zebra\n\n{sites}\nFor more details see [our post]({URL}#top) and [our post]({URL}).\n"
    rows = read(card)["reports.looked_up"]
    assert [row["url"] for row in rows] == [URL, "https://acme.example/blog/0", "https://acme.example/blog/1"]
    assert [row["presented"] for row in rows] == [True, False, False]


@pytest.mark.parametrize(
    ("url", "owner", "wanted"),
    [
        ("https://blog.nomic.ai/posts/x", "nomic-ai", True),
        ("https://www.mixedbread.com/blog/x", "mixedbread-ai", True),
        ("https://blog.google/technology/ai", "google", True),
        ("https://blog.salesforceairesearch.com/x", "Salesforce", True),
        ("https://medium.com/neuml/x", "NeuML", True),
        ("https://medium.com/@neuml/x", "NeuML", True),
        ("https://huggingface.co/blog/acme/x", "acme", True),
        ("https://habr.com/ru/companies/tochka/articles/1", "Tochka-AI", True),
        ("https://acme.github.io/report", "acme", True),
        ("https://news.acme.co.uk/x", "acme", True),
        ("https://huggingface.co/blog/setfit", "acme", False),
        ("https://acme.evil.example/blog/x", "acme", False),
        ("https://evil.example/acme", "acme", False),
        ("https://[bad/blog", "acme", False),
        ("https://ai.example/blog", "ai", False),
    ],
)
def test_whose_an_address_is(url: str, owner: str, wanted: bool) -> None:  # noqa: FBT001
    """The registered name tells, or on a site where many write a name in the path or before the site's."""
    assert is_owners(url, owner_key(owner)) is wanted


def test_through_the_client(make_model: MakeModel, hub: HubDouble, online: Online) -> None:
    """The whole way, with a redirect to the front page."""
    hub.instead["/blog/zebra"] = lambda _: Response(status=302, headers={"Location": "/"})
    hub.pages["/"] = f"<p>{WORDS}</p>"
    path = make_model({"README.md": CARD.replace("https://acme.example", hub.url)})
    facts = collect(Subject(str(path), "folder", path, id="acme/zebra"))
    collect_reports(facts, online)
    row = only(facts)
    assert (row["found"], row["moved"], row["names"]) == (True, "front page", "no")
    assert len(hub.asked) == 2


@pytest.mark.parametrize(
    "text", ["<!--" * 100_000, "<" * 400_000, "</a " * 100_000, "<a x='" * 70_000, "&" * 400_000, "a" * 400_000, "&#x;" * 90_000]
)
def test_a_hostile_page(read: Read, text: str) -> None:
    """A page that is made to be slow to read is not."""
    start = time.perf_counter()
    read(**{URL: {"text": text}})
    assert time.perf_counter() - start < 3
