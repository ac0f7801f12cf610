"""Whose model the card says it is, against whose repository it lies in: other organisations' names, and owners that look like another."""

from __future__ import annotations

import functools
import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.facts.addresses import LOOKALIKES
from cardcheck.facts.families import ID
from cardcheck.facts.names import plain
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.located import Location
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_LOOKED_AT = 200
MAX_CLAIMS = 5
MAX_LINE = 400


class Organisation(NamedTuple):
    """A well-known maker of models.

    `owners` are its names on the Hub, with those of its people who publish its models under their own; `words` find its name in text,
    `hosts` are its sites, with `github.com/NAME` for its code. All in lower case.
    """

    name: str
    owners: tuple[str, ...]
    words: str
    hosts: tuple[str, ...] = ()

    def owns(self, owner: str) -> bool:
        """Tell whether a Hub name is one of its own."""
        return owner.lower() in self.owners


# A name that is missing among the owners makes a false finding, so they are given generously.
ORGANISATIONS = (
    Organisation("Alibaba", ("alibaba-nlp", "thenlper", "iic", "qwen", "alibaba-pai", "alibaba-damo", "izhx", "alibaba", "tongyi-mai",
                 "alimama-creative", "damo-nlp-sg", "ali-vilab", "codefuse-ai"),
                 r"alibaba|qwen team|tongyi lab|damo academy", ("qwenlm.github.io", "github.com/qwenlm", "github.com/alibaba-nlp")),
    Organisation("Ai2", ("allenai",), r"allen institute for (?:ai|artificial intelligence)|allen ?ai",
                 ("allenai.org", "github.com/allenai")),
    Organisation("Amazon", ("amazon", "amazon-science", "codesage", "autogluon", "amazonscience"), r"amazon(?: science)?|aws",
                 ("amazon.science", "github.com/amazon-science")),
    Organisation("Apple", ("apple", "apple-aiml"), r"apple(?= inc| ml|$)", ("machinelearning.apple.com", "github.com/apple")),
    Organisation("BAAI", ("baai", "shitao", "cfli", "namespace-pt", "hanhainebula", "quansun"),
                 r"baai|beijing academy of artificial intelligence", ("baai.ac.cn", "bge-model.com", "github.com/flagopen")),
    Organisation("Cohere", ("cohere", "cohereforai", "coherelabs", "cohere-labs"), r"cohere(?: for ai| labs)?",
                 ("cohere.com", "cohere.ai", "txt.cohere.com", "github.com/cohere-ai")),
    Organisation("DeepSeek", ("deepseek-ai",), r"deepseek(?: ai|-ai)?", ("deepseek.com", "github.com/deepseek-ai")),
    Organisation("Google", ("google", "google-bert", "google-t5", "google-deepmind", "deepmind", "tensorflow", "googleai", "albert"),
                 r"google(?: research| deepmind| ai| brain)?|deepmind",
                 ("ai.google.dev", "research.google", "deepmind.google", "ai.googleblog.com", "github.com/google-research",
                  "github.com/google-deepmind")),
    Organisation("IBM", ("ibm", "ibm-granite", "ibm-research", "ibm-nasa-geospatial", "primeqa"), r"ibm(?: research)?",
                 ("research.ibm.com", "github.com/ibm", "github.com/ibm-granite")),
    Organisation("Jina AI", ("jinaai", "jina-ai", "elasticsearch", "elastic"), r"jina ai|jinaai", ("jina.ai", "github.com/jina-ai")),
    Organisation("LightOn", ("lightonai", "answerdotai"), r"lighton(?: ai)?", ("lighton.ai", "github.com/lightonai")),
    Organisation("Meta", ("facebook", "meta-llama", "facebookai", "fair", "meta-ai", "metaai", "facebookresearch"),
                 r"meta(?: ai| platforms)?(?= research|[\s,.)\]]{0,3}$| ai)|facebook(?: ai| research)?",
                 ("ai.meta.com", "ai.facebook.com", "llama.com", "github.com/meta-llama")),
    Organisation("Microsoft", ("microsoft", "intfloat", "msmarco", "microsoft-research", "wenhuchen"), r"microsoft(?: research)?",
                 ("microsoft.com", "github.com/microsoft")),
    Organisation("Mistral AI", ("mistralai", "mistral-community"), r"mistral ?ai", ("mistral.ai", "github.com/mistralai")),
    Organisation("Mixedbread", ("mixedbread-ai", "mixedbread", "whereisai", "seanlee97"), r"mixed ?bread(?:[. ]ai)?",
                 ("mixedbread.ai", "mixedbread.com", "github.com/mixedbread-ai")),
    Organisation("MongoDB", ("mongodb", "voyageai", "mongodb-community"), r"mongodb", ("mongodb.com", "github.com/mongodb")),
    Organisation("NAVER", ("naver", "naver-hyperclovax", "naver-ai", "naver-clova-ix", "clova-ai"), r"naver(?: labs| ai)?",
                 ("naverlabs.com", "github.com/naver")),
    Organisation("Nomic AI", ("nomic-ai", "nomic", "zpn"), r"nomic(?: ai)?", ("nomic.ai", "github.com/nomic-ai")),
    Organisation("NVIDIA", ("nvidia", "nvidia-nemo", "nv-research", "nvidia-community"), r"nvidia", ("nvidia.com", "github.com/nvidia")),
    Organisation("OpenAI", ("openai", "openai-community", "gpt2"), r"open ?ai", ("openai.com", "github.com/openai")),
    Organisation("Salesforce", ("salesforce", "sfr-embedding", "salesforceairesearch"), r"salesforce(?: ai)?(?: research)?",
                 ("salesforce.com", "salesforceairesearch.com", "github.com/salesforce", "github.com/salesforceairesearch")),
    Organisation("Snowflake", ("snowflake",), r"snowflake(?: ai)?(?: research)?", ("snowflake.com", "github.com/snowflake-labs")),
    Organisation("Tencent", ("tencent", "tencentbac", "tencentarc", "tencent-hunyuan", "tencentgamemate", "tencent-community", "wechat-ai"),
                 r"tencent", ("tencent.com", "github.com/tencent")),
    Organisation("UKP Lab", ("sentence-transformers", "cross-encoder", "ukplab", "ukp", "nreimers", "sparse-encoder"), r"ukp ?lab",
                 ("sbert.net", "github.com/ukplab")),
    Organisation("Voyage AI", ("voyageai", "voyage-ai", "mongodb"), r"voyage ?ai", ("voyageai.com", "github.com/voyage-ai")),
)  # fmt: skip
ANY_WORDS = "|".join(f"(?P<o{number}>{one.words})" for number, one in enumerate(ORGANISATIONS))
MARKS = r"[\s*_`\[\"']{0,6}"
NAMED = rf"{MARKS}(?:the )?(?:research(?:ers)? |team |engineers ){{0,2}}(?:at |of |from )?{MARKS}(?:{ANY_WORDS})(?![\w-])"
WHO = r"(?:developed|created|made|built|published|released)(?: and (?:maintained|released|trained|published))?"
LABEL = rf"(?:model )?(?:{WHO} by|developers?|creators?)(?: \[optional\])?[*_]{{0,3}}\s?[:|]"
# A labelled field on its own, as templates have it; a sentence on this model; a notice of copyright. Each with words it cannot be without.
CLAIMS = (
    ("field", (" by", "developer", "creator"), Pattern(rf"^[ \t>*|_-]{{0,9}}{LABEL}[*_]{{0,3}}{NAMED}", re.MULTILINE)),
    ("sentence", ("this ",), Pattern(rf"\bthis (?:[\w-]{{1,20}} )?model (?:was|is|has been) {WHO} by{NAMED}")),
    (
        "copyright",
        ("copyright", "©"),
        Pattern(rf"(?:\bcopyright|©)\s?(?:\(c\)|©)?\s?(?:20\d\d)?(?:\s?[-–]\s?20\d\d)?,?\s?(?:by )?{NAMED}"),
    ),
)
OURS = Pattern(
    r"\bour (?:own )?(?:[\w-]{1,20} ){0,2}(?:blog|paper|report|website|homepage|site|documentation|docs|github|repo|repository|code"
    r"|platform|api|page|post|announcement|company)\b[^\[\]\n]{0,12}(?:\[[^\[\]\n]{0,140})?\]\(https?://(?:www\.)?([^()\s]{1,200})\)"
)
SUFFIX = r"(?:,? (?:ai|research|team|official|inc|llc|corporation|corp|company)\.?)?"
NOT_SAID = Pattern(r"\b(?:not|unofficial|un-official|based on|originally|inspired|forked)\b")

