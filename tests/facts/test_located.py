"""YAML and JSON with places."""

from __future__ import annotations

import math
import time

import pytest
import yaml

from cardcheck.facts import located
from cardcheck.facts.located import LocatedError, load_json, load_yaml


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: -2.5\nc: true\nd: null\ne: ~\nf:\ng: text\n",
        "a: no\nb: Yes\nc: OFF\nd: on\n",
        "a: 0x1F\nb: 017\nc: 0b101\nd: 1_000\ne: +12\nf: -0\n",
        "a: 1.5e+3\nb: .5\nc: -.inf\nd: .INF\ne: 1e5\n",
        "a: '1'\nb: \"true\"\nc: 'null'\nd: ! 12\n",
        "a: !!int '7'\nb: !!str 7\nc: !!float 7\n",
        "a: |\n  one\n  two\nb: >-\n  one\n  two\n",
        "a: [1, [2, {b: c}], {}]\nd: []\n",
        "- a\n- b: c\n  d: e\n-\n  - f\n",
        "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n",
        "just text",
        "",
        "# a comment and nothing else\n",
        "a: 'ünïcödé ☃'\n",
    ],
)
def test_values_are_those_of_pyyaml(text: str) -> None:
    """Ordinary documents have the values that PyYAML's safe loader gives."""
    assert load_yaml(text).value == yaml.load(text, Loader=yaml.CSafeLoader)  # CSafeLoader is the safe one


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", False),
        ("2024-01-31", "2024-01-31"),
        ("2024-01-31T10:00:00Z", "2024-01-31T10:00:00Z"),
        ("12:30", "12:30"),
        ("1:30.5", "1:30.5"),
        ("9" * 30, int("9" * 30)),
        ("9" * 31, "9" * 31),
        ("9" * 100_000, "9" * 100_000),
        ("!!python/object/apply:os.system [ls]", ["ls"]),
        ("!local text", "text"),
        ("=", "="),
    ],
)
def test_scalars_that_pyyaml_would_turn_into_something_else_stay_plain(written: str, value: object) -> None:
    """Dates, sexagesimals, huge numbers and unknown tags stay text; `no` is False."""
    assert load_yaml(f"a: {written}\n").value == {"a": value}


def test_not_a_number_is_read_as_such() -> None:
    """`.nan` becomes a float that is not a number."""
    assert math.isnan(load_yaml("a: .nan").value["a"])


def test_keys_are_text() -> None:
    """Keys stay as they are written, whatever YAML would make of them."""
    assert list(load_yaml("1: a\nno: b\n2024-01-31: c\n").value) == ["1", "no", "2024-01-31"]


def test_merge_keys_are_not_expanded() -> None:
    """A merge key adds nothing to the mapping it stands in."""
    assert load_yaml("a: &x {b: 1}\nc: {<<: *x, d: 2}\n").value == {"a": {"b": 1}, "c": {"d": 2}}


def test_places_of_keys_and_items() -> None:
    """Mapping values have the place of their key, list items their own, both counted from 1."""
    found = load_yaml("a: 1\nlist:\n  - x\n  -   y\nmap: {k: v,\n  deep: [1, 22]}\n")
    assert {path: found.place(path) for path in [("a",), ("list",), ("list", 0), ("list", 1), ("map", "k"), ("map", "deep", 1)]} == {
        ("a",): (1, 1),
        ("list",): (2, 1),
        ("list", 0): (3, 5),
        ("list", 1): (4, 7),
        ("map", "k"): (5, 7),
        ("map", "deep", 1): (6, 13),
    }


def test_place_of_what_is_not_there_is_that_of_its_parent() -> None:
    """An unknown path falls back to the nearest ancestor, then to the start."""
    found = load_yaml("a: 1\nb:\n  c: 2\n")
    assert found.place(("b", "c", "d", 5)) == (3, 3)
    assert found.place(("b", "none")) == (2, 1)
    assert load_yaml("").place(("a",)) == (1, 1)


def test_first_line_shifts_every_place() -> None:
    """Lines count from `first_line`, in places, duplicates and errors alike."""
    found = load_yaml("a: 1\na: 2\n", first_line=10)
    assert found.place(("a",)) == (11, 1)
    assert found.duplicates == [(("a",), 11, 1)]
    with pytest.raises(LocatedError) as caught:
        load_yaml("a: 1\nb: [\n", first_line=10)
    assert caught.value.line in (11, 12)


