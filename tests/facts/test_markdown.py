"""Facts of the card's text."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts import markdown
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from conftest import CardFacts

    from cardcheck.facts import Facts


def rows(facts: Facts, name: str, *keys: str) -> list[tuple[Any, ...]]:
    """Return some keys of a fact's rows."""
    return [tuple(row[key] for key in keys) for row in facts[name]]


def test_headings_in_both_styles(card_facts: CardFacts) -> None:
    """Headings of both Markdown styles are found with level and line, without their markup; those in code are not."""
    facts = card_facts("Title *one*\n===\n\n## Two `x`\n\n```\n# no heading\n```\n\n### Three\n")
    assert rows(facts, "card.headings", "text", "level", "line") == [("Title one", 1, 1), ("Two x", 2, 4), ("Three", 3, 10)]
    assert facts["card.title"] == "Title one"


def test_links_of_every_kind(card_facts: CardFacts) -> None:
    """Inline, reference, automatic, bare and HTML links are found once each; images are not links."""
    facts = card_facts(
        "[a](https://a.example) and [b][r], <https://c.example>, https://d.example.\n\n"
        '<p><a href="https://e.example">e</a></p>\n\nx <a href="https://f.example">f</a>\n\n![i](https://i.example)\n\n[r]: https://b.example\n'
    )
    assert {url for (url,) in rows(facts, "card.links", "url")} == {f"https://{name}.example" for name in "abcdef"}
    assert len(facts["card.links"]) == 6


def test_place_of_a_link_is_that_of_its_address(card_facts: CardFacts) -> None:
    """A link points at the address in the source."""
    assert rows(card_facts("# m\n\nSee [it](https://a.example).\n"), "card.links", "text", "url", "line", "column") == [
        ("it", "https://a.example", 3, 10)
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[p](https://arxiv.org/abs/2401.00001)", "link"),
        ("https://aclanthology.org/2024.acl-long.1/", "link"),
        ("Also arXiv:2401.00001", "text"),
        ("```bibtex\n@misc{ours2024,\n title={Ours}}\n```", "citation"),
    ],
)
def test_papers(card_facts: CardFacts, text: str, kind: str) -> None:
    """Links to papers, arXiv numbers in the text and BibTeX entries name a paper."""
    assert [found for (found,) in rows(card_facts(f"# m\n\n{text}\n"), "card.papers", "kind")] == [kind]


def test_reports_are_no_papers(card_facts: CardFacts) -> None:
    """A blog post is a report, a home page is neither."""
    facts = card_facts("[b](https://acme.example/blog/ours) [h](https://acme.example/)\n")
    assert rows(facts, "card.reports", "url") == [("https://acme.example/blog/ours",)]
    assert facts["card.papers"] == []


def test_code_and_what_it_loads(card_facts: CardFacts) -> None:
    """Code blocks keep their language and place, and the repositories they load are found."""
    facts = card_facts(
        "# m\n\n```python\nm = SentenceTransformer('acme/ours')\nn = AutoModel.from_pretrained(\"acme/base\")\n```\n\n    indented\n"
    )
    assert rows(facts, "card.code", "language", "line") == [("python", 4), ("", 8)]
    assert rows(facts, "card.loads", "id", "line") == [("acme/ours", 4), ("acme/base", 5)]


def test_prose_loads_nothing(card_facts: CardFacts) -> None:
    """Only code blocks load; what the text quotes does not."""
    assert card_facts("Call SentenceTransformer('acme/ours').\n")["card.loads"] == []


def test_tables(card_facts: CardFacts) -> None:
    """Tables in Markdown and HTML are found with header, cells and line."""
    facts = card_facts("# m\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<table><tr><th>c</th></tr><tr><td>3</td></tr></table>\n")
    assert rows(facts, "card.tables", "header", "cells", "line") == [(["a", "b"], [["1", "2"]], 3), (["c"], [["3"]], 7)]


def test_training_section_reaches_to_its_equal(card_facts: CardFacts) -> None:
    """The words of a training section include its subsections and end at the next heading of its level."""
    facts = card_facts("# m\n\n## Training\n\none two\n\n### Data\n\nthree\n\n## Use\n\nfour\n")
    assert rows(facts, "card.training_sections", "heading", "words", "line") == [("Training", 5, 3)]


@pytest.mark.parametrize("text", ["[More Information Needed]", "{MODEL_NAME}", "{{ model_id | default('x') }}", "Lorem ipsum"])
def test_placeholders(card_facts: CardFacts, text: str) -> None:
    """What a template left behind is found where it stands."""
    assert rows(card_facts(f"# m\n\nIt is {text}.\n"), "card.placeholders", "text", "line", "column") == [(text, 3, 7)]


def test_carriage_returns_are_line_ends(card_facts: CardFacts) -> None:
    """Text of either line ending has the same facts."""
    text = "# m\n\n## Training\n\none two\n"
    assert card_facts(text.replace("\n", "\r\n"))["card.training_sections"] == card_facts(text)["card.training_sections"]