# Names that look like a known one's and are other makers', who have good reason to be called so.
LEGITIMATE = frozenset({
    "jina-ai", "voyage-ai", "mixedbread", "cohere-ai", "open-ai-community", "sentence-transformers-testing", "googleai", "infly-ai",
    "nomic", "naver-ai", "tencent-ai", "open-search-project", "minish-lab", "llama-index",
})  # fmt: skip


def collect_maker(facts: Facts, prose: Prose) -> None:
    """Fill the group `maker`: the lineage must have been read. Without a Hub id nobody knows the owner."""
    hub_id: str = facts["subject.id"] or ""
    owner, slash, name = hub_id.partition("/")
    if not slash:
        return
    if found := resembles(owner):
        like, how, models = found
        facts.add("maker.resembles", facts.place(["card.title", "card"]), owner=owner, like=like, how=how, models=models)
    if facts.sources["card"].state != "known":
        return
    seen: set[str] = set()
    credited = credited_owners(facts)
    for kind, organisation, place, text in _claims(facts, prose, name):
        elsewhere = not organisation.owns(owner) and not any(map(organisation.owns, credited))
        if elsewhere and organisation.name not in seen and len(seen) < MAX_CLAIMS:
            seen.add(organisation.name)
            shown = " ".join(text.replace("*", "").split())[:120]
            facts.add("maker.claims", place, kind=kind, organisation=organisation.name, owner=owner, text=shown)


