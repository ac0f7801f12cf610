"""Notebooks: cells of code with their places, magics and broken cells."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cardcheck.facts.application.found import Found
from cardcheck.facts.application.notebook import read_notebook


def notebook(*cells: str | list[str], kind: str = "code", ensure_ascii: bool = True) -> str:
    """Return a notebook with these cells."""
    rows: list[dict[str, Any]] = [{"cell_type": kind, "metadata": {}, "outputs": [], "source": cell} for cell in cells]
    return json.dumps({"cells": rows}, indent=1, ensure_ascii=ensure_ascii)


def read(text: str) -> Found:
    """Return what a notebook says."""
    found = Found()
    read_notebook(text, found)
    return found


def test_names_are_followed_from_cell_to_cell() -> None:
    """All cells are one program: a name that one sets is known in the next."""
    found = read(notebook("NAME = 'a/b'", ["from x import SentenceTransformer\n", "SentenceTransformer(NAME)"]))
    assert [(choice.given, choice.loads) for choice in found.choices.values()] == [("a/b", True)]


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_places_are_those_of_the_file(ensure_ascii: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """A finding points into the notebook's file, however its letters are written."""
    text = notebook("x = 1", ["é = 'é'\n", 'm = SentenceTransformer("a/b")\n'], ensure_ascii=ensure_ascii)
    [(line, column)] = read(text).choices
    assert text.split("\n")[line - 1][column - 1 :].startswith("a/b")


def test_a_letter_that_is_written_in_its_own_way_loses_only_the_place() -> None:
    """A cell whose text stands in the file in an unusual spelling is read all the same."""
    text = notebook("mm = SentenceTransformer('a/b')").replace("mm =", "\\u006dm =")
    assert [choice.given for choice in read(text).choices.values()] == ["a/b"]


@pytest.mark.parametrize("magic", ["%pip install x", "!pip install x", "x = !ls", "x = %timeit f()", "SentenceTransformer?", "  !ls"])
def test_magics_are_passed_over(magic: str) -> None:
    """Lines that only a notebook understands do not hide the cell they stand in."""
    code = f"{'if True:' if magic.startswith(' ') else ''}\n{magic}\nSentenceTransformer('a/b')"
    assert [choice.given for choice in read(notebook(code)).choices.values()] == ["a/b"]


@pytest.mark.parametrize("cell", ["%%bash\nSentenceTransformer('c/d')", "this is no Python", "print 'x'", "x = (", ""])
def test_broken_cells_do_not_hide_the_others(cell: str) -> None:
    """A cell in another language, or with a mistake, is left out alone."""
    assert [choice.given for choice in read(notebook(cell, "SentenceTransformer('a/b')")).choices.values()] == ["a/b"]


def test_commands_in_cells() -> None:
    """A shell command of a cell may fetch a model."""
    found = read(notebook("!hf download BAAI/bge-m3"))
    assert [(choice.given, choice.loads) for choice in found.choices.values()] == [("BAAI/bge-m3", True)]


def test_text_and_outputs_say_nothing() -> None:
    """Cells of text and what the code printed choose no model."""
    assert not read(notebook("SentenceTransformer('a/b')", kind="markdown")).choices
    cell = {"cell_type": "code", "source": "x", "outputs": [{"text": "SentenceTransformer('a/b')"}]}
    assert not read(json.dumps({"cells": [cell]})).choices


@pytest.mark.parametrize("text", ["", "{", "[]", "1", '{"cells": 1}', '{"cells": [1, {"cell_type": "code", "source": 5}]}', "[" * 100_000])
def test_what_is_no_notebook(text: str) -> None:
    """What is not a notebook gives no choice and raises nothing."""
    assert not read(text).choices
