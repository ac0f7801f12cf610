"""The blog posts and reports that the card links as its own: whether they are there, are the owner's, name the model, tell of training."""

from __future__ import annotations

import html
import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.naming import MAX_TEXT, around, card_lines, folded, names_of, owner_key
from cardcheck.facts.outside import asked
from cardcheck.facts.papers import or_none
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.naming import Names
    from cardcheck.net.answers import Outside, Page

MAX_REPORTS = 3
MAX_LOOKED_AT = 200  # rows of the card
MIN_WORDS = 80  # of a page that was read; one that a script fills has fewer
READABLE = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown")
# The card sends its readers there to learn of this model. Links to guides, to other people's posts and in tables of rivals do not match.
PRESENTED = Pattern(
    r"\b(?:our|this) \[?(?:[\w-]{1,20} ){0,2}\[?(?:blog|post|article|report|write-?up)"
    r"|\bmore (?:[\w-]{1,20} ){0,2}(?:details?|detailed|information)\b|\b(?:further|full) details\b|\bdetails (?:about|on|of) "
    r"|\bread more\b|\btechnical (?:report|blog)\b|\b(?:launch|release|announcement) (?:blog )?post\b|\bhow (?:it|this model) was\b"
    r"|技术报告|技术博客|实验报告|подробн\w{2,6}|詳細|詳しく",
    re.IGNORECASE,
)
TRAINING = Pattern(
    r"\b(?:pre-?|fine-?)?(?:train(?:ed|ing)|tun(?:ed|ing))\b|\bdistill?(?:ed|ation)\b|\bcontrastive\b|\bhard[- ]negatives?\b"
    r"|训练|微调|蒸馏|обуч|学習",
    re.IGNORECASE,
)
# Sites where many people write; whose a page is stands in the path, or before the site's name.
HOSTERS = frozenset(
    {
        "huggingface.co", "hf.co", "github.com", "github.io", "gitlab.com", "medium.com", "substack.com", "habr.com", "qiita.com",
        "zenn.dev", "note.com", "zhihu.com", "hashnode.dev", "dev.to", "notion.site",
        "wordpress.com", "blogspot.com", "tfhub.dev", "kaggle.com",
    }
)  # fmt: skip
SECOND_LEVEL = frozenset({"ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"})


def collect_reports(facts: Facts, outside: Outside) -> None:
    """Fill the group `reports`. What the pages say has a source of its own: some are there, and cannot be read."""
    owner = owner_key((facts["subject.id"] or "").partition("/")[0])
    rows = _chosen(facts, owner)
    if not rows:
        facts.sources["reports"] = facts.sources["reports.text"] = Source("absent", "the card links no blog post or report as its own")
        return
    names = names_of(facts)
    pages: list[Page | None] = [
        asked(facts, "reports", partial(or_none, partial(outside.page, row["url"])), f"the report {row['url'][:120]}") for row in rows
    ]
    if facts.sources["reports"].state != "known":
        facts.sources["reports.text"] = facts.sources["reports"]
        return
    facts.sources["reports.text"] = Source("known")
    for row, page in zip(rows, pages, strict=True):
        _looked_up(facts, row, page, names, owner)
    told = any(row["presented"] and row["names"] == row["trains"] == "yes" for row in facts["reports.looked_up"])
    unread = [problem for row, page in zip(rows, pages, strict=True) if row["presented"] and page and (problem := _unread(page))]
    if unread and not told:  # one report that says all is enough, whatever the others say
        facts.sources["reports.text"] = Source("unavailable", unread[0])


def _chosen(facts: Facts, owner: str) -> list[dict[str, Any]]:
    """Return the rows of the reports to look at, those first that the card presents as its own, then others on the owner's site."""
    lines = card_lines(facts)
    found: dict[str, dict[str, Any]] = {}
    for row in facts["card.reports"][:MAX_LOOKED_AT]:
        url = row["url"].strip().partition("#")[0]
        presented = bool(PRESENTED.search(around(lines, row)))
        if url.lower().startswith(("http://", "https://")) and (presented or is_owners(url, owner)):
            before = found.get(url, row)
            found[url] = before | {"url": url, "presented": presented or before.get("presented", False)}
    return sorted(found.values(), key=lambda row: not row["presented"])[:MAX_REPORTS]


def _looked_up(facts: Facts, row: dict[str, Any], page: Page | None, names: Names, owner: str) -> None:
    text = _text(page) if page else ""
    readable = page is not None and not _unread(page)
    final = page.url[:500] if page else ""
    facts.add(
        "reports.looked_up",
        Location(row["file"], row["line"], row["column"]),
        url=row["url"][:200],
        presented=row["presented"],
        owners=is_owners(final or row["url"], owner),
        found=page is not None,
        final=final[:200],
        moved=_moved(row["url"], final) if page else "",
        names=names.in_text(f"{text} {final}") if readable else "unsaid",
        trains=("yes" if TRAINING.search(text) else "no") if readable else "unsaid",
    )


def _unread(page: Page) -> str:
    """Return why nobody can say what a page says; empty where it was read."""
    if page.kind not in READABLE:
        return f"the report {page.url[:120]} is {page.kind[:60] or 'of no known type'}, which is not read"
    few = len(_text(page).split()) < MIN_WORDS
    return f"the report {page.url[:120]} holds hardly any text; scripts may write it" if few else ""


def _text(page: Page) -> str:
    """Return what a page says; empty for a PDF.

    Tags are cut out here because parsers of HTML take quadratic time on a page that is made for it: bs4 a minute on 300 KB of `<!--`. What
    scripts hold stays: many pages carry their text there, and it is only asked whether words occur.
    """
    if page.kind not in READABLE:
        return ""
    if page.kind == "text/plain":
        return page.text[:MAX_TEXT]
    first, *others = page.text[:MAX_TEXT].split("<")
    return html.unescape(" ".join([first, *(part.partition(">")[2] for part in others)]))


def is_owners(url: str, owner: str) -> bool:
    """Tell whether an address is the owner's (as owner_key gives the name): by its domain, or by a name on a site where many write."""
    if len(owner) < 3:
        return False
    host, path = _split(url)
    site = _site(host)
    if site in HOSTERS:
        parts = [*host.removesuffix(site).split("."), *path.split("/")[1:5]]
        return any(owner_key(part) == owner for part in parts if part)
    label = owner_key(site.partition(".")[0])
    same = label == owner or (min(len(label), len(owner)) > 4 and (label.startswith(owner) or owner.startswith(label)))
    return same or (len(owner) > 4 and host.endswith(f".{owner}"))  # blog.google


def _moved(url: str, final: str) -> str:
    """Return where an address leads to if not to its page: `front page`, `another site`, or nothing."""
    (host, path), (new_host, new_path) = _split(url), _split(final)
    if path.strip("/") and not new_path.strip("/"):
        return "front page"
    return "another site" if _site(host) != _site(new_host) else ""


def _split(url: str) -> tuple[str, str]:
    """Return host and path of an address; both empty where it is none."""
    try:
        parts = urlsplit(url)
        return folded(parts.hostname or ""), parts.path
    except ValueError:
        return "", ""


def _site(host: str) -> str:
    """Return the registered name of a host, as acme.com for blog.acme.com."""
    labels = host.split(".")
    return ".".join(labels[-3:] if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL else labels[-2:])
