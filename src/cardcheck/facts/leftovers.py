"""What was left in the card's text: placeholders, empty sections, and links and pictures that lead nowhere."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Location
from cardcheck.facts.schema import MAX_ROWS
from cardcheck.facts.vocabulary import words
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_SHOWN = 80  # characters of a link in a message
MAX_LINKS = 1000

# Every repetition below has a bound: a card of nothing but braces or brackets must not take quadratic time.
LINE_START = r"(?:(?<=\n)|(?<=:)|(?<=:\*\*))[ \t]{0,3}"
LINE_END = r"[ \t*_.!]{0,6}(?=\n|$)"
NEEDED = Pattern(rf"\[\s{{0,3}}more information needed\s{{0,3}}\]|{LINE_START}(more information needed){LINE_END}")
BRACES = Pattern(r"\{\{\s{0,3}(?:card_data|model_id|model_name|[\w.]{1,60}\s{0,3}\|\s{0,3}default\()[^{}]{0,300}\}\}|(?<!\$)\{MODEL_NAME\}")
FORMATTED = Pattern(r"\b[fF][\"']")  # Python fills such braces itself
MODEL_IDS = Pattern(r"\b(?:sentence_transformers|cross_encoder|sparse_encoder|setfit|span_marker|pylate)_model_id\b")
MODEL_CARD_FOR = Pattern(r"model card for (model id)(?=[ \t]{0,9}(?:\n|$))")
LOADED = Pattern(
    r"(?:SentenceTransformer|CrossEncoder|SparseEncoder|from_pretrained|FlagModel|FlagReranker|INSTRUCTOR|hf_hub_download)\("
    r"\s{0,20}(?:[\w-]{1,60}\s{0,3}=\s{0,3})?(?P<quote>[\"'])(?P<name>"
    r"<[A-Za-z][^<>\n\"']{0,60}>|\{[A-Za-z][\w .-]{0,40}\}|(?:model_name(?:_or_path)?|MODEL_(?:NAME|ID|PATH)|model_id|model_path)"
    r"|(?:your|my)[-_ ]?(?:hf[-_ ]?)?(?:user(?:name)?|org(?:ani[sz]ation)?|name|account|repo|namespace|model|hub)\b[\w./ -]{0,60}"
    r"|(?:username|user|USERNAME|org|organization|namespace|owner)/(?:model|repo|MODEL)[\w.-]{0,60}"
    r")(?P=quote)"
)
ADDRESS = Pattern(r"huggingface\.co/(?:your|my)[-_ ]?(?:hf[-_ ]?)?(?:user(?:name)?|org(?:ani[sz]ation)?|name)[-_\w]{0,20}/[\w.-]{1,96}")
OPEN_POINT = Pattern(rf"{LINE_START}[>*_-]{{0,3}}[ \t*_]{{0,3}}\b(TODO|TBD|FIXME|T\.B\.D\.?)\b{LINE_END}")
BRACKETS = Pattern(
    r"[\[<](?:insert|add|describe|fill in|provide|enter)\b (?:[a-z][\w'/,-]{0,30} ?){1,8}[\]>](?!\()"
    r"|\[(?:your|model|author)[ _-]name\](?!\()"
)
STARTS = tuple(
    bracket + verb for bracket in "[<" for verb in ("insert", "add ", "describe", "fill in", "provide", "enter", "your", "model", "author")
)
LOREM = Pattern(r"lorem ipsum")


def collect_leftovers(facts: Facts, prose: Prose) -> None:
    """Fill the facts of the card that are about what was left behind."""
    done = 0
    for start, text in sorted(islice(_placeholders(prose), 2 * MAX_ROWS), key=lambda found: (found[0], -len(found[1]))):
        if start >= done:  # one may stand inside another
            facts.add("card.placeholders", prose.at(start), text=text)
            done = start + len(text)
    _sections(facts, prose)
    _dead_links(facts, prose)


LOADERS = ("Transformer(", "Encoder(", "from_pretrained(", "FlagModel(", "FlagReranker(", "INSTRUCTOR(", "hf_hub_download(")


def _placeholders(prose: Prose) -> Iterator[tuple[int, str]]:
    """Yield what a template left behind, with its offset. A cheap test stands before every pattern: most cards hold none of them."""
    text, lower, words = prose.visible, prose.lower, prose.words
    searches: list[tuple[bool, Pattern, str, str]] = [
        ("information needed" in lower, NEEDED, lower, text),
        ("{{" in text or "{MODEL_NAME}" in text, BRACES, text, text),
        ("_model_id" in text, MODEL_IDS, text, text),
        ("card for model id" in lower, MODEL_CARD_FOR, lower, text),
        ("huggingface.co/your" in text or "huggingface.co/my" in text, ADDRESS, text, text),
        (any(word in words for word in ("TODO", "TBD", "FIXME", "T.B.D")), OPEN_POINT, words, words),
        (any(start in prose.words_lower for start in STARTS), BRACKETS, prose.words_lower, words),
        ("lorem ipsum" in lower, LOREM, lower, text),
    ]
    for wanted, pattern, searched, shown in searches:
        for found in pattern.finditer(searched) if wanted else ():
            start, end = found.span(1 if found.lastindex else 0)
            if not (found[0] == "{MODEL_NAME}" and _is_formatted(text, start)):
                yield start, shown[start:end]
    if any(name in text for name in LOADERS):
        for found in LOADED.finditer(text):
            if found["name"] != "{MODEL_NAME}" and text[found.start("quote") - 1] != "f":
                yield found.start("name"), found["name"]


def _is_formatted(text: str, start: int) -> bool:
    line = max(0, start - MAX_SHOWN, text.rfind("\n", max(0, start - MAX_SHOWN), start))
    return bool(FORMATTED.search(text, line, start))


# Sections that promise an answer, by the words of their headings; a heading that is a line of a title page is none of them.
PROMISES = words(
    """
    usage training evaluation results limitations bias biases citation dataset datasets data hyperparameters benchmarks benchmark
    performance description architecture contact acknowledgements acknowledgments examples example licence license quickstart risks details
    """
)
FILLERS = words(
    """
    use uses how to get started getting
    with the model models this a and or of for in on intended direct downstream out scope procedure information
    card summary metrics testing considerations technical specifications sources ethical overview test our
    """
)
WORD = Pattern(r"[a-z]+")
PART = Pattern(r"\b(?:example|step|option|using|with|via|direct|downstream)\b|\d", re.IGNORECASE)
NOTHING = Pattern(r"[\s=*_>#-]{0,200}")


def _sections(facts: Facts, prose: Prose) -> None:
    """Note headings that nothing follows before the next heading of their level or above."""
    headings = facts["card.headings"]
    if not headings or facts["card.truncated"]:
        return
    lines: list[str] = []
    first = prose.place.line or 1
    for heading, later in zip(headings, [*headings[1:], None], strict=True):
        if heading is headings[0] and heading["level"] == 1:
            continue  # the title
        named = _named(heading)
        if not (named & PROMISES or named >= {"how", "to", "use"}) or not named <= PROMISES | FILLERS:
            continue
        if later and (later["level"] > heading["level"] or PART.search(later["text"][:MAX_SHOWN]) or named & PROMISES & _named(later)):
            continue  # its parts stand below it, at times at its own level
        lines = lines or prose.visible.split("\n")
        start, end = heading["line"] - first, later["line"] - first if later else len(lines)
        written = lines[start].lstrip().startswith("#") and (later is None or lines[end].lstrip().startswith("#"))
        if written and all(NOTHING.fullmatch(line) for line in lines[start + 1 : end]):
            facts.add(
                "card.empty_sections", Location(heading["file"], heading["line"], heading["column"]), text=heading["text"][:MAX_SHOWN]
            )


def _named(heading: dict[str, Any]) -> set[str]:
    return set(WORD.findall(heading["text"][:MAX_SHOWN].lower()))


IMAGE = Pattern(r"!\[[^\[\]\n]{0,300}\]\([ \t]{0,3}<?([^\s()<>\"']{0,500})")
HTML_IMAGE = Pattern(r"<img\b[^<>]{0,300}?\bsrc\s{0,3}=\s{0,3}[\"']?([^\s\"'<>]{0,500})", re.IGNORECASE)
LOCAL_HOST = Pattern(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|192\.168\.\d{1,3}\.\d{1,3}|10\.\d{1,3}\.\d{1,3}\.\d{1,3})(?:[:/]|$)", re.IGNORECASE
)
LOCAL_HOSTS = ("localhost", "://127.", "://0.0.", "://192.168.", "://10.")
MAX_UNFILLED = 70
LOCAL_PATH = Pattern(r"file:|/(?:home|users|root|mnt|tmp|content|kaggle|workspace|data)/|[a-z]:[\\/]|\\\\|~/|%5c", re.IGNORECASE)
UNFILLED = Pattern(
    r"(?:https?:/{0,2}|\.{3}|todo|tbd|xxx+|url|link|here|insert[-_ ]?(?:link|url)?"
    r"|(?:your|paper|github|demo|model|repo|blog|link|url)[-_](?:link|url|here)|(?:link|url)[-_]to[-_][\w-]{1,40}"
    r"|https?://(?:todo|tbd|link|url|\.{3}|xxx+|your[-\w.]{0,40}|arxiv\.org/abs/x{2,4}[\w.]{0,12})/?|<[^<>]{0,60}>"
    r"|\[?more(?:%20| )information(?:%20| )needed\]?)",
    re.IGNORECASE,
)


NO_ADDRESS = Pattern(r"\]\([ \t]{0,3}(#?)[ \t]{0,3}\)")
EMPTY_ANCHOR = Pattern(
    r"<a\b[^<>]{0,200}?\bhref\s{0,3}=\s{0,3}[\"']\s{0,3}(?P<url>#?)\s{0,3}[\"'][^<>]{0,200}>(?P<text>[^<>\n]{1,200})</a>", re.IGNORECASE
)


SOON = Pattern(r"soon|shortly|coming|to be released|will be|will public|upcoming|in preparation|即将|正在", re.IGNORECASE)


def _dead_links(facts: Facts, prose: Prose) -> None:
    for row in facts["card.links"][:MAX_LINKS]:
        place = Location(row["file"], row["line"], row["column"])
        text = _shown(row["text"])
        if why := _why_dead(row["url"].strip(), text):
            facts.add("card.dead_links", place, what="link", text=text, url=row["url"][:MAX_SHOWN], why=why)
    _empty_links(facts, prose)
    if "![" in prose.words or "<img" in prose.words_lower:
        for pattern in (IMAGE, HTML_IMAGE):
            for found in islice(pattern.finditer(prose.words), MAX_LINKS):
                facts.add("card.images", prose.at(found.start(1)), url=found[1][:500])
                if why := "has no address" if not found[1] else _why_dead(found[1], ""):
                    facts.add("card.dead_links", prose.at(found.start(1)), what="picture", text="", url=found[1][:MAX_SHOWN], why=why)


def _empty_links(facts: Facts, prose: Prose) -> None:
    """Note links without an address, but for those that the text promises."""
    for start, text, url in _without_address(prose.words):
        end = prose.words.find("\n", start, start + len(text) + 100)
        if not SOON.search(prose.words, start, end if end >= 0 else start + len(text) + 100):
            facts.add("card.dead_links", prose.at(start), what="link", text=_shown(text), url=url, why="has no address")


def _without_address(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the offset, text and address of links that lead nowhere."""
    if "](" in text:
        for found in islice(NO_ADDRESS.finditer(text), MAX_LINKS):
            start = text.rfind("[", max(0, found.start() - 200), found.start())
            # a picture in the brackets is a badge, which need not lead anywhere
            if 0 <= start < found.start() - 1 and text[start - 1 : start] != "!" and not {"]", "\n"} & set(text[start : found.start()]):
                yield start, text[start + 1 : found.start()], found[1]
    if "<a" in text:
        for found in islice(EMPTY_ANCHOR.finditer(text), MAX_LINKS):
            yield found.start(), found["text"], found["url"]


