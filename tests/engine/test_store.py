"""The compiled rules that are kept between runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.cache import KEPT, sealed
from cardcheck.engine import library
from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.library import load_rules, ready_rules
from cardcheck.facts import collect
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel

RULE = """\
id: ACME001
name: no-tags
severity: note
confidence: high
fails: card.tags.size() == 0
message: "{card.title} has no tags"
edit: {old: "{card.title}", new: "x"}
why: w
fix: f
examples: {fails: [{card: ""}], passes: [{card: "---\\ntags: [a]\\n---\\n"}]}
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache folder, and let the store use it."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with one rule of a user."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ACME001.yaml").write_text(RULE)
    return tmp_path / "rules"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, ...]]:
    """Give the list of what is read and compiled from rule files."""
    calls: list[tuple[Path, ...]] = []

    def load(folders: Any = ()) -> Any:
        calls.append(tuple(folders))
        return load_rules(folders)

    monkeypatch.setattr(library, "load_rules", load)
    return calls


def test_stored_rules_are_the_same(make_model: MakeModel, folder: Path, compiled: list[Any]) -> None:
    """Rules from the store say the same of a subject as those from the files; only their examples are left out."""
    first, second = ready_rules([folder]), ready_rules([folder])
    assert len(compiled) == 1
    assert [rule.id for rule in first] == [rule.id for rule in second]
    assert not any(rule.fails_on or rule.passes_on for rule in second)
    for one, two in zip(first, second, strict=True):
        for name in ("id", "name", "severity", "confidence", "profile", "needs", "at", "why", "fix", "references", "since", "path", "page"):
            assert getattr(one, name) == getattr(two, name)
        assert (one.fails.text, one.when and one.when.text) == (two.fails.text, two.when and two.when.text)
    model = make_model({"README.md": "---\nlicense: MIT\nlanguage: [no, english]\ndatasets: a b\n---\n# m\n", "config.json": "{"})
    facts = collect(Subject("m", "folder", model))
    judged = [
        [
            (judged.rule.id, judged.outcome, [(f.message, f.location, f.edit, f.key) for f in judged.findings])
            for judged in evaluate(facts, rules)
        ]
        for rules in (first, second)
    ]
    assert judged[0] == judged[1]
    assert sum(outcome == "fail" for _, outcome, _ in judged[0]) > 4


def test_rules_share_what_they_have_in_common(folder: Path) -> None:
    """An expression that stands in a rule twice, or in several rules, is stored and evaluated as one."""
    _second_rule(folder / "ACME001.yaml")
    for _ in range(2):
        one, two = (rule for rule in ready_rules([folder]) if rule.id.startswith("ACME"))
    assert one.fails is two.fails
    assert one.edit is not None
    assert one.message[0] is one.edit[0][0] is two.message[0]
    assert (one.message[1], one.edit[1]) == (" has no tags", ("x",))


def _other_text(path: Path) -> None:
    path.write_text(RULE.replace("severity: note", "severity: error"))


def _other_time(path: Path) -> None:
    os.utime(path, (1, 1))


def _second_rule(path: Path) -> None:
    (path.parent / "ACME002.yaml").write_text(RULE.replace("ACME001", "ACME002").replace("no-tags", "none"))


def _other_name(path: Path) -> None:
    path.rename(path.parent / "b.yaml")


@pytest.mark.parametrize("change", [_other_text, _other_time, _second_rule, _other_name])
def test_a_change_makes_a_new_store(folder: Path, compiled: list[Any], change: Callable[[Path], None]) -> None:
    """A rule file that changes, moves or is added is read again; what was stored before is not used."""
    ready_rules([folder])
    change(folder / "ACME001.yaml")
    rules = ready_rules([folder])
    assert len(compiled) == 2
    assert rules[0].id == "ACME001"
    assert rules[0].severity == ("error" if change is _other_text else "note")


