"""Regular expressions that are kept between runs."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import cardcheck
from cardcheck import pattern
from cardcheck.cache import sealed
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT = {"flags": 34, "groups": 1, "names": {}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an empty cache folder."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path))
    monkeypatch.setattr(pattern, "_FRESH", {})
    pattern._kept.cache_clear()
    yield tmp_path
    pattern._kept.cache_clear()


def all_patterns() -> dict[str, Pattern]:
    """Return every expression of the program, by module and name."""
    found: dict[str, Pattern] = {}
    for module in pkgutil.walk_packages(cardcheck.__path__, "cardcheck."):
        if ".spotcheck" not in module.name and module.name != "cardcheck.catalogue.build":
            values = vars(importlib.import_module(module.name))
            found |= {f"{module.name}.{name}": value for name, value in values.items() if isinstance(value, Pattern)}
    return found


def test_every_expression_is_taken_apart_and_put_together_again() -> None:
    """What is made from the kept numbers is the same expression as `re` makes, to its groups and flags."""
    patterns = all_patterns()
    assert len(patterns) > 150
    for name, value in patterns.items():
        made, meant = pattern._restored(value.text, pattern._taken_apart(value.text, value.flags)), re.compile(value.text, value.flags)
        assert made == meant, name
        assert (made.groups, made.groupindex, made.flags) == (meant.groups, meant.groupindex, meant.flags), name


def test_the_next_run_compiles_nothing(tmp_path: Path) -> None:
    """What one run compiled is kept when it ends, and another run does not parse it."""
    code = (
        "import re._parser, sys; from cardcheck.pattern import Pattern; calls = []; parse = re._parser.parse\n"
        "re._parser.parse = lambda *a, **k: calls.append(a) or parse(*a, **k)\n"
        "assert Pattern('a(?P<x>b+)', 2).search('xABB')['x'] == 'BB'; print(len(calls))"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() for _ in range(2)]
    assert runs == ["1", "0"]
    assert [path.name.partition("-")[0] for path in tmp_path.iterdir()] == ["patterns"]


def test_each_expression_has_a_line(tmp_path: Path) -> None:
    """Expressions with ends of lines, tabs and letters beyond ASCII are kept apart, and so are those that differ in flags alone."""
    texts = [("a\nb", 0), ("a\tb", 0), ("a\\nb", 0), ("é'\u2028\"", 0), ("b", 0), ("b", re.IGNORECASE)]
    for text, flags in texts:
        Pattern(text, flags).search("")
    pattern._keep()
    assert len((tmp_path / f"patterns-{pattern.NAME}").read_bytes().splitlines()[1:]) == len(texts)
    pattern._kept.cache_clear()
    pattern._FRESH.clear()
    for text, flags in texts:
        assert Pattern(text, flags).compiled == re.compile(text, flags)
    assert pattern._FRESH == {}


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more expressions than a program has the oldest go."""
    monkeypatch.setattr(pattern, "MAX_KEPT", 2)
    for text in ("a", "b", "c"):
        Pattern(text).search("")
    pattern._keep()
    kept = (tmp_path / f"patterns-{pattern.NAME}").read_bytes().splitlines()[1:]
    assert [line.partition(b"\t")[0] for line in kept] == [b"0 'b'", b"0 'c'"]


@pytest.mark.parametrize(
    "kept",
    [
        b"", b"[", b"\xff\n\t\n\t\t\t", b"0 'ab+'", b"0 'ab+'\t", b"0 'ab+'\t[", b"\xff\t\xff\n0 'ab+'\t\xff", {"code": "AAAA"},
        KEPT | {"code": "no base64!"}, KEPT | {"code": ""}, KEPT | {"code": "/////w=="},
        KEPT | {"code": 5}, 5, None, [], {}, KEPT | {"code": "AQAAAA==", "groups": 10**30}, KEPT | {"code": "AQAAAA==", "flags": "x"},
        KEPT | {"code": "AQAAAA==", "groups": -5}, KEPT | {"code": "AQAAAA==", "names": []},
    ],
)  # fmt: skip
def test_what_is_spoilt_is_not_used(tmp_path: Path, kept: Any) -> None:
    """A file that was cut short or overwritten costs time and nothing else."""
    data = kept if isinstance(kept, bytes) else b"0 'ab+'\t" + json.dumps(kept).encode()
    (tmp_path / f"patterns-{pattern.NAME}").write_bytes(sealed(data))
    assert Pattern("ab+").findall("abb ab") == ["abb", "ab"]
    pattern._keep()
    pattern._kept.cache_clear()
    pattern._FRESH.clear()
    assert Pattern("ab+").findall("abb ab") == ["abb", "ab"]
    assert pattern._FRESH == {}, "it is mended"


def test_another_python_compiles_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where `re` is made in another way, nothing is kept and everything works."""
    re.compile("ab+")  # which it remembers: it cannot do without its own parts either
    monkeypatch.delattr("re._compiler._code")
    assert Pattern("ab+").findall("abb ab") == ["abb", "ab"]
    assert pattern._FRESH == {}