def test_rows_are_capped_and_the_cap_is_noted(card_facts: CardFacts) -> None:
    """More rows than a rule can be evaluated on are cut, and the fact's name is noted once."""
    facts = card_facts("{MODEL_NAME}\n" * 5000)
    assert len(facts["card.placeholders"]) == 4000
    assert facts["facts.capped"] == ["card.placeholders"]


@pytest.mark.parametrize(
    ("start", "repeated"),
    [("", "{{card_data"), ("max input length", " "), ("max input length", "*"), ("longer than ", "1"), ("", "1")],
    ids=["braces", "spaces", "stars", "limit", "digits"],
)
def test_repetition_does_not_slow_the_patterns_down(start: str, repeated: str) -> None:
    """A line made to hurt and four times as long costs less than eight times as much: quadratic time would be sixteen times."""
    values = vars(markdown).values()
    patterns: list[Any] = [getattr(value, "compiled", value) for value in values if isinstance(value, Pattern | re.Pattern)]
    assert len(patterns) > 5

    def cost(length: int) -> float:
        text, runs = start + repeated * (length // len(repeated)), []
        for _ in range(5):
            begin = time.process_time()
            for pattern in patterns:
                list(pattern.finditer(text if isinstance(pattern.pattern, str) else text.encode()))
            runs.append(time.process_time() - begin)
        return min(runs)

    assert cost(80_000) < max(8 * cost(20_000), 0.2)


@pytest.mark.parametrize("text", ["[" * 50_000, "[a](" * 10_000, ">" * 50_000, "- " * 20_000, "*a_ " * 5_000, "<a " * 5_000, "`a" * 20_000])
def test_hostile_markdown_is_read_in_bounded_time(card_facts: CardFacts, text: str) -> None:
    """Nesting and unclosed markup cost seconds at most."""
    start = time.process_time()
    card_facts(text)
    assert time.process_time() - start < 4


def test_nested_tables_are_read_in_bounded_time(card_facts: CardFacts) -> None:
    """Eleven kilobytes of tables within tables, which took minutes once, cost seconds at most."""
    start = time.process_time()
    card_facts("<table><tr>" * 1000)
    assert time.process_time() - start < 4


def test_cells_that_are_not_closed(card_facts: CardFacts) -> None:
    """A cell ends where the next one begins, as in a browser, though the parser puts the second into the first."""
    html = "<table><tr><td>39.3 <b>M</b> <!-- x --><td> 11,390<td></tr></table> text behind"
    assert card_facts(f"# m\n\n{html}\n")["card.tables"][0]["header"] == ["39.3 M", "11,390", ""]


def test_tables_as_github_reads_them(card_facts: CardFacts) -> None:
    """A table may follow a line of text, tabs may stand between its delimiters, and a cell may hold an escaped bar."""
    facts = card_facts("# m\n\nScores:\n| a | b |\n|---|---|\n| 1 | `x\\|y` |\n\n|c\t|d|\n|---\t|---\t|\n|2|3|\n")
    assert rows(facts, "card.tables", "header", "cells", "line") == [(["a", "b"], [["1", "`x|y`"]], 4), (["c", "d"], [["2", "3"]], 8)]


def test_text_of_a_link_in_html(card_facts: CardFacts) -> None:
    """A link in HTML within a paragraph has the text up to its end, and one that is never closed ends with the paragraph."""
    facts = card_facts('See <a href="https://a.example">the *paper*</a> now, or <a href="https://b.example">this\n\nand that\n')
    assert rows(facts, "card.links", "text", "url") == [("the paper", "https://a.example"), ("this", "https://b.example")]


def test_html_that_the_parser_refuses(card_facts: CardFacts) -> None:
    """What stands before a broken declaration is found; nothing is raised."""
    facts = card_facts('# m\n\n<p><a href="https://a.example">x</a>\n<![/a>\n<!-[\n')
    assert rows(facts, "card.links", "url") == [("https://a.example",)]


def test_columns_count_characters(card_facts: CardFacts) -> None:
    """The parser counts bytes, readers count characters."""
    assert rows(card_facts("# é\n\nDéjà vu — [là](https://a.example)\n"), "card.links", "line", "column") == [(3, 16)]


def test_a_parser_that_fails_leaves_the_card_unknown(card_facts: CardFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the Markdown parser gives up, nothing is said of the card, and nothing is raised."""

    class PanicException(BaseException):  # the name that Rust's panics have in Python
        pass

    def panic(*_: Any, **__: Any) -> None:
        raise PanicException

    monkeypatch.setattr("pyromark.events_with_range", panic)
    facts = card_facts("# m\n")
    assert facts.sources["card"].state == "unavailable"
    assert "cannot be parsed" in facts.sources["card"].reason