def test_another_version_makes_a_new_store(folder: Path, compiled: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What another version of cardcheck compiled is not used."""
    ready_rules([folder])
    monkeypatch.setattr("cardcheck.__version__", "99.0")
    ready_rules([folder])
    assert len(compiled) == 2


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _empty(_: bytes) -> bytes:
    return b""


def _no_keys(_: bytes) -> bytes:
    return b"{}"


def _no_rules(_: bytes) -> bytes:
    return b'{"rules": [], "expressions": []}'


def _a_list(_: bytes) -> bytes:
    return b"[]"


def _missing_key(data: bytes) -> bytes:
    stored = json.loads(data)
    del stored["rules"][0]["severity"]
    return json.dumps(stored).encode()


def _unknown_key(data: bytes) -> bytes:
    stored = json.loads(data)
    stored["rules"][0]["colour"] = "red"
    return json.dumps(stored).encode()


def _no_expressions(data: bytes) -> bytes:
    return json.dumps(json.loads(data) | {"expressions": []}).encode()


def _scalars(_: bytes) -> bytes:
    return b'{"rules": [1, null], "expressions": [1, null]}'


@pytest.mark.parametrize("damage", [_cut, _empty, _missing_key, _unknown_key, _no_expressions, _no_keys, _no_rules, _a_list, _scalars])
def test_a_damaged_store_is_made_again(cache: Path, compiled: list[Any], damage: Callable[[bytes], bytes]) -> None:
    """What cannot be read is passed over without a word, and written anew."""
    first = ready_rules()
    path = next(cache.glob("rules-*"))
    path.write_bytes(sealed(damage(path.read_bytes().partition(b"\n")[2])))
    assert [rule.id for rule in ready_rules()] == [rule.id for rule in first]
    assert [rule.id for rule in ready_rules()] == [rule.id for rule in first]
    assert len(compiled) == 2


@pytest.mark.parametrize("stored", [b64encode(b"no condition").decode(), "", "!"])
def test_a_damaged_condition_is_compiled_from_its_text(cache: Path, folder: Path, make_model: MakeModel, stored: str) -> None:
    """Where the bytes of a condition say nothing its text still does: a rule does not become unknown for a faulty cache."""
    ready_rules([folder])
    path = next(cache.glob("rules-*"))
    content = json.loads(path.read_bytes().partition(b"\n")[2])
    damaged = content | {"expressions": [[text, stored] for text, _ in content["expressions"]]}
    path.write_bytes(sealed(json.dumps(damaged).encode()))
    facts = collect(Subject("m", "folder", make_model({"README.md": "# m\n"})))
    judged = {judged.rule.id: judged for judged in evaluate(facts, ready_rules([folder]))}
    assert judged["ACME001"].findings[0].message == "m has no tags"
    assert not [one for one in judged.values() if "could not be evaluated" in one.reason]


@pytest.mark.parametrize("kind", ["file", "empty"])
def test_without_a_folder_everything_works(tmp_path: Path, compiled: list[Any], monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Where nothing can or may be kept, rules are read each time, and nothing is said or written."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "file") if kind == "file" else "")
    assert len(ready_rules()) == len(ready_rules()) > 40
    assert len(compiled) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_only_the_last_few_are_kept(cache: Path, folder: Path) -> None:
    """Old stores go, the newest stay, and no half-written file is left."""
    for number in range(KEPT + 4):
        os.utime(folder / "ACME001.yaml", (number, number))
        ready_rules([folder])
    assert len(list(cache.glob("rules-*"))) == KEPT
    assert not list(cache.glob(".*"))


def test_names_that_are_no_text(tmp_path: Path, compiled: list[Any]) -> None:
    """A folder whose name is no UTF-8 is one like any other."""
    folder = os.fsencode(tmp_path) + b"/r\xff"
    os.mkdir(folder)  # noqa: PTH102  # bytes: the name is no text
    Path(os.fsdecode(folder), "a.yaml").write_text(RULE)
    assert ready_rules([Path(os.fsdecode(folder))])[0].id == "ACME001"
    assert ready_rules([Path(os.fsdecode(folder))])[0].id == "ACME001"
    assert len(compiled) == 1


def test_two_runs_at_once(cache: Path, make_model: MakeModel) -> None:
    """Runs that start together, as hooks do, write the store without disturbing each other."""
    model = make_model({"README.md": "# m\n"})
    command = [sys.executable, "-c", "from cardcheck.cli import main; main()", "lint", str(model), "--json", "--no-config"]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)]
    printed = [run.communicate(timeout=60) for run in runs]
    assert {err for _, err in printed} == {b""}
    assert len({out for out, _ in printed}) == 1
    assert len(list(cache.glob("rules-*"))) == 1
