"""What changed between two reports: what is news is told, what is noise is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from board_made import finding, hostile, model, report

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import reported
from cardcheck.leaderboard.audited import AuditedModel, BoardAudit, Place
from cardcheck.leaderboard.credible import Credible
from cardcheck.leaderboard.diff import diff
from cardcheck.leaderboard.shelf import put
from cardcheck.leaderboard.store import Head
from cardcheck.report import board
from cardcheck.report.board.records import Cell, Finding

if TYPE_CHECKING:
    from cardcheck.report.board.records import Changes, Model


def compared(old: list[Model], new: list[Model]) -> Changes:
    """Return what changed from models in May to models in August."""
    return diff(report(*old, date="2026-05-20"), report(*new))


def test_nothing_changed() -> None:
    """A report and itself differ in nothing."""
    assert compared([model("a/b")], [model("a/b")]).changes == ()


def test_new_and_gone_models() -> None:
    """Models that came and went are told with where they stand; findings of a model that went are not called resolved."""
    found = compared([replace(model("a/old"), findings=(finding(),)), model("a/b")], [model("a/new", 3), model("a/b")])
    assert [(change.kind, change.model) for change in found.changes] == [("new model", "a/new"), ("gone model", "a/old")]
    assert "official place 3" in found.changes[0].text
    assert found.notes == ("1 finding went with the model",)


def test_findings_are_known_by_their_key() -> None:
    """The same key is the same finding whatever its words; a new key is new, gravest first, and one that is gone is resolved."""
    old = replace(model("a/b"), findings=(finding("old words"), finding(key="gone")))
    new = replace(model("a/b"), findings=(finding("other words"), finding(key="x"), finding(key="y", severity="error")))
    found = compared([old], [new])
    assert [(change.kind, change.severity) for change in found.changes] == [
        ("new finding", "error"), ("new finding", "warning"), ("resolved finding", "warning"),
    ]  # fmt: skip


def test_what_cannot_be_checked_is_not_resolved() -> None:
    """A finding whose rule is unknown now is not called resolved, and that is said."""
    found = compared([replace(model("a/b"), findings=(finding(),))], [replace(model("a/b"), unknown={"CC701": "no training data"})])
    assert found.changes == ()
    assert found.notes == ("1 finding of the old report cannot be checked now, and so not counted as gone",)


def test_a_newcomer_moves_nobody() -> None:
    """Models that are pushed down by a newcomer, or by one whose scores changed, have not moved themselves."""
    old = [model("a/1", 1, group=1), model("a/2", 2, group=2), model("a/3", 3, group=3)]
    new = [model("a/new", 1, group=1), model("a/1", 2, group=2), model("a/2", 3, group=3), model("a/3", 4, group=4)]
    assert compared(old, new).counts == {"new model": 1}
    rerun = replace(model("a/3", 1, group=1), scores={"SciFact": 0.99, "ArguAna": 0.5})
    moved = compared(old, [rerun, model("a/1", 2, group=2), model("a/2", 3, group=3)]).of("official move")
    assert [(change.model, change.old, change.new) for change in moved] == [("a/3", 3, 1)]


def test_moves_inside_ties_are_noise() -> None:
    """Where a model's groups before and now share a place, it is no move, however many places it went."""
    names = [f"a/{at}" for at in range(6)]
    old = [model(name, at, group=1 if at < 5 else 2) for at, name in enumerate(names, 1)]
    last = replace(model("a/3", 1, group=1), scores={"SciFact": 0.99})
    new = [last, *(model(name, at, group=1 if at < 5 else 2) for at, name in enumerate((n for n in names if n != "a/3"), 2))]
    assert compared(old, new).of("official move") == ()


def test_credible_moves_need_intervals_apart() -> None:
    """A credible score has moved where the intervals have nothing in common; touching ones are noise."""
    assert compared([model("a/b", 1, 0.6)], [model("a/b", 1, 0.69)]).of("credible move") == ()
    (moved,) = compared([model("a/b", 1, 0.6)], [model("a/b", 1, 0.71)]).of("credible move")
    assert moved.text.startswith("60.0 (55.0 to 65.0) before, 71.0 (66.0 to 76.0) now")
    assert compared([model("a/b", 1, None)], [model("a/b", 1, 0.7)]).of("credible move") == ()


