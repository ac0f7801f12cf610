"""Who owns the repository, by the Hub; whether the model stands in its owner's list there, and in those on the maker's own site."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.facts.addresses import HOSTERS
from cardcheck.facts.located import Location
from cardcheck.facts.maker import bears_name_of, organisation_of
from cardcheck.facts.model import Source
from cardcheck.facts.names import plain
from cardcheck.facts.outside import asked
from cardcheck.facts.prose import without_comments
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import Outside, Owner, Page

MAX_PAGES = 2
MAX_LINKS = 500
MAX_LISTED = 500  # as many models of an owner as are asked for: a list of that length may go on
MAX_RAW = 5_000_000  # characters in which the subject's name is looked for
MAX_MARKUP = 400_000  # characters that are parsed, without scripts and styles
MAX_TAGS = 40_000  # parsing is quick for a page that people read, and slow for one that is made of tags
MAX_SHOWN = 8
LEAST_OTHERS = 3  # a page that names fewer models is no list of them

ADDRESS = Pattern(r"https?://[^\s<>\"'`\]|)]{4,300}")
# The label of a host that somebody registered, also under a country's co, ac and the like.
REGISTERED = Pattern(r"^(?:.{1,200}\.)?([^.]{1,63})\.(?:(?:co|com|org|ac|edu|net|or|ne|go)\.[a-z]{2}|[a-z]{2,24})$")
# By its text or its last part a link leads to models; documentation does where it is all of it, not a page on something else.
MODELS = Pattern(r"(?:^|[^a-z])(?:models|model-list|pricing|embeddings?)(?![a-z])")
TEXT = Pattern(r"(?:^|[^a-z])(?:models|model list|pricing)(?![a-z])")
DOCUMENTATION = Pattern(r"(?:^|[^a-z])(?:documentation|docs?)(?![a-z])")
# Where many have their pages; whose one is does not show in its host.
SHARED = frozenset({
    *HOSTERS, "arxiv.org", "github.io", "readthedocs.io", "medium.com", "youtube.com", "twitter.com", "x.com", "linkedin.com", "discord.gg",
    "notion.site", "google.com", "vercel.app", "substack.com",
})  # fmt: skip
TAG = Pattern(r"<(/?[A-Za-z][A-Za-z0-9-]{0,30})(?:[\s/][^<>]{0,4000})?>")
OTHER_MARK = Pattern(r"<(?!/?[A-Za-z][A-Za-z0-9-]{0,30}>)")
QUIET = ("script", "style", "svg", "template", "noscript")  # elements whose content nobody reads
NOBODY = ""


def collect_owner(facts: Facts, outside: Outside) -> None:
    """Fill the groups `owner` and `pages`; both tell nothing of a subject without a Hub id."""
    hub_id: str = facts["subject.id"] or ""
    name, slash, _ = hub_id.partition("/")
    if not slash:
        facts.sources["owner"] = facts.sources["pages"] = Source("absent", "the subject has no Hub id")
        return
    facts.set("owner.name", name)
    listed = _list(facts, outside, name, hub_id)
    owner = _overview(facts, outside, name)
    _pages(facts, outside, owner, listed)


def _overview(facts: Facts, outside: Outside, name: str) -> Owner | None:
    """Note what the Hub says of the owner. That there is none is an answer, too."""
    from cardcheck.net.answers import Owner

    def ask() -> Owner:
        try:
            return outside.owner(name)
        except AbsentError:
            return Owner(NOBODY)

    owner = asked(facts, "owner", ask, f"the owner {name}")
    if owner is None or owner.name == NOBODY:
        return None
    facts.set("owner.exists", value=True)
    facts.set("owner.kind", owner.kind)
    facts.set("owner.fullname", owner.fullname[:200] or None)
    facts.set("owner.verified", owner.verified)
    facts.set("owner.members", owner.members)
    facts.set("owner.followers", owner.followers)
    facts.set("owner.models", owner.models)
    bears = bears_name_of(owner.fullname)
    if bears and not bears.owns(name):
        facts.set("owner.bears", bears.name)
    return owner


def _list(facts: Facts, outside: Outside, name: str, hub_id: str) -> list[str]:
    """Note whether the Hub's list of the owner's models holds this one, and return the list."""

    def ask() -> list[str]:
        try:
            return outside.models_of(name)
        except AbsentError:
            return []

    found = asked(facts, "owner", ask, f"the models of {name}")
    if found is None:
        return []
    facts.set("owner.listed_models", len(found))
    if any(one.lower() == hub_id.lower() for one in found):
        facts.set("owner.listed", value=True)
    elif len(found) < MAX_LISTED and not _has_moved(outside, hub_id):
        facts.set("owner.listed", value=False)
    return found[:MAX_LISTED]


def _has_moved(outside: Outside, hub_id: str) -> bool:
    """Tell whether the Hub knows the model under another id by now, or hides it from lists."""
    try:
        model = outside.model(hub_id)
    except (AbsentError, UnavailableError):
        return False
    return model.private or model.id.lower() != hub_id.lower()


@dataclass(frozen=True, slots=True)
class _Link:
    """An address on the maker's own site that may lead to its list of models, and where it stands."""

    url: str
    place: Location