def _shown(text: str) -> str:
    return " ".join(text.replace("`", "").split())[:MAX_SHOWN]


def _why_dead(url: str, text: str) -> str:
    """Say why nobody but the author can follow a link, or return an empty text."""
    if url.startswith("http"):
        if any(host in url for host in LOCAL_HOSTS) and LOCAL_HOST.match(url):
            return "leads to the reader's own machine or network" if text != url else ""  # instructions name such addresses
    elif LOCAL_PATH.match(url):
        return "leads to a path on somebody's machine"
    return "has a placeholder for an address" if len(url) < MAX_UNFILLED and UNFILLED.fullmatch(url) else ""


def collect_targets(facts: Facts) -> None:
    """Note links and pictures that name a file of the repository that is not there; only a whole repository can tell."""
    if not facts["weights.safetensors"] and not facts["weights.pickle"]:
        return
    files = set(facts["files.paths"])
    known = files | {str(parent) for path in files for parent in PurePosixPath(path).parents}
    rows = [*((row, "link") for row in facts["card.links"][:MAX_LINKS]), *((row, "picture") for row in facts["card.images"][:MAX_LINKS])]
    for row, what in rows:
        path = _inside(row["url"].strip(), facts["subject.id"])
        if path and path.rstrip("/") not in known and not _why_dead(row["url"].strip(), ""):
            place = Location(row["file"], row["line"], row["column"])
            facts.add("card.missing_targets", place, what=what, path=path[:MAX_SHOWN])


def _inside(url: str, hub_id: str | None) -> str:
    """Return the path in the repository that a link names, or an empty text."""
    from urllib.parse import unquote

    path = re.split(r"[?#]", url, maxsplit=1)[0]
    if hub_id and (found := re.match(r"https?://(?:huggingface\.co|hf\.co)/([^/]+/[^/]+)/(?:blob|resolve|raw|tree)/main/(.+)", path)):
        return unquote(found[2]) if found[1].lower() == hub_id.lower() else ""
    if re.match(r"[a-z][a-z\d+.-]*:|/|\.\./|.*\.\./", path, re.IGNORECASE) or "@" in path or not path.strip("./"):
        return ""
    return unquote(path).removeprefix("./")