def test_ranked_anew() -> None:
    """A model that the benchmark ranks now, or whose score became firm, is told."""
    found = compared([model("a/b", None, 0.7, half=0.3)], [model("a/b", 4, 0.7)])
    assert [change.text for change in found.of("ranked")] == ["ranked by the benchmark now, place 4", "credible place 4 now"]


def test_scores() -> None:
    """A score that another number stands for now is told with both; one that reads the same is not; new ones are counted."""
    old = replace(model("a/b"), scores={"SciFact": 0.5, "ArguAna": 0.5, "FiQA2018": 0.1})
    new = replace(model("a/b"), scores={"SciFact": 0.6, "ArguAna": 0.5001, "NFCorpus": 0.3})
    found = compared([old], [new])
    assert [change.text for change in found.of("changed score")] == ["SciFact: 50.00 before, 60.00 now (+10.00)"]
    assert [change.text for change in found.of("results")] == ["1 new: NFCorpus; 1 gone: FiQA2018"]


def test_what_makes_reports_differ_beside_results_is_said() -> None:
    """Another version of the program and another choice of tasks are told; reports of two boards are not compared."""
    old, new = report(model("a/b")), report(model("a/b"))
    found = diff(old, replace(new, cardcheck_version="9", tasks=("ArguAna", "NFCorpus")))
    assert len(found.notes) == 3
    assert "NFCorpus" in found.notes[1]
    with pytest.raises(CardcheckError, match="of two boards"):
        diff(old, replace(new, board="RTEB"))


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    """JSON gives the same records back, also of hostile texts."""
    for made in (hostile(), report(model("a/b"), model("a/c", None, None))):
        file = tmp_path / "report.json"
        file.write_bytes(board.reporter("json")(made))
        assert reported.read(file) == made


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"models": 5}', "[" * 100_000, "\x00", '{"board": NaN}', '{"board": "b", "models": [{"model": 5}]}']
)
def test_files_that_are_no_report(tmp_path: Path, text: str) -> None:
    """Anything else is an error in a line, however deep or wrong it is."""
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(CardcheckError, match="is no report"):
        reported.read(file)
    with pytest.raises(CardcheckError, match="cannot read"):
        reported.read(tmp_path / "nowhere.json")


def test_a_later_version_is_refused(tmp_path: Path) -> None:
    """A report of a later shape is not read as if it were of this one."""
    file = tmp_path / "report.json"
    file.write_bytes(board.reporter("json")(replace(report(model("a/b")), schema_version=99)))
    with pytest.raises(CardcheckError, match="later version"):
        reported.read(file)


def test_an_audit_becomes_a_report() -> None:
    """Every field of the audit arrives, with what is known of the model beside it, and no path of this machine."""
    credible = Credible("intfloat/multilingual-e5-small", 0.61, 0.55, 0.66, 40, 20, 3, ("SciFact",), ("why",))
    found = Finding("CC701", "cell-high", "warning", "low", "message", ("line",), "SciFact", "key")
    cells = tuple(Cell("SciFact", 0.9, 0.5, 0.4, 0.6, 3.0 - at) for at in range(20))
    audited = AuditedModel(
        "intfloat/multilingual-e5-small", "abc", Place(2, 1, float("nan"), 1), 7, credible, (found,), {"CC702": "x"}, cells
    )
    silent = AuditedModel("acme/unheard-of", "", None, None, Credible("acme/unheard-of", None, None, None, 0, 0, 0, (), ()), (), {}, ())
    audit = BoardAudit(
        Head(source="/home/me/scores-2026-08-20.parquet", synced="2026-11-26T00:00:00", rows=5), "", 1, (audited, silent), ()
    )
    made = reported.of_audit(audit, ("SciFact",), {"intfloat/multilingual-e5-small": {"SciFact": 0.9}}, date=reported.day(audit.head))
    first, second = made.models
    assert (made.board, made.date, made.source) == ("all results", "2026-08-20", "scores-2026-08-20.parquet")
    assert (first.place, first.group, first.mean, first.credible_place, first.score) == (2, 1, None, 7, 0.61)
    assert (first.findings[0].key, first.unknown, len(first.cells), first.scores) == (
        "key",
        {"CC702": "x"},
        reported.CELLS,
        {"SciFact": 0.9},
    )
    assert (first.dimension, first.max_tokens) == (384, "512")
    assert first.memory
    assert (second.place, second.score, second.memory, second.scores) == (None, None, None, {})


def test_the_day_of_results() -> None:
    """A table that is published under a day is of that day, other results of the day of the sync."""
    assert reported.day(Head(source="https://github.com/x/results", synced="2026-11-26T03:00:00")) == "2026-11-26"