def test_duplicate_keys_are_reported_and_the_last_wins() -> None:
    """Each repetition is reported with its place, at every depth."""
    found = load_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n")
    assert found.value == {"a": 4, "b": {"c": 2}}
    assert found.duplicates == [(("b", "c"), 2, 11), (("a",), 3, 1), (("a",), 4, 1)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a: [1, 2\nb: 3\n", 2, 2), ("a: 1\n\tb: 2\n", 2, 1), ("a: b: c\n", 1, 5), ("a: \x07\n", 1, 1), ("a: *nothing\n", 1, 4)],
)
def test_bad_syntax_has_a_place(text: str, line: int, column: int) -> None:
    """Text that is no YAML is refused with line and column."""
    with pytest.raises(LocatedError) as caught:
        load_yaml(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.message


def laughs(levels: int) -> str:
    """Return a document whose aliases stand for 9 ** levels values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (laughs(9), "aliases repeat more than"),
        ("a: &a [*a]\n", "refers to itself"),
        ("a: &a {b: *a}\n", "refers to itself"),
        ("? &a [*a]\n: 1\n", "refers to itself"),
        ("[" * 100_000, "nested deeper than 30"),
        ("{a: " * 100_000, "nested deeper than 30"),
        ("- " * 100_000 + "x", "nested deeper than 30"),
    ],
    ids=["laughs", "cycle", "cycle in mapping", "cycle in key", "brackets", "braces", "dashes"],
)
def test_documents_made_to_hurt_are_refused_quickly(text: str, message: str) -> None:
    """Billion laughs, cycles and deep nesting are refused at once."""
    start = time.process_time()
    with pytest.raises(LocatedError, match=message):
        load_yaml(text)
    assert time.process_time() - start < 2


def test_endless_lists_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document of more values than the limit is refused where it passes the limit."""
    monkeypatch.setattr(located, "MAX_NODES", 1000)
    with pytest.raises(LocatedError, match="more than 1,000 values") as caught:
        load_yaml("- x\n" * 2000)
    assert caught.value.line == 1000


def test_depth_and_aliases_within_the_limits_are_read() -> None:
    """Thirty levels are read, and so are a few hundred thousand values by aliases."""
    value = load_yaml("[" * 30 + "]" * 30).value
    for _ in range(29):
        value = value[0]
    assert value == []
    assert len(load_yaml(laughs(4)).value["a3"]) == 9


def test_json_values_and_places() -> None:
    """JSON has its own values, and the places of its keys and items."""
    found = load_json('{"a": 1,\n "b": [true, null,\n   1e30], "c": "no"}')
    assert found.value == {"a": 1, "b": [True, None, 1e30], "c": "no"}
    assert found.place(("b",)) == (2, 2)
    assert found.place(("b", 2)) == (3, 4)
    assert found.place(("c",)) == (3, 11)


def test_json_with_nan_and_lone_surrogate_is_read() -> None:
    """What Python's reader lets through arrives as it is: NaN, infinity, half a surrogate pair."""
    value = load_json('{"a": NaN, "b": -Infinity, "c": "\\ud800"}').value
    assert math.isnan(value["a"])
    assert value["b"] == -math.inf
    assert value["c"] == "\ud800"


def test_json_with_tabs_keeps_its_values() -> None:
    """JSON indented with tabs, which YAML may not be, has its values all the same."""
    assert load_json('{\n\t"a": {\n\t\t"b": 1\n\t}\n}').value == {"a": {"b": 1}}


def test_json_duplicates_are_reported() -> None:
    """A key that stands twice in JSON is reported as in YAML."""
    found = load_json('{"a": 1,\n "a": 2}')
    assert found.value == {"a": 2}
    assert found.duplicates == [(("a",), 2, 2)]


def test_deep_json_keeps_its_values_or_is_refused() -> None:
    """Nesting over the limit of YAML has no places; nesting that Python cannot follow is refused."""
    assert load_json("[" * 50 + "]" * 50).places == {}
    with pytest.raises(LocatedError):
        load_json("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize(("text", "line", "column"), [("", 1, 1), ('{"a": 1,\n  b: 2}', 2, 3), ("[1, 2", 1, 6), ('{"a" 1}', 1, 6)])
def test_bad_json_has_a_place(text: str, line: int, column: int) -> None:
    """Text that is no JSON is refused with line and column."""
    with pytest.raises(LocatedError) as caught:
        load_json(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_numbers_of_many_digits_are_refused() -> None:
    """An integer beyond what Python converts is an error of the file, not of the program."""
    with pytest.raises(LocatedError):
        load_json('{"a": ' + "9" * 5000 + "}")


def test_yaml_beyond_a_lone_surrogate_is_refused() -> None:
    """Text that cannot be encoded is an error with a place."""
    with pytest.raises(LocatedError):
        load_yaml("a: \ud800")


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_only_line_feeds_count_as_lines(separator: str) -> None:
    """A Unicode line separator inside a value does not shift the lines below it."""
    assert load_yaml(f'a: "x{separator}y"\nb: 1\n').place(("b",)) == (2, 1)


@pytest.mark.parametrize("text", ["? [x, 1]\n: d\n", "? {a: b}\n: d\n", "a: &a [x]\n? *a\n: d\n"])
def test_keys_are_scalars(text: str) -> None:
    """A list or a mapping as a key is refused: no card needs one, and aliases make them as large as one likes."""
    with pytest.raises(LocatedError, match="a key is a list or a mapping"):
        load_yaml(text)
