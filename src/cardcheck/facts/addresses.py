"""Links that are not what they look like, and names written with letters of another script."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_LINKS = 2000
MAX_SHOWN = 100

HOST = r"(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}"
ADDRESS = Pattern(
    rf"\s{{0,9}}(?P<scheme>https?://|www\.)?(?P<host>{HOST})(?::\d{{1,5}})?(?P<path>/\S{{0,300}})?\s{{0,9}}",
    re.IGNORECASE,
)
TARGET = Pattern(
    r"(?:https?:)?//(?:[^/@\s?#]{0,200}@)?(?P<host>\[[0-9a-f:.]{2,45}\]|[^/:?#\s]{1,253})(?::\d{0,5})?"
    r"(?P<path>/[^?#\s]{0,300})?",
    re.IGNORECASE,
)
# Names without a scheme are read as addresses only where they end so: packages and files are called llama.cpp, config.json or torch.nn.
DOMAINS = frozenset({"com", "org", "net", "edu", "gov", "io", "ai", "co", "dev", "app"})
SAME = (  # different names of one place
    frozenset({"huggingface.co", "hf.co", "huggingface.com"}),
    frozenset({"twitter.com", "x.com", "t.co"}),
    frozenset({"youtube.com", "youtu.be"}),
    frozenset({"discord.com", "discord.gg", "discordapp.com"}),
    frozenset({"github.com", "github.io", "githubusercontent.com"}),
    frozenset({"facebook.com", "fb.com", "meta.com"}),
    frozenset({"google.com", "goo.gl", "forms.gle", "youtu.be"}),
    frozenset({"telegram.org", "t.me", "telegram.me"}),
    frozenset({"arxiv.org", "doi.org", "huggingface.co", "alphaxiv.org"}),
    frozenset({"linkedin.com", "lnkd.in"}),
)
FORWARDS = frozenset({"doi.org", "archive.org", "hdl.handle.net", "handle.net", "google.com", "substack.com", "cutt.ly"})
HOSTERS = frozenset({"huggingface.co", "hf.co", "github.com"})  # where the owner is the first part of the path
NOT_OWNERS = frozenset(
    {"docs", "blog", "papers", "collections", "settings", "join", "login", "chat", "tasks", "posts", "learn", "topics", "features"}
)
SHORTENERS = frozenset(
    {"bit.ly", "tinyurl.com", "goo.gl", "is.gd", "cutt.ly", "ow.ly", "t.ly", "rebrand.ly", "shorturl.at", "rb.gy", "tiny.cc", "s.id"}
)  # fmt: skip
NUMERIC = Pattern(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\d{8,10}|0x[0-9a-f]{1,8}|\[[0-9a-f:.]{2,45}\])$", re.IGNORECASE)
LOCAL = Pattern(r"(?:127\.|0\.0\.0\.0|10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.)")
SCRIPT = Pattern(r"\s{0,9}(?:javascript|vbscript|data\s{0,3}:\s{0,3}(?:text/html|application/|image/svg))\s{0,3}[:;,/x]?", re.IGNORECASE)
LOGIN = Pattern(r"https?://(?P<user>[^/@\s?#]{1,200})@(?P<host>[^/:?#\s]{1,253})", re.IGNORECASE)
BRANDS = Pattern(r"(?:huggingface|hugging-face|github|arxiv|pytorch|pypi)\.(?:co|com|org|io)(?=\.[a-z])", re.IGNORECASE)

# Letters that look like Latin ones, and the Latin ones.
LOOKALIKES = dict(
    zip(
        "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0475"  # Cyrillic, small
        "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405\u0423"  # and capital
        "\u03bf\u03bd\u03b1\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"  # Greek
        "\u0131\u0261\u217c",
        "aeopcyxijshdqwvABEKMHOPCTXIJSYovaABEZHIKMNOPTYXigl",
        strict=True,
    )
)
GREEK = Pattern("[\u0370-\u03ff]")
WORD = Pattern(r"[\w.-]{2,96}")
QUOTED_ID = Pattern(r"[\"'](?P<id>[^\s\"'/]{1,96}/[^\s\"'/]{1,96})[\"']")


def collect_addresses(facts: Facts) -> None:
    """Fill `hazards.links`."""
    seen: set[tuple[str, str]] = set()
    for row in facts["card.links"][:MAX_LINKS]:
        text, url, place = row["text"], row["url"].strip(), Location(row["file"], row["line"], row["column"])
        found = _problem(url, text)
        if found and found not in seen:
            kind, host = found
            seen |= {found} if kind == "numeric" else set()  # tables of models repeat such a link in every row
            facts.add("hazards.links", place, kind=kind, text=text[:MAX_SHOWN], url=url[:MAX_SHOWN], host=host[:MAX_SHOWN])


def _problem(url: str, text: str) -> tuple[str, str] | None:
    """Say what is wrong with a link: (kind, the host or what else is to be named)."""
    if SCRIPT.match(url):
        return "script", url.partition(":")[0].lower()
    target = TARGET.match(url)
    if target is None:
        return None
    host = target["host"].lower().rstrip(".")
    site = _site(host)
    if found := _strange_host(url, host):
        return found
    return _shown_elsewhere(text, url, target, site) or (("shortened", site) if site in SHORTENERS else None)


def _strange_host(url: str, host: str) -> tuple[str, str] | None:
    """Say what is wrong with the name of a host."""
    if (login := LOGIN.match(url)) and "." in login["user"]:
        return "login", host
    if NUMERIC.match(host) and not LOCAL.match(host):
        return "numeric", host
    if (not host.isascii() or "xn--" in host) and (latin := _as_latin(_decoded(host))):
        return "lookalike", latin
    brand = BRANDS.search(host)
    return ("brand", brand[0].lower()) if brand else None


def _shown_elsewhere(text: str, url: str, target: re.Match[str], site: str) -> tuple[str, str] | None:
    """Tell whether a link's text is an address of another place than the link goes to."""
    if text == url or len(text) > 300 or "." not in text or not (shown := ADDRESS.fullmatch(text)):
        return None
    named = _site(shown["host"].lower())
    if not shown["scheme"] and named.rpartition(".")[2] not in DOMAINS:
        return None
    same = named == site or any(named in names and site in names for names in SAME) or named.partition(".")[0] == site.partition(".")[0]
    if not same:
        return None if site in FORWARDS or named in SHORTENERS else ("elsewhere", site)
    if named == site and named in HOSTERS:
        mine, theirs = (_owner(match["path"]) for match in (shown, target))
        if mine and theirs and mine != theirs:
            return "elsewhere", f"{site}/{theirs}"
    return None


