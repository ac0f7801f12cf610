"""Whether two names can be of the same model: `jina-embedding-s-en-v2` and `jina-embeddings-v2-small-en` can, 7B and 1.5B cannot."""

from __future__ import annotations

import re
from typing import NamedTuple

from cardcheck.pattern import Pattern

TOKEN = Pattern(r"v?\d+(?:\.\d+)*[bmk]?(?![a-z0-9])|[^\W\d_]+|\d+")
SIZE = Pattern(r"^\d+(?:\.\d+)?[bm]$")
CONTEXT = Pattern(r"^\d+k$")  # tokens that fit in
SIZES = {
    "nano": "nano", "micro": "micro", "tiny": "tiny", "mini": "mini", "small": "small", "medium": "medium", "base": "base",
    "large": "large", "xs": "xs", "xl": "xl", "xxl": "xxl", "huge": "huge", "giant": "giant",
    "s": "small", "m": "medium", "b": "base", "l": "large",
}  # fmt: skip
LANGUAGES = {
    "en": "en", "english": "en", "zh": "zh", "chinese": "zh", "de": "de", "german": "de", "fr": "fr", "french": "fr", "es": "es",
    "spanish": "es", "ru": "ru", "russian": "ru", "ja": "ja", "japanese": "ja", "ko": "ko", "korean": "ko", "it": "it", "italian": "it",
    "pt": "pt", "portuguese": "pt", "vi": "vi", "vietnamese": "vi", "ar": "ar", "arabic": "ar", "nl": "nl", "dutch": "nl", "pl": "pl",
    "polish": "pl", "tr": "tr", "turkish": "tr",
}  # fmt: skip
# What stands where nobody has filled in a name yet; the first is mteb's.
PLACEHOLDER = Pattern(
    r"no[-_ ]?model[-_ ]?name|placeholder|your[-_ ]?model"
    r"|^(?:model[-_ ]?name|unknown|none|null|n/?a|todo|tbd|x{2,9})$|^[<\[{].{0,80}[>\]}]$",
    re.IGNORECASE,
)
# Names that a training run gives its folders. They say nothing of the model.
LEFTOVER = Pattern(
    r"^(?:final|best|merged?|trained|fine|tuned|finetuned|my|the|new|tmp|temp|test|last|epochs?|steps?|global|checkpoints?|ckpt|iter|run|exp"
    r"|weights?|outputs?|out|results?|models?|export|exported|save|saved|train|training|\d+|xl|large|base|small)$"
)
LEFTOVER_CORE = Pattern(
    r"^(?:epochs?|steps?|checkpoints?|ckpt|iter|run|exp|weights?|outputs?|out|results?|models?|merged?|export|save|tmp)"
)
# Words that names of the same model often add or leave out.
NOISE = frozenset(
    {
        "model", "models", "the", "and", "for", "card", "by", "of", "ours", "gguf", "gptq", "awq", "onnx", "quantized", "quantised",
        "dense", "sparse", "mteb", "hf", "instruct", "sentence", "sentences", "text", "transformers", "transformer", "uncased", "cased",
        "v", "finetuned", "finetune", "tuned", "fp", "bf", "int",
    }
)  # fmt: skip
# What sentence-transformers and PyLate call a model that was given no name: by what it was made from.
AUTOMATIC = Pattern(r"^(?:SentenceTransformer|CrossEncoder|SparseEncoder|StaticEmbedding)$|\bbased on ")
WEAK = frozenset({"embed", "embedding", "embeddings", "encoder", "bi", "vec"})


class Mismatch(NamedTuple):
    """Why a name is not this model's: `size`, `version`, `language`, `words`, `leftover` or `placeholder`; and which part against which.

    Where the name has no version, `left` is empty and `right` is not.
    """

    why: str
    left: str = ""
    right: str = ""


def plain(name: str) -> str:
    """Return the letters and digits of a name without its owner."""
    return re.sub(r"[\W_]", "", name.rpartition("/")[2].lower())


