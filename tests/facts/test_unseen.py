"""Front matter that somebody wrote and the Hub does not see."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from huggingface_hub.repocard import REGEX_YAML_BLOCK

if TYPE_CHECKING:
    from conftest import CardFacts


@pytest.mark.parametrize(
    ("card", "problem"),
    [
        ("\u200b---\nlicense: mit\n---\n# m\n", "an invisible character (U+200B) stands before it"),
        ("---\n---\n# m\n", "it is empty"),
        ("---  \nlicense: mit\n---\n# m\n", "spaces follow the opening ---"),
        ("---\nlicense: mit\n# m\n", "its closing --- is missing"),
        ("---\n\n# the licence\nlicense: mit\n\n# m\n", "its closing --- is missing"),
        ("---\nlicense: mit\n...\n# m\n", "its closing --- is missing: the line `...` does not close it"),
        ("---\nlicense: mit\n----\n# m\n", "its closing --- is missing: the line `----` does not close it"),
        ("---\nlicense: mit\n ---\n# m\n", "its closing --- is missing: the line ` ---` does not close it"),
        ("---\nlicense: mit\n\u2014\u2014\n# m\n", "its closing --- is missing: the line `\u2014\u2014` does not close it"),
        ("---\rlicense: mit\r---\r# m\r", "its lines end with carriage returns alone, so its closing --- is not seen"),
        ("----\nlicense: mit\n----\n# m\n", "it opens with `----` where --- is wanted"),
        ("\u2014\u2014\u2014\nlicense: mit\n---\n# m\n", "it opens with `\u2014\u2014\u2014` where --- is wanted"),
        ("--\nlicense: mit\n--\n# m\n", "it opens with `--` where --- is wanted"),
        ("```yaml\nlicense: mit\n```\n# m\n", "it stands in a code block"),
        ("```\n---\nlicense: mit\n---\n```\n# m\n", "it stands in a code block"),
        ("language: en\nlicense: mit\n---\n# m\n", "its opening --- is missing"),
        ("![a](a.png)\n---\nlicense: mit\n---\n# m\n", "text stands before it"),
        ("<!-- a -->\r\n---\r\ntags:\r\n  - b\r\nlicense: mit\r\n---\r\n# m\r\n", "text stands before it"),
        ("# m\n\n---\nmodel-index:\n" + "- name: m\n" * 5000 + "---\n", "text stands before it"),
    ],
)
def test_what_is_wrong_is_told(card_facts: CardFacts, card: str, problem: str) -> None:
    """What keeps the Hub's client from seeing front matter is told in words."""
    assert not REGEX_YAML_BLOCK.search(card)
    facts = card_facts(card)
    assert facts["card.front_matter_problem"] == problem
    assert facts["card.has_front_matter"] is False


@pytest.mark.parametrize(
    "card",
    [
        "",
        "# m\n",
        "---\n\nText under a ruler.\n",
        "---\nNote: text under a ruler\n",
        "# m\n\n---\n\nText: here.\n\n---\n",
        "# m\n\n```\n---\nlicense: mit\n---\n```\n",
        "license: mit, as all our work\n",
        "\ufeff# m\n",
        "\rText\r",
    ],
)
def test_where_nobody_wrote_any(card_facts: CardFacts, card: str) -> None:
    """Rulers, examples in code and plain text are not taken for front matter."""
    assert card_facts(card)["card.front_matter_problem"] is None


def test_stray_characters_can_be_taken_out(card_facts: CardFacts) -> None:
    """The invisible characters before front matter are a fact, for the edit that removes them."""
    assert card_facts("\u200b---\nlicense: mit\n---\n")["card.stray_start"] == "\u200b"
    assert card_facts("x\n---\nlicense: mit\n---\n")["card.stray_start"] == ""
    assert card_facts("\ufeff# m\n")["card.stray_start"] == ""


@pytest.mark.parametrize(
    "repeated", ["---\n", "--- \n", "- ", "\n", " ", "---\n#", "---\n#\n", "license:", "`", "\r", "\ufeff", "---\n \n \n", "...\n"]
)
def test_repetition_takes_linear_time(card_facts: CardFacts, repeated: str) -> None:
    """A text made to hurt and four times as long costs less than eight times as much."""

    def cost(length: int) -> float:
        text = "x\n" + repeated * (length // len(repeated)) + "\n---\nlicense: mit\n"
        start = time.process_time()
        card_facts(text[2:])
        card_facts(text)
        return time.process_time() - start

    assert cost(400_000) < max(8 * cost(100_000), 3)