def _owner(path: str | None) -> str:
    """Return whose repository a path names, or an empty text."""
    parts = [part for part in (path or "").lower().split("/") if part]
    if parts and parts[0] in ("datasets", "spaces", "models"):
        parts = parts[1:]
    return "" if len(parts) < 2 or parts[0] in NOT_OWNERS else parts[0]


def _site(host: str) -> str:
    """Return the part of a host name that somebody registered: two labels, or three under a country's co, ac and the like."""
    parts = host.removeprefix("www.").split(".")
    three = len(parts) > 2 and len(parts[-1]) == 2 and parts[-2] in ("co", "com", "org", "ac", "edu", "gov", "net", "or", "ne", "go")
    return ".".join(parts[-3:] if three else parts[-2:])


def _decoded(host: str) -> str:
    labels = []
    for label in host.split("."):
        try:
            labels.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except (UnicodeError, OverflowError, MemoryError):
            labels.append(label)
    return ".".join(labels)


def _as_latin(text: str) -> str:
    """Return the text with the Latin letters that it seems to have, where it has others in their place; else an empty text."""
    latin = "".join(LOOKALIKES.get(letter, letter) for letter in unicodedata.normalize("NFKC", text))
    return latin if latin != text and latin.isascii() else ""


def collect_lookalikes(facts: Facts, prose: Prose) -> None:
    """Fill `hazards.lookalikes`: names of models and data sets in which letters of another script stand for Latin ones."""
    for where, name, place in _names(facts, prose):
        if name.isascii() or len(name) > 300:
            continue
        for word in WORD.findall(name):
            latin = _as_latin(word)
            strange = next((letter for letter in word if letter in LOOKALIKES or not letter.isascii()), "")
            mixed = any(letter.isascii() and letter.isalpha() for letter in word)
            if latin and (where != "the title" or (mixed and not GREEK.search(word))):  # names play with Greek letters
                letter = f"U+{ord(strange):04X} ({unicodedata.name(strange, 'a letter').lower()})"
                facts.add("hazards.lookalikes", place, where=where, name=word[:MAX_SHOWN], latin=latin[:MAX_SHOWN], letter=letter)


def _names(facts: Facts, prose: Prose) -> Iterator[tuple[str, str, Location]]:
    front = facts.place(["card.base_model", "card"])
    for name in facts["card.base_model"][:100]:
        yield "base_model", name, front
    for row in facts["card.datasets"][:MAX_LINKS]:
        yield "datasets", row["value"], Location(row["file"], row["line"], row["column"])
    for row in facts["results.models"][:100]:
        yield "model-index", row["name"], Location(row["file"], row["line"], row["column"])
    if facts["card.title"]:
        yield "the title", facts["card.title"], facts.place(["card.title"])
    if not prose.raw.isascii():
        for found in QUOTED_ID.finditer(prose.visible):
            yield "the code", found["id"], prose.at(found.start("id"))
        for row in facts["card.links"][:MAX_LINKS]:
            if not row["url"].isascii() and (hub := re.match(r"https?://(?:huggingface\.co|hf\.co)/([^?#\s]{1,200})", row["url"])):
                yield "a link", "/".join(hub[1].split("/")[:3]), Location(row["file"], row["line"], row["column"])
