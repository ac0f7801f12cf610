"""What the card tells its readers to run: commands that fetch and run at once, that skip checks, or that unpickle."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from cardcheck.facts.prose import windows
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_EACH = 200
MAX_SEARCHED = 200_000  # characters; the longest of 4,649 real texts has 123,000
MAX_SHOWN = 100  # characters of a command in a message

# Every repetition below has a bound: a card of one command a million times over must not take quadratic time.
SHELL = r"(?:/(?:usr/)?bin/)?(?:env\s{1,3})?(?:ba|z|da|k|fi)?sh\b"
SUDO = r"(?:sudo\s{1,3}(?:-\w{1,3}\s{1,3}){0,2})?"
LINE = r"(?:[^\n|]|\\\n){0,200}"  # a backslash carries a command on
LAST = r"(?:\s{1,3}-)?[ \t]{0,3}(?=\n|$|`)"  # a program that reads what to run, not one with arguments of its own
FETCHES = Pattern(
    rf"\b(?:curl|wget)\b(?={LINE}?(?:://|\$|[\w-]\.[a-z]{{2,10}}/)){LINE}\|\s{{0,3}}(?:\\\n\s{{0,9}})?{SUDO}(?:{SHELL}|python3?{LAST}|(?:perl|ruby|node)\b)"
    rf"|\b(?:{SHELL}|source|eval)\s{{1,3}}(?:-c\s{{1,3}})?[\"']?(?:<\(|\$\(|`)\s{{0,3}}(?:curl|wget)\b[^\n)]{{0,300}}"
    r"|\b(?:curl|wget)\b[^\n|;&]{0,200}/([\w.-]{2,80}\.(?:sh|bash|py|run|bin|exe))\b[^\n|;&]{0,100}(?:&&|;)[^\n]{0,80}?[\s/]\1"
    r"|\b(?:iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\n|]{0,300}\|\s{0,3}(?:iex|invoke-expression)\b"
    r"|\b(?:iex|invoke-expression)\b[^\n]{0,60}\b(?:downloadstring|iwr|irm|invoke-webrequest|invoke-restmethod)\b[^\n]{0,200}"
    r"|\b(?:exec|eval)\s{0,3}\(\s{0,3}(?:requests\.get|(?:urllib\.)?request\.urlopen|urlopen|httpx\.get)\s{0,3}\([^\n]{0,200}",
    re.IGNORECASE,
)
# Installers that their makers publish in this form, over a connection that is checked.
OFFICIAL = Pattern(
    r"https://(?:www\.)?(?:ollama\.(?:com|ai)|astral\.sh|sh\.rustup\.rs|(?:get|test)\.docker\.com|deb\.nodesource\.com|install\.python-poetry\.org"
    r"|bun\.sh|get\.pnpm\.io|deno\.land|pixi\.sh|micro\.mamba\.pm|get\.k3s\.io|packagecloud\.io/install/repositories/github/git-lfs|hf\.co/cli"
    r"|raw\.githubusercontent\.com/(?:homebrew|nvm-sh|wasmedge|llamaedge|pyenv|helm)/)",
    re.IGNORECASE,
)
ENCODED = Pattern(
    r"\bbase64\s{1,3}(?:-d|-D|--decode)\b[^\n|]{0,120}\|\s{0,3}" + SUDO + rf"(?:{SHELL}|python3?\b)"
    r"|\b(?:exec|eval)\s{0,3}\(\s{0,3}(?:(?:compile|__import__)\s{0,3}\([^\n]{0,60})?"
    r"(?:base64\.|codecs\.decode|zlib\.|marshal\.|bytes\.fromhex|binascii\.)[^\n]{0,120}"
    r"|\bpowershell(?:\.exe)?\b[^\n]{0,80}\s-e(?:nc|ncodedcommand)?\s{1,3}[A-Za-z0-9+/=]{20,200}",
    re.IGNORECASE,
)
LOCAL = r"(?!localhost|127\.|0\.0\.0\.0|192\.168\.|10\.)"
UNCHECKED = Pattern(
    rf"--trusted-host[= ]{LOCAL}\S{{1,100}}"
    rf"|\bpip3?\s{{1,3}}install\b[^\n]{{0,200}}?(?:git\+|(?:-i|--(?:extra-)?index-url)[= ])?http://{LOCAL}[^\s'\"`]{{1,200}}"
    r"|(?<!['\"\w])verify\s{0,3}=\s{0,3}False\b|\bssl\._create_unverified_context\b|\bCERT_NONE\b|\bcheck_hostname\s{0,3}=\s{0,3}False\b"
    r"|\bwget\b[^\n]{0,200}--no-check-certificate\b|\bcurl\b[^\n|]{0,200}?\s(?:--insecure\b|-[sSfLOvIi]{0,5}k[sSfLOvIi]{0,5}(?=\s))"
    r"|\bGIT_SSL_NO_VERIFY\s{0,3}=\s{0,3}(?:1|true)\b|\bssl_verify[= ]{1,3}(?:false|no)\b"
    r"|\bhttp\.sslverify[= ]{1,3}[\"']?false\b|\bPYTHONHTTPSVERIFY\s{0,3}=\s{0,3}[\"']?0",
    re.IGNORECASE,
)
DEFENCES = Pattern(
    r"\b(?:disable|turn(?:ing)?[ -]off|switch(?:ing)?[ -]off|deactivate|uninstall|pause)\s{1,3}(?:your |the |any |all )?(?:\w{1,20}[ -])?"
    r"(?:anti-?virus|windows defender|microsoft defender|real-?time protection|firewall|gatekeeper|smartscreen|selinux)\b"
    r"|\bset-executionpolicy\s{1,3}(?:-\w{1,20}\s{1,3}(?:\w{1,20}\s{1,3})?)?(?:unrestricted|bypass)\b|-executionpolicy\s{1,3}(?:bypass|unrestricted)\b"
    r"|\bspctl\s{1,3}--master-disable\b|\bsetenforce\s{1,3}0\b|\bchmod\s{1,3}(?:-R\s{1,3})?0?777\s{1,3}/(?:\s|$)|\brm\s{1,3}-rf\s{1,3}(?:--no-preserve-root\s{1,3})?/(?:\s|$|\*)"
    r"|\badd-mppreference\b[^\n]{0,60}-exclusion\w{1,20}",
    re.IGNORECASE,
)
UNPICKLES = Pattern(
    r"(?<![\w.])(?P<off>weights_only\s{0,3}=\s{0,3}False\b|allow_pickle\s{0,3}=\s{0,3}True\b|allow_dangerous_deserialization\s{0,3}=\s{0,3}True\b)"
    r"|(?<![\w.])(?:pickle|cPickle|joblib|dill|cloudpickle)\.loads?\s{0,3}\([^\n]{0,60}|(?<![\w.])pd\.read_pickle\s{0,3}\([^\n]{0,60}"
)
HTTP_FILE = Pattern(
    rf"http://{LOCAL}[^\s\"'<>`)\]]{{3,300}}?\.(?:bin|safetensors|pt|pth|ckpt|gguf|onnx|h5|pkl|zip|tar|tgz|gz|bz2|xz|7z|rar|whl|exe|sh|py|npz|npy|parquet"
    r"|jsonl|csv|tsv)(?![\w/-])"
)
# Where to look: a word costs five microseconds in a card, so these are few.
SEARCHES = (
    ("fetches", FETCHES, ("curl", "wget", "iex", "invoke-", "exec(", "eval(r", "eval(u")),
    ("encoded", ENCODED, ("base64", "exec(", "powershell", "eval(b")),
    ("unchecked", UNCHECKED, ("trusted-host", "http://", "verif", "curl", "wget")),
    ("defences", DEFENCES, ("virus", "defender", "firewall", "gatekeeper", "executionpolicy", "chmod", "rm -rf")),
)
LOADS = ("weights_only", "pickle", "joblib", "dangerous")


def collect_commands(facts: Facts, prose: Prose) -> None:
    """Fill `hazards.commands`, `hazards.unpickles` and `hazards.downloads`."""
    for kind, pattern, words in SEARCHES:
        for found in _around(prose, pattern, words):
            if kind != "fetches" or not OFFICIAL.search(found[0]):
                facts.add("hazards.commands", prose.at(found.start()), kind=kind, text=_shown(found[0]))
    for found in _around(prose, UNPICKLES, LOADS):
        facts.add("hazards.unpickles", prose.at(found.start()), text=_shown(found[0]), off=found["off"] is not None)
    for found in islice(HTTP_FILE.finditer(prose.visible, 0, MAX_SEARCHED) if "http://" in prose.visible else (), MAX_EACH):
        facts.add("hazards.downloads", prose.at(found.start()), url=found[0][:MAX_SHOWN])


def _around(prose: Prose, pattern: Pattern, words: Iterable[str]) -> Iterator[re.Match[str]]:
    """Yield matches near certain words, each once."""
    stretches = windows(prose.lower, words, before=300, after=600)
    matches = (
        found
        for start, end in stretches
        if start < MAX_SEARCHED
        for found in pattern.finditer(prose.visible, start, min(end, MAX_SEARCHED))
    )
    return islice(matches, MAX_EACH)


def _shown(text: str) -> str:
    """Return a command on one line, cut to what fits."""
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"