def credited_owners(facts: Facts) -> set[str]:
    """Return the owners, in lower case, of what the model is said to be made from: their names stand in its card by right."""
    bases = [*facts["card.base_model"], *(row["id"] for row in facts["lineage.stated"]), facts["adapter.base"] or ""]
    return {base.rpartition("/")[0].rpartition("/")[2].lower() for base in bases if "/" in base}


def _claims(facts: Facts, prose: Prose, name: str) -> Iterator[tuple[str, Organisation, Location, str]]:
    """Yield what says that the model is an organisation's: how, whose, where, and in which words."""
    if facts["lineage.is_conversion"]:
        return  # the card speaks of the original
    title = (facts["card.title"] or "").strip(" *`#\t[]")
    # without a declared base, CC203 tells what the configuration was saved from
    saved = (facts["config.name_or_path"] or "") if facts["card.base_model"] else ""
    for kind, other, fact in (("title", title, "card.title"), ("configuration", saved, "config.name_or_path")):
        if ID.match(other) and plain(other) == plain(name) and (found := organisation_of(other.partition("/")[0])):
            yield kind, found, facts.place([fact]), other
    text = prose.words_lower
    for kind, words, pattern in CLAIMS:
        if not any(word in text for word in words):
            continue
        for match in islice(pattern.finditer(text), MAX_LOOKED_AT):
            line = text[text.rfind("\n", 0, match.start() + 1) + 1 : match.end() + 60].partition("\n")[0]
            if not NOT_SAID.search(line[:MAX_LINE]):
                number = next(key for key, value in match.groupdict().items() if value)
                yield kind, ORGANISATIONS[int(number[1:])], prose.at(match.start()), prose.words[match.start() : match.end()]
    for match in islice(OURS.finditer(text), MAX_LOOKED_AT) if "our " in text else ():
        if found := _at_host(match[1]):
            yield "our link", found, prose.at(match.start()), prose.words[match.start() : match.end()]