def test_a_shelf_of_reports(tmp_path: Path) -> None:
    """Each day has a folder; the newer report says what changed since the older; writing the same again changes no byte."""
    put(report(model("a/b"), date="2026-05-20"), tmp_path)
    put(report(model("x"), date="2026-06-01", board="RTEB"), tmp_path)
    new = put(report(model("a/b"), model("a/new")), tmp_path, ["csv"])
    assert new.report.changes is not None
    assert (new.report.changes.old, new.report.changes.counts) == ("2026-05-20", {"new model": 1})
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {str(path.relative_to(tmp_path)) for path in files} == {
        "index.html", "index.md", "feed.atom", "2026-06-01/rteb.html", "2026-06-01/rteb.md", "2026-06-01/rteb.json",
        *(f"{day}/mteb-eng-v2.{ending}" for day in ("2026-05-20", "2026-08-20") for ending in ("html", "md", "json")),
        "2026-08-20/mteb-eng-v2.csv",
    }  # fmt: skip
    assert files[tmp_path / "index.md"].decode().index("2026-08-20") < files[tmp_path / "index.md"].decode().index("2026-05-20")
    put(report(model("a/b"), model("a/new")), tmp_path, ["csv"])
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


def test_a_broken_report_stops_no_shelf(tmp_path: Path) -> None:
    """A file in an older folder that is no report is named, and the new report is written all the same."""
    (tmp_path / "2026-05-20").mkdir()
    (tmp_path / "2026-05-20/mteb-eng-v2.json").write_text("{")
    done = put(report(model("a/b")), tmp_path)
    assert done.report.changes is None
    assert len(done.unread) == 1
    assert (tmp_path / "2026-08-20/mteb-eng-v2.html").exists()


def test_a_board_whose_name_is_hostile_stays_in_the_folder(tmp_path: Path) -> None:
    """Whatever a board is called, its files lie in the day's folder."""
    made = replace(report(model("a/b")), board="../../etc/passwd\x00")
    put(made, tmp_path / "reports")
    assert made.slug == "etc-passwd"
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    assert replace(made, board="..").slug == "board"


def test_a_severity_that_is_not_known_comes_last() -> None:
    """A stranger's report, or a later version's, may have other severities: they stop nothing, and are no graver than ours."""
    old, new = [model("a/one")], [replace(model("a/one"), findings=(finding(severity="\x1b", key="x"), finding(key="y")))]
    found = compared(old, new)
    assert [change.severity for change in found.changes] == ["warning", "\x1b"]


def test_reports_the_wrong_way_round() -> None:
    """Where the old report is the later one, it is asked whether that is meant."""
    found = diff(report(model("a/one"), date="2026-08-20"), report(model("a/one"), date="2026-05-20"))
    assert "the wrong way round" in found.notes[0]


def test_a_report_from_a_pipe_or_a_device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read is bounded by what comes, not by what the file says that it holds; a byte order mark is passed over."""
    file = tmp_path / "one.json"
    file.write_bytes(b"\xef\xbb\xbf" + board.reporter("json")(report(model("a/one"))))
    assert reported.read(file).models[0].model == "a/one"
    monkeypatch.setattr(reported, "MOST", 1000)
    with pytest.raises(CardcheckError, match="larger than any report"):
        reported.read(Path("/dev/zero"))


def test_a_report_whose_day_is_none_is_refused(tmp_path: Path) -> None:
    """The day becomes a link and the name of a folder, so it has to be one; a store that does not say when has the first of 1970."""
    file = tmp_path / "one.json"
    file.write_bytes(board.reporter("json")(replace(report(model("a/one")), date="](javascript:alert(1))")))
    with pytest.raises(CardcheckError, match="its date is no day"):
        reported.read(file)
    assert reported.day(Head(source="x", synced="<script>")) == "1970-01-01"


def test_a_report_in_the_wrong_place_is_not_linked(tmp_path: Path) -> None:
    """A report that says that it is of another day or board than its file's name has no place in the index: links are made of both."""
    stray = tmp_path / "2026-01-01" / "mteb-eng-v2.json"
    board.write(stray, board.reporter("json")(report(model("a/one"), date="2026-02-02")))
    done = put(report(model("a/one")), tmp_path)
    assert "belongs elsewhere" in done.unread[0]
    assert "2026-02-02" not in (tmp_path / "index.html").read_text(encoding="utf-8")
