"""The audits that an application keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cardcheck.facts.application.audits import age_in_days, latest, read_audits
from cardcheck.facts.files import Listing

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86_400


def report(name: str, *, verdict: str | None = "consistent", created: object = "2026-01-01T00:00:00+00:00", revision: object = None) -> str:
    """Return a report of an audit."""
    check = None if verdict is None else {"verdict": verdict}
    return json.dumps({"cardcheck_version": "0", "created": created, "subject": {"id": name, "revision": revision}, "spotcheck": check})


def keep(root: Path, files: dict[str, str]) -> Listing:
    """Write files below a folder."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Listing(root)


def test_the_usual_places(tmp_path: Path) -> None:
    """Audits lie in audits/ and .cardcheck/audits/, at any depth; other files are not looked at."""
    listing = keep(tmp_path, {"audits/a.json": report("a/1"), ".cardcheck/audits/x/b.json": report("a/2"), "other/c.json": report("a/3")})
    assert sorted(audit.id for audit in read_audits(listing, ())) == ["a/1", "a/2"]
    assert [audit.id for audit in read_audits(listing, ["other/*.json"])] == ["a/3"]


def test_a_report_of_many(tmp_path: Path) -> None:
    """One report may hold the audits of several models."""
    listing = keep(tmp_path, {"audits/all.json": f'{{"audits": [{report("a/1")}, {report("a/2")}, 5]}}'})
    assert [audit.id for audit in read_audits(listing, ())] == ["a/1", "a/2"]


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "null", '{"audits": 1}', '{"cardcheck_version": 1, "subject": 1}', "[" * 100_000, '{"subject": {"id": "a/b"}}']
)
def test_what_is_no_audit(tmp_path: Path, text: str) -> None:
    """A file that is no audit, or cannot be read, is passed over."""
    assert read_audits(keep(tmp_path, {"audits/a.json": text, "audits/b.json": report("a/b")}), ()) == read_audits(
        keep(tmp_path, {"audits/b.json": report("a/b")}), ()
    )


@pytest.mark.parametrize("pattern", ["../*.json", "/etc/*.json", "", "audits/../../x.json"])
def test_patterns_stay_below_the_root(tmp_path: Path, pattern: str) -> None:
    """A pattern cannot lead out of the application's folder."""
    root = tmp_path / "app"
    keep(tmp_path, {"x.json": report("a/b"), "app/y.txt": ""})
    assert not read_audits(Listing(root), [pattern])


def test_links_are_not_followed(tmp_path: Path) -> None:
    """A link to a file or a folder elsewhere is no audit that is kept here."""
    keep(tmp_path, {"out/x.json": report("a/b"), "app/audits/y.txt": ""})
    (tmp_path / "app/audits/link.json").symlink_to(tmp_path / "out/x.json")
    (tmp_path / "app/audits/folder").symlink_to(tmp_path / "out")
    assert not read_audits(Listing(tmp_path / "app"), ())


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("2026-01-01T00:00:00+00:00", 10),
        ("2026-01-01T00:00:00Z", 10),
        ("2026-01-01", 10),
        ("2999-01-01", 0),
        ("long ago", None),
        (5, None),
        (None, None),
        ("0" * 1000, None),
    ],
)
def test_age(tmp_path: Path, written: object, days: int | None) -> None:
    """An audit's age is counted in days; one that says no date has none, and one of tomorrow is new."""
    [audit] = read_audits(keep(tmp_path, {"audits/a.json": report("a/b", created=written)}), ())
    assert age_in_days(audit, now=1_767_225_600 + 10 * DAY) == days


@pytest.mark.parametrize(
    ("verdict", "read"),
    [("unexplained", "unexplained"), ("inconclusive", "inconclusive"), (None, "not measured"), ("great", "not measured")],
)
def test_verdicts(tmp_path: Path, verdict: str | None, read: str) -> None:
    """A verdict that is none of the known ones says that nothing was measured."""
    [audit] = read_audits(keep(tmp_path, {"audits/a.json": report("a/b", verdict=verdict)}), ())
    assert audit.verdict == read


def test_the_audit_that_counts(tmp_path: Path) -> None:
    """An audit of the revision that is used comes before a later one of another; capitals do not matter."""
    files = {
        "audits/1.json": report("A/b", revision="old", created="2026-01-01"),
        "audits/2.json": report("a/b", revision="new", created="2026-02-01"),
        "audits/3.json": report("c/d", created="2026-03-01"),
    }
    audits = read_audits(keep(tmp_path, files), ())
    found = [latest(audits, "a/B", "old"), latest(audits, "a/b", None), latest(audits, "a/b", "other"), latest(audits, "x/y", None)]
    assert [audit.revision if audit else None for audit in found] == ["old", "new", "new", None]