def _pages(facts: Facts, outside: Outside, owner: Owner | None, listed: Iterable[str]) -> None:
    """Note of the maker's own pages whether they name this model, and others of the maker's."""
    links = list(_links(facts, owner))[:MAX_PAGES]
    if not links:
        facts.sources["pages"] = Source("absent", "neither the card nor the owner's profile links a list of models on the maker's own site")
        return
    me: str = facts["subject.name"] or ""
    names = {one.rpartition("/")[2] for one in listed} - {me}
    for link in links:

        def read(url: str = link.url) -> tuple[bool, list[str]]:
            return read_page(outside.page(url), me, names)

        if found := asked(facts, "pages", read, f"the maker's page {link.url}"[:300]):
            named, others = found
            shown = ", ".join(others[:MAX_SHOWN])
            facts.add("pages.lists", link.place, url=link.url, names_it=named, others=len(others), shown=shown)
    if facts["pages.lists"] and facts.sources["pages"].state == "absent":
        facts.sources["pages"] = Source("known")  # the last one does not exist, an earlier one does


def _links(facts: Facts, owner: Owner | None) -> Iterator[_Link]:
    """Yield links to lists of models on the maker's own site, each once: those of the owner's profile first, which are surely its own."""
    seen: set[str] = set()
    for url, text, place, own in _all_links(facts, owner):
        parts = _split(url)
        if parts is None or not _may_list_models(text.lower(), *parts):
            continue
        page = url.partition("#")[0]
        hosted = any(parts[0] == host or parts[0].endswith(f".{host}") for host in SHARED)
        if page not in seen and not hosted and (own or _belongs(parts[0], facts["owner.name"], owner)):
            seen.add(page)
            yield _Link(page, place)


def _may_list_models(text: str, host: str, path: str) -> bool:
    parts = [part for part in path.lower().split("/") if part]
    if TEXT.search(text) or (parts and MODELS.search(parts[-1])):
        return True
    return len(parts) <= 1 and bool(DOCUMENTATION.search(f"{text} {host.partition('.')[0]} {path.lower()}"))


def _all_links(facts: Facts, owner: Owner | None) -> Iterator[tuple[str, str, Location, bool]]:
    for found in ADDRESS.findall(owner.details[:2000] if owner else ""):
        yield found.rstrip(".,;:"), "", facts.place(["card.title", "card"]), True
    for row in facts["card.links"][:MAX_LINKS]:
        if row["url"].startswith(("https://", "http://")):
            yield row["url"][:300], row["text"][:100], Location(row["file"], row["line"], row["column"]), False