def mismatch(name: str, mine: str) -> Mismatch | None:
    """Return why `name` cannot be `mine`; None where it can."""
    left, right = plain(name), plain(mine)
    if not left or left == right or AUTOMATIC.search(name):
        return None
    if PLACEHOLDER.search(name.strip()) and left not in right:
        return Mismatch("placeholder")
    ours, theirs = _Parts(mine), _Parts(name)
    generic = all(LEFTOVER.match(token) for token in theirs.tokens) and any(LEFTOVER_CORE.match(token) for token in theirs.tokens)
    if generic and left not in right:
        return Mismatch("leftover")
    holds = left in right or right in left
    title = " " in name.strip()  # for people: it may be in other words
    if holds or any(_alike(word, other) for word in theirs.words for other in ours.words):
        found = _within_family(theirs, ours, slugs=not holds and not title)
        nested = theirs.words <= ours.words or ours.words <= theirs.words
        return None if found and found.why == "version" and title and not nested else found  # the version may be the base's
    return None if title else Mismatch("words")


def _within_family(theirs: _Parts, ours: _Parts, *, slugs: bool) -> Mismatch | None:
    """Return what tells two names of one family apart."""
    for why in ("counts", "sizes", "languages", "versions"):
        one, two = getattr(theirs, why), getattr(ours, why)
        if one and two and not one & two:
            return Mismatch({"counts": "size"}.get(why, why[:-1]), ", ".join(sorted(one)), ", ".join(sorted(two)))
    other, own = theirs.versions - ours.versions, ours.versions - theirs.versions
    if theirs.words == ours.words and other and own:  # MiniLM-L12-v2 and MiniLM-L6-v2
        return Mismatch("version", ", ".join(sorted(other)), ", ".join(sorted(own)))
    if theirs.words == ours.words and not theirs.versions and any(_number(version) >= 2 for version in ours.marked):
        return Mismatch("version", "", ", ".join(sorted(ours.versions)))
    extra, missing = theirs.beyond(ours), ours.beyond(theirs)
    return Mismatch("words", ", ".join(extra), ", ".join(missing)) if slugs and extra and missing else None


class _Parts:
    """The parts of a name that tell models of one family apart."""

    def __init__(self, name: str) -> None:
        text = re.sub(r"(?<=\d)(?:_(?=\d)|-(?=\d{1,3}(?![\d.]{0,9}[bm])))", ".", name.rpartition("/")[2].lower()[:120]).replace("_", " ")
        self.tokens = TOKEN.findall(text)
        pieces = set(re.split(r"[^\w.]+", text))  # the b of 3b1 is no base
        self.sizes = {SIZES[piece] for piece in pieces & SIZES.keys()}
        self.counts = {token for token in self.tokens if SIZE.match(token)}  # of parameters: no measure for "small"
        self.languages = {LANGUAGES[token] for token in self.tokens if token in LANGUAGES}
        numbers = [token for token in self.tokens if re.match(r"v?\d", token) and not (SIZE.match(token) or CONTEXT.match(token))]
        self.versions = {re.sub(r"(?:\.0)+$", "", token.lstrip("v")) for token in numbers}
        self.marked = {token.lstrip("v") for token in numbers if token.startswith("v")}
        self.words = {
            token for token in self.tokens if token.isalpha() and token not in NOISE and token not in SIZES and token not in LANGUAGES
        }

    def beyond(self, other: _Parts) -> list[str]:
        """Return the words that the other name has nothing like."""
        rest = self.words - other.words
        return sorted(word for word in rest if len(word) > 2 and not any(_alike(word, mine) for mine in other.words))


def _number(version: str) -> float:
    found = re.match(r"\d{1,6}(?:\.\d{1,6})?", version)
    return float(found[0]) if found else 0.0


def _alike(first: str, second: str) -> bool:
    """Tell whether two words are the same or one holds the other: embedding and embeddings, daredevil and neuraldaredevil."""
    if first == second:
        return first not in WEAK
    short, long = sorted((first, second), key=len)
    return (len(short) >= 4 and long.startswith(short)) or (len(short) >= 6 and short in long)
