"""Linting many subjects at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck import batch
from cardcheck.batch import CHUNK, WORTH_PROCESSES, lint_all
from cardcheck.errors import CardcheckError
from cardcheck.inputs import gather
from cardcheck.pipeline import rules_of
from cardcheck.report.json import document
from cardcheck.settings import Settings
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

MANY = 200
CARDS = (
    "---\nlicense: mit\n---\n# {n}\n",
    "---\nlicense: MIT\nlanguage: [no, english]\n---\n# {n}\n",
    "# no front matter {n}\n\nThis model maps text to vectors.\n",
    "---\nlicense: [\n---\n# {n}\n",
    "---\nlicense: mit\nlanguage: no  # cardcheck: ignore[CC109] it is so\n---\n# {n}\n",
)


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of 200 cards in the working directory, in an order that is not the alphabet's."""
    monkeypatch.chdir(tmp_path)
    names = [f"{number * 7 % MANY:03}/README.md" for number in range(MANY)]
    for number, name in enumerate(names):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(CARDS[number % len(CARDS)].format(n=number))
    return names


def documents(names: list[str], jobs: int | None) -> list[Any]:
    """Return the JSON reports on these cards."""
    settings = Settings()
    return [document(audit) for audit in lint_all(gather(names), rules_of(settings), settings, jobs=jobs)]


def test_processes_find_the_same(cards: list[str]) -> None:
    """One process and two find the same in the same order: that in which the subjects were given."""
    one, two = documents(cards, 1), documents(cards, 2)
    assert one == two
    assert [found["subject"]["given"] for found in one] == cards
    assert sum(bool(found["findings"]) for found in one) > MANY // 2
    assert sum(bool(found["silenced"]) for found in one) == MANY // len(CARDS)


def test_processes_are_used_for_many(cards: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A few subjects are judged in this process, many in others, unless one process is asked for."""
    used: list[int] = []

    def count(chunks: Any, rules: Any, settings: Any, jobs: int, outside: Any) -> Any:
        assert outside is None
        used.append(jobs)
        return iter([batch.judge_chunk(chunk, rules, settings) for chunk in chunks])

    monkeypatch.setattr(batch, "_map", count)
    settings = Settings(select=("CC102",))
    subjects = gather(cards)
    for number, jobs in ((WORTH_PROCESSES - 1, 2), (WORTH_PROCESSES, 2), (MANY, 1), (MANY, 3)):
        assert len(lint_all(subjects[:number], rules_of(settings), settings, jobs=jobs)) == number
    assert used == [1, 2, 1, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_is_told(cards: list[str], jobs: int) -> None:
    """The number of subjects that are done grows to that of all."""
    settings = Settings(select=("CC102",))
    seen: list[int] = []
    lint_all(gather(cards), rules_of(settings), settings, jobs=jobs, progress=seen.append)
    assert seen == list(range(CHUNK, MANY + 1, CHUNK))


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_cannot_be_read_ends_the_run(cards: list[str], tmp_path: Path, jobs: int) -> None:
    """A subject that vanishes meanwhile is an error with its hint, from another process too."""
    settings = Settings(select=("CC102",))
    subjects = [*gather(cards), Subject("gone", "folder", tmp_path / "gone")]
    with pytest.raises(CardcheckError, match="cannot read the folder") as caught:
        lint_all(subjects, rules_of(settings), settings, jobs=jobs)
    assert caught.value.hint


def test_nothing_to_judge() -> None:
    """No subjects make no audits."""
    assert lint_all([], rules_of(None), Settings()) == []


def test_audits_are_small(cards: list[str]) -> None:
    """Audits of a batch hold no texts, so that thousands of them fit into memory."""
    settings = Settings()
    audits = lint_all(gather(cards[:5]), rules_of(settings), settings)
    assert all(audit.facts.texts == {} and audit.facts["card.text"] == "" for audit in audits)


def test_two_hundred_files_in_one_call(cards: list[str], run: Run) -> None:
    """`cardcheck lint` takes two hundred names, as hooks hand them over, and judges each."""
    result = run("lint", *cards, "--json", "--jobs", "2")
    assert (result.status, result.err) == (1, "")
    audits = json.loads(result.out)["audits"]
    assert [audit["subject"]["path"] for audit in audits] == cards
    assert run("lint", *cards, "--json", "--jobs", "1").out == result.out
    assert f" of {MANY} subjects: " in run("lint", *cards).out.splitlines()[-1]


def test_two_hundred_fixes_in_one_call(cards: list[str], run: Run, tmp_path: Path) -> None:
    """Fixes reach every file, and a second run has nothing to mend."""
    run("lint", *cards, "--fix")
    assert run("lint", *cards, "--diff").status == 0
    changed = [name for number, name in enumerate(cards) if number % len(CARDS) == 1]
    assert {(tmp_path / name).read_text().split("# ")[0] for name in changed} == {'---\nlicense: mit\nlanguage: ["no", en]\n---\n'}
