"""Files of an application that are made to hurt: each is read in bounded time, and nothing is raised."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from cardcheck.facts.application import collect_application
from cardcheck.facts.files import Listing
from cardcheck.facts.model import Facts

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECONDS = 20  # on a machine that does other work at the same time; alone, none takes five
CODE = "# SentenceTransformer\n"
CELL = {"cell_type": "code", "source": ["SentenceTransformer('a/b')"]}


def laughs(levels: int) -> str:
    """Return YAML whose aliases stand for 9 ** levels values."""
    lines = ["embed: &a0 [x, x, x, x, x, x, x, x, x]"]
    return "\n".join(lines + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)])


def texts_of_texts(levels: int, form: Callable[[int], str]) -> str:
    """Return code in which each name stands for several times the one before, and the last is a model."""
    return CODE + "a0 = 'x'\n" + "\n".join(f"a{n + 1} = {form(n)}" for n in range(levels)) + f"\nSentenceTransformer(a{levels})\n" * 30


ATTACKS: dict[str, Callable[[], str | bytes]] = {
    "nested.py": lambda: CODE + "x = " + "[" * 5000 + "]" * 5000,
    "calls.py": lambda: CODE + "SentenceTransformer(" * 5000,
    "attributes.py": lambda: CODE + "x = a" + ".b" * 50_000,
    "sum.py": lambda: CODE + "x = " + "+".join(["a"] * 20_000),
    "blocks.py": lambda: CODE + "".join(" " * depth + "if x:\n" for depth in range(500)),
    "chain.py": lambda: CODE + "\n".join(f"a{n + 1} = a{n}" for n in range(20_000)) + "\nSentenceTransformer(a20000)",
    "texts.py": lambda: texts_of_texts(8, lambda n: "f'" + f"{{a{n}}}" * 20 + "'"),
    "sums.py": lambda: texts_of_texts(40, lambda n: f"a{n} + a{n}"),
    "kwargs.py": lambda: CODE + f"k = {dict.fromkeys(map(str, range(20_000)))}\n" + "SentenceTransformer('a/b', **k)\n" * 2000,
    "items.py": lambda: CODE + f"k = {dict.fromkeys(map(str, range(20_000)))}\n" + "SentenceTransformer(k['19999'])\n" * 2000,
    "instances.py": lambda: CODE + "".join(f"x = A{n}()\n" for n in range(20_000)) + "class Z: 0\n" + "SentenceTransformer(x.y)\n" * 3000,
    "line.py": lambda: CODE.encode() + b"# " + b"a" * 50_000_000,
    "line.env": lambda: b"EMBEDDING_MODEL=" + b"a" * 50_000_000,
    "line.yaml": lambda: b"embedding_model: " + b"a" * 50_000_000,
    "line.sh": lambda: "docker run embed --model-id " + '"' * 3_900_000,
    "bytes.py": lambda: CODE.encode() + b"EMBEDDING_MODEL = '\xff\xfe'\n",
    "bytes.yaml": lambda: b"embedding_model: \xff\xfe\n",
    "null.py": lambda: CODE + "EMBEDDING_MODEL = 'a\0b'\n",
    "null.env": lambda: "EMBEDDING_MODEL=BAAI/bge-m3\0\n",
    "null.yaml": lambda: "embedding_model: a\0b\n",
    "cells.ipynb": lambda: json.dumps({"cells": [CELL] * 100_000}),
    "fewer-cells.ipynb": lambda: json.dumps({"cells": [CELL] * 50_000}),
    "spelt.ipynb": lambda: (
        '{"cells": [{"cell_type": "code", "source": [' + ",".join(['"\\u0061 = SentenceTransformer()\\n"'] * 60_000) + "]}]}"
    ),
    "spelt-cells.ipynb": lambda: (
        '{"cells": [' + ",".join(['{"cell_type": "code", "source": "\\u0061 = SentenceTransformer()"}'] * 40_000) + "]}"
    ),
    "deep.ipynb": lambda: "[" * 100_000 + "SentenceTransformer",
    "aliases.yaml": lambda: laughs(20),
    "deep.yaml": lambda: "embed: " + "[" * 100_000,
    "documents.yaml": lambda: "---\nembedding_model: BAAI/bge-m3\n" * 50_000,
    "templates.j2": lambda: ("embed_model: " + "{{" * 480 + "\n") * 3900,
    "keys.toml": lambda: "embedding = 1\n" + "a." * 2000 + "b = 1\n",
    "tables.toml": lambda: "embedding = 1\n" + "\n".join("[" + "a." * 290 + f"b{n}]" for n in range(2000)),
    "deep.toml": lambda: "embedding = 1\nx = " + "[" * 100_000,
    "deep.json": lambda: '{"embedding_model": ' * 10_000 + "1" + "}" * 10_000,
    "deeper.json": lambda: '{"embedding_model":' + "[" * 100_000 + "]" * 100_000 + "}",
    "wide.json": lambda: json.dumps({"embedding": {f"model{n}": "BAAI/bge-m3" for n in range(8000)}}),
    "columns.sql": lambda: "create " + "vector(3) " * 300_000,
    "open.sql": lambda: "create table embed vector(" + "vector ( " * 300_000,
    "Dockerfile": lambda: "FROM python\n" + 'RUN python -c "embed ' + "\\\n" * 300_000,
    "Dockerfile.env": lambda: "FROM python\nENV " + "EMBEDDING_MODEL=x " * 200_000,
    "flags.sh": lambda: "embed " + "--model-id a " * 300_000,
}


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_files(tmp_path: Path, name: str) -> None:
    """Whatever a file holds, reading it ends soon and raises nothing."""
    made = ATTACKS[name]()
    data = made.encode() if isinstance(made, str) else made
    (tmp_path / name).write_bytes(data)
    facts, start = Facts(), time.process_time()
    collect_application(facts, Listing(tmp_path, {name: len(data)}))
    assert time.process_time() - start < SECONDS
    assert facts.sources["app"].state == "known"


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    """A file that cannot be read is a problem of the application, and the others are read."""
    (tmp_path / "b.py").write_text("EMBEDDING_MODEL = 'BAAI/bge-m3'")
    facts = Facts()
    collect_application(facts, Listing(tmp_path, {"a.py": 1, "b.py": 1}))
    assert [row["path"] for row in facts["app.problems"]] == ["a.py"]
    assert [row["id"] for row in facts["app.models"]] == ["BAAI/bge-m3"]