def organisation_of(owner: str) -> Organisation | None:
    """Return the well-known organisation whose Hub name this is."""
    return next((one for one in ORGANISATIONS if one.owns(owner)), None)


def bears_name_of(text: str) -> Organisation | None:
    """Return the organisation whose name this is, as an account's full name has it, with a word such as `Research` or `Inc.` at most."""
    words = " ".join(text.lower().split())[:80]
    return next((one for one in ORGANISATIONS if re.fullmatch(rf"(?:the )?(?:{one.words}){SUFFIX}", words)), None)


def _at_host(address: str) -> Organisation | None:
    """Return the organisation whose site an address is on."""
    parts = address.rstrip(".,/").split("/")
    host = "/".join(parts[:2]) if parts[0] == "github.com" else parts[0].partition(":")[0]
    if parts[0] in ("huggingface.co", "hf.co"):
        return organisation_of(parts[1]) if len(parts) > 2 else None
    return next((one for one in ORGANISATIONS if any(host == its or host.endswith(f".{its}") for its in one.hosts)), None)


def resembles(owner: str) -> tuple[str, str, int] | None:
    """Return the known organisation that an owner's name looks like, by what (letters, marks or one letter), and its known models.

    The more models an organisation has, the less a name has to look like its own: who has one or two is hardly worth a disguise, and
    short names are a letter away from many.
    """
    known = _known()
    lower = owner.lower()[:96]
    if lower in known or lower in LEGITIMATE or organisation_of(owner) or len(lower) < 4:
        return None
    bare, shape = re.sub(r"[-_.]", "", lower), _shape(owner)
    found: list[tuple[int, str, str]] = []
    for other, (name, models, other_bare, other_shape) in known.items():
        if models < 2 or len(other) < 4:
            continue
        if bare == other_bare:
            found.append((models, name, "marks"))
        elif shape == other_shape:
            found.append((models, name, "letters"))
        elif models >= 3 and len(other_bare) >= 6 and one_letter_off(bare, other_bare):
            found.append((models, name, "one letter"))
    if not found:
        return None
    models, name, how = max(found)
    return name, how, models


@functools.cache
def _known() -> dict[str, tuple[str, int, str, str]]:
    """Return the owners of known models by their names in lower case: the name, how many models, and what it is compared by."""
    from cardcheck.catalogue.models import owners

    return {name.lower(): (name, count, re.sub(r"[-_.]", "", name.lower()), _shape(name)) for name, count in owners().items()}


def _shape(name: str) -> str:
    """Return what a reader sees of a name: letters that look alike are the same, and marks between words do not count."""
    latin = "".join(LOOKALIKES.get(letter, letter) for letter in unicodedata.normalize("NFKC", name[:96])).lower()
    for seen, meant in (("rn", "m"), ("vv", "w"), ("cl", "d")):
        latin = latin.replace(seen, meant)
    return re.sub(r"[-_.]", "", latin).translate(str.maketrans("1i|0", "lllo"))


def one_letter_off(first: str, second: str) -> bool:
    """Tell whether one letter behind the first is wrong, missing, too many, or two are exchanged; numbers tell names apart."""
    if first[:1] != second[:1] or abs(len(first) - len(second)) > 1 or re.findall(r"\d+", first) != re.findall(r"\d+", second):
        return False
    start = next((at for at, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), min(len(first), len(second)))
    a, b = first[start:], second[start:]
    return a != b and (a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:]))
