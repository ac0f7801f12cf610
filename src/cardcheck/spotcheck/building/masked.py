"""Secrets in what a user typed, kept out of a set that is made to be passed on."""

from __future__ import annotations

import re

from cardcheck.pattern import Pattern

TELLING = r"(?:key|token|secret|passwd|password|passphrase|credentials?)"
# What leads to a secret: NAME_KEY=, --api-key, a header's words, curl's -u; and who asks, in an address.
NAMED = Pattern(
    rf"""((?:[\w-]{{0,40}}{TELLING}=|(?<![\w-])-[\w-]{{0,40}}{TELLING}\s{{1,9}}|\bbearer\s{{1,9}}|(?<![\w-])(?:-u|--user)[\s=]{{1,9}})["']{{0,9}})"""
    r"""[^\s"'&]{1,2000}""",
    re.IGNORECASE,
)
USER = Pattern(r"(://)[^\s/@\"'<>]{1,500}@")
MASK = "…"


def masked(text: str) -> str:
    """Return a command or address without what looks like a password, key or token."""
    from cardcheck.facts.secrets import find_secrets

    text = USER.sub(rf"\1{MASK}@", NAMED.sub(rf"\1{MASK}", text))
    for _, secret, _ in list(find_secrets(text)):
        text = text.replace(secret, secret[:4] + MASK)
    return text
