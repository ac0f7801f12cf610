"""Passwords, keys and tokens that lie in the card or another text file, and keeping them out of every report.

What is found is shown by its first four characters. Everything else that was read is masked as well, since another rule may point at the
same line or quote the same value.
"""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cardcheck.facts.files import TOKENIZER_FILES
from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

MAX_FILE = 1_000_000  # bytes; secrets lie in files that people write
MAX_ALL = 10_000_000
MAX_SECRETS = 100  # of one subject
TEXT_SUFFIXES = (
    ".md", ".txt", ".py", ".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".env", ".sh", ".ipynb", ".js", ".ts", ".html", ".conf",
    ".properties", ".log", ".bat", ".ps1", ".pem", ".key", ".netrc", ".npmrc", ".pypirc", ".gitconfig",
)  # fmt: skip
TEXT_NAMES = Pattern(r"^(?:\.env(?:\.[\w.-]{1,40})?|Dockerfile|id_(?:rsa|dsa|ecdsa|ed25519)|credentials|token)$")
MACHINE_WRITTEN = TOKENIZER_FILES | {"merges.txt", "added_tokens.json", "special_tokens_map.json", "trainer_state.json"}

# Each service's own form: what it begins with, which is looked for first, the form, and what it is called.
FORMS = (
    (("hf_",), r"hf_[A-Za-z0-9]{30,60}", "a Hugging Face token"),
    (("api_org_",), r"api_org_[A-Za-z0-9]{30,60}", "a Hugging Face token"),
    (("sk-",), r"sk-(?:ant-|proj-|or-|svcacct-)?[A-Za-z0-9_-]{20,200}", "an API key (sk-…)"),
    (("AKIA", "ASIA"), r"A[KS]IA[0-9A-Z]{16}", "an AWS access key"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,80}", "a GitHub token"),
    (("github_pat_",), r"github_pat_[A-Za-z0-9_]{40,120}", "a GitHub token"),
    (("glpat-",), r"glpat-[A-Za-z0-9_-]{20,60}", "a GitLab token"),
    (("xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-"), r"xox[abeprs]-[A-Za-z0-9-]{16,120}", "a Slack token"),
    (("AIza",), r"AIza[A-Za-z0-9_-]{35}", "a Google API key"),
    (("npm_",), r"npm_[A-Za-z0-9]{36}", "an npm token"),
    (("pypi-AgE",), r"pypi-AgE[A-Za-z0-9_-]{40,250}", "a PyPI token"),
    (("r8_",), r"r8_[A-Za-z0-9]{37}", "a Replicate token"),
    (("gsk_",), r"gsk_[A-Za-z0-9]{40,80}", "a Groq API key"),
    (("nvapi-",), r"nvapi-[A-Za-z0-9_-]{40,90}", "an NVIDIA API key"),
    (("jina_",), r"jina_[A-Za-z0-9_-]{40,90}", "a Jina API key"),
    (("sk_live_", "rk_live_"), r"[sr]k_live_[A-Za-z0-9]{20,120}", "a Stripe key"),
    (("dapi",), r"dapi[a-f0-9]{32}", "a Databricks token"),
    (("lsv2_",), r"lsv2_(?:pt|sk)_[A-Za-z0-9_]{32,60}", "a LangSmith key"),
    (("dckr_pat_",), r"dckr_pat_[A-Za-z0-9_-]{20,60}", "a Docker token"),
    (("pcsk_",), r"pcsk_[A-Za-z0-9_]{40,90}", "a Pinecone key"),
)
COMPILED = tuple((starts, Pattern(rf"(?<![A-Za-z0-9_-]){form}(?![A-Za-z0-9])"), kind) for starts, form, kind in FORMS)
RUN = Pattern(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{12,300}")
DIGIT = Pattern("[0-9]")
MAX_REPEATS = 5
LETTERS_ONLY = ("hf_", "api_org_", "AKIA", "ASIA")  # tokens that may hold no digit

PRIVATE_KEY = Pattern(r"-----BEGIN (?:[A-Z]{2,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----")
KEY_LINE = Pattern(r"[A-Za-z0-9+/=]{40,76}")
TELLING = ("key", "token", "secret", "passw")
# A name and what leads from it to its value: quoted in code and JSON, after the sign alone in a shell.
NAMED = Pattern(
    r"(?:api[_-]?key|secret(?:[_-]?key)?|access[_-]?key(?:[_-]?id)?|(?:auth|access|api|hf|hub|wandb|bearer)[_-]?token|passw(?:or)?d|client[_-]?secret"
    r"|private[_-]?key|(?:wandb|openai|cohere|voyage|pinecone|anthropic|mistral)[_-]?key|(?<![a-z_-])token)[\"']?\]?\s{0,3}[:=]\s{0,3}[\"']$",
    re.IGNORECASE,
)
EXPORTED = Pattern(r"[A-Z0-9_]{0,60}(?:API_KEY|ACCESS_KEY|SECRET|SECRET_KEY|TOKEN|PASSWORD)=$")
VALUE = Pattern(r"[A-Za-z0-9_+/=-]{16,200}(?=[\"'\s;]|$)")
BEARER = Pattern(r"[A-Za-z0-9_.+/=-]{24,400}")
ADDRESS = Pattern(r"://[^\s/:@\"'<>]{1,60}:([^\s/:@\"'<>]{8,120})@[\w.-]{4,100}")
# What stands where a secret would: an example, a variable, a word.
PLACEHOLDER = Pattern(
    r"x{4,}|\*{2}|\.{3}|your|my[_-]|example|placeholder|dummy|fake|change_?me|replace|insert|sample|redacted|secret|password|token|api_?key|required"
    r"|no-key|empty|none|null|test|0{5}|deadbeef|local|<|>|\{|\}|\$|%",
    re.IGNORECASE,
)


def collect_secrets(facts: Facts, listing: Listing) -> None:
    """Fill `hazards.secrets`, and mask what was found in everything else that was read. Runs after the other collectors."""
    secrets: dict[str, None] = {}
    many = False
    for path, text in _texts(facts, listing):
        here: dict[str, tuple[str, int]] = {}
        for count, (kind, secret, offset) in enumerate(find_secrets(text)):
            many |= count >= MAX_SECRETS
            if many:
                break
            here.setdefault(secret, (kind, offset))
        for secret, (kind, offset) in here.items():
            place = Location(path, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
            key = kind == "a private key"
            facts.add("hazards.secrets", place, path=path, kind=kind, shown="-----BEGIN …" if key else f"{secret[:4]}…")
            secrets |= dict.fromkeys(KEY_LINE.findall(text, offset, offset + 10_000) if key else [secret])
            facts.texts.setdefault(path, text)
    if secrets:
        facts.hide(list(secrets)[: 2 * MAX_SECRETS])
    if many or len(secrets) > 2 * MAX_SECRETS:
        facts.texts.clear()  # too many to mask one by one


def _texts(facts: Facts, listing: Listing) -> Iterator[tuple[str, str]]:
    """Yield the texts that were read already, and those of the other text files that people write."""
    yield from list(facts.texts.items())
    left = MAX_ALL
    for path, size in listing.sizes.items():
        name = PurePosixPath(path).name
        if path in facts.texts or path in listing.elsewhere or not 8 < size <= min(MAX_FILE, left) or name in MACHINE_WRITTEN:
            continue
        if name.lower().endswith(TEXT_SUFFIXES) or TEXT_NAMES.match(name):
            left -= size
            try:
                yield path, listing.read(path)[0]
            except OSError:
                continue


def find_secrets(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield what looks like a working secret: what it is, itself, and where it starts."""
    # no secret holds a space: what is long enough to be one is a small part of the text
    long = [word for word in text.split() if len(word) > 15]
    yield from _formed(text, " ".join(long))
    bearer = "earer " in text
    for word in dict.fromkeys(word for word in long if bearer or "=" in word or '"' in word or "'" in word):
        for run in RUN.findall(word):
            if DIGIT.search(run):
                yield from _named(text, run)
    for key in PRIVATE_KEY.finditer(text) if "PRIVATE KEY" in text else ():
        if KEY_LINE.search(text, key.end(), key.end() + 400):
            yield "a private key", key[0], key.start()
    for address in ADDRESS.finditer(text) if "@" in text else ():
        if _looks_real(address[1]):
            yield "an address with its password", address[1], address.start(1)


def _formed(text: str, long: str) -> Iterator[tuple[str, str, int]]:
    """Yield what has the form of a service's secrets."""
    for starts, form, kind in COMPILED:
        for found in form.finditer(long) if any(start in long for start in starts) else ():
            if _looks_real(found[0], digits=not found[0].startswith(LETTERS_ONLY)):
                yield kind, found[0], text.find(found[0])


def _named(text: str, run: str) -> Iterator[tuple[str, str, int]]:
    """Yield the first value that starts with these characters and that the words before it call a secret."""
    start = text.find(run)
    for _ in range(MAX_REPEATS):
        if start < 0:
            return
        before = text[max(0, start - 40) : start]
        low = before.lower()
        kind, value = "a key or password", None
        if low.endswith("bearer "):
            kind, value = "a bearer token", BEARER.match(text, start)
        elif any(word in low for word in TELLING) and (NAMED.search(before) or EXPORTED.search(before)):
            value = VALUE.match(text, start)
        if value and _looks_random(value[0]):
            yield kind, value[0], start
            return
        start = text.find(run, start + len(run))


def _looks_real(secret: str, *, digits: bool = True) -> bool:
    """Tell whether this is no placeholder: varied characters, no run of the alphabet, no word that says what goes there."""
    rest = re.sub(r"^[A-Za-z0-9]{1,8}[_-]", "", secret)
    if PLACEHOLDER.search(rest) or len(set(rest)) < min(10, len(rest) * 3 // 4):
        return False
    if digits and not (any(c.isdigit() for c in rest) and any(c.isalpha() for c in rest)):
        return False
    # of a Hugging Face token only the whole alphabet is a placeholder; "abcdef123456" is one anywhere else
    steps = "".join("+" if ord(after) - ord(before) == 1 else " " for before, after in itertools.pairwise(rest))
    return "+" * (11 if secret.startswith("hf_") else 5) not in steps


def _looks_random(secret: str) -> bool:
    """Tell whether this is no word, path or name either: capitals, small letters and digits mixed, or many hexadecimal digits."""
    if not _looks_real(secret):
        return False
    digits = sum(letter.isdigit() for letter in secret)
    if re.fullmatch(r"[0-9a-f-]{20,}", secret):
        return digits > 4
    mixed = any(letter.islower() for letter in secret) and any(letter.isupper() for letter in secret) and digits > 1
    plain = len(secret) > 19 and digits > 4 and not re.search(r"[A-Za-z]{6}", secret)
    return (mixed or plain) and not re.search(r"[a-z]{9}", secret) and sum(map(secret.count, "-_/")) < 4