def _split(url: str) -> tuple[str, str] | None:
    """Return the host and the path of an address; None for one that cannot be read."""
    try:
        parts = urlsplit(url)
        return ((parts.hostname or "").removeprefix("www."), parts.path) if parts.hostname else None
    except ValueError:
        return None


def _belongs(host: str, name: str, owner: Owner | None) -> bool:
    """Tell whether a site is the owner's by its name: docs.voyageai.com is voyageai's, jina.ai is jinaai's.

    A site of somebody else whose name begins like the owner's would be taken for its own; then no model of the owner stands on it, and
    nothing is said.
    """
    known = organisation_of(name)
    if known and any(host == its or host.endswith(f".{its}") for its in known.hosts):
        return True
    label = plain(REGISTERED.sub(r"\1", host))
    called = [plain(name), plain(owner.fullname.replace("/", " ")[:100]) if owner else ""]
    return len(label) >= 4 and any(len(it) >= 4 and (it.startswith(label) or label.startswith(it)) for it in called)


def read_page(page: Page, me: str, names: set[str]) -> tuple[bool, list[str]]:
    """Return whether a page names the subject, and which others of the maker's models it names.

    `names` are the maker's other models on the Hub; those that are only served are known by the first word of the subject's name:
    `voyage-2` and `voyage-code-2` for `voyage-lite-02-instruct`. Raises UnavailableError for what is no page of text.
    """
    if page.kind not in ("text/html", "application/xhtml+xml"):
        raise UnavailableError(f"it is {page.kind[:60] or 'of no known type'}, not text/html")
    text = page_text(page.text)
    whole = " ".join(text.split()).lower()
    if not whole:
        raise UnavailableError("it holds no text; scripts may write it")
    first = re.match(r"[a-z]{3,30}(?=[-_])", me.lower())
    words = {word.rstrip(".-_") for word in re.findall(r"(?<![\w./-])[a-z][\w.-]{2,80}", whole)}
    served = {word for word in words if first and re.match(rf"{first[0]}[-_]", word) and re.search(r"\d", word)}
    others = sorted({name.lower() for name in names if name.lower() in words and re.search(r"[-_\d]", name)} | served - {me.lower()})
    # the whole source counts for the subject, scripts too, and so does the name of what it is a version of
    squashed = re.sub(r"[\W_]", "", page.text[:MAX_RAW].lower())
    stem = any(len(other) >= 8 and re.match(rf"{re.escape(other)}[-_.]", me.lower()) for other in others)
    return plain(me) in squashed or stem, others


def page_text(markup: str) -> str:
    """Return the text of a page as people read it. Raises UnavailableError for one that is too large to be read at all."""
    from bs4 import BeautifulSoup

    markup = _bare_tags(without_comments(_without_quiet(markup[:MAX_RAW])))
    if len(markup) > MAX_MARKUP or markup.count("<") > MAX_TAGS:
        raise UnavailableError("it is larger than is read")
    try:
        return BeautifulSoup(markup, "html.parser").get_text(" ")
    except Exception as error:  # noqa: BLE001  # whatever a parser makes of a stranger's page, the audit goes on
        raise UnavailableError(f"it cannot be parsed: {type(error).__name__}") from None


def _without_quiet(markup: str) -> str:
    """Return the markup without elements that nobody reads, which are most of many pages; in one pass for each."""
    for name in QUIET:
        parts, done = [], 0
        opening, closing = (re.compile(rf"<{slash}{name}\b", re.IGNORECASE) for slash in ("", "/"))
        while found := opening.search(markup, done):
            parts.append(markup[done : found.start()])
            end = closing.search(markup, found.end())
            done = end.start() if end else len(markup)
        markup = "".join([*parts, markup[done:]])
    return markup


def _bare_tags(markup: str) -> str:
    """Return the markup with tags that have no attributes, and no other `<`: Python's parser takes minutes for quotes that never end."""
    return OTHER_MARK.sub(" ", TAG.sub(r"<\1>", markup))
