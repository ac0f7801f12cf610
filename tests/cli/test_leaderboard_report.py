"""cardcheck leaderboard report and diff, and the example workflow that runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from board_made import finding, model, report
from results_made import put, result

from cardcheck.leaderboard import boards
from cardcheck.report import board

if TYPE_CHECKING:
    from conftest import Run

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "docs/examples/leaderboard.yml"
NAMES = ("intfloat/multilingual-e5-small", "minishlab/potion-base-8M", "sentence-transformers/all-MiniLM-L6-v2")
MTEB_ENG = "MTEB(eng, v2)"


def results(folder: Path, *, more: float = 0.0) -> Path:
    """Write results of a few models on a few tasks, the last one's raised by `more`."""
    for number, name in enumerate(NAMES):
        for task in ("ArguAna", "SCIDOCS", "TRECCOVID", "FiQA2018"):
            score = 0.6 - number / 10 + (more if number == len(NAMES) - 1 else 0)
            put(folder, name, result(task, {"test": [("default", score)]}), revision=boards.main_revision(name) or "")
    return folder


@pytest.fixture(name="stores")
def _stores(run: Run, tmp_path: Path) -> tuple[Path, Path]:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    run("leaderboard", "sync", results(tmp_path / "may"), "--store", old)
    run("leaderboard", "sync", results(tmp_path / "august", more=0.25), "--store", new)
    return old, new


def test_report_in_every_format(run: Run, stores: tuple[Path, Path], tmp_path: Path) -> None:
    """Each format is written where it is asked for, and one line says what was found and written."""
    outputs = [part for name in board.REPORTS for part in ("--output", f"{name}:{tmp_path / 'out' / name}")]
    done = run("leaderboard", "report", MTEB_ENG, "--store", stores[0], "--since", stores[0], *outputs)
    assert (done.status, done.out.count("\n")) == (0, 1)
    assert "MTEB(eng, v2), " in done.out
    assert "3 models" in done.out
    assert "nothing changed" in done.out
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(board.REPORTS)
    found = json.loads((tmp_path / "out/json").read_bytes())
    assert [one["place"] for one in sorted(found["models"], key=lambda one: one["place"])] == [1, 2, 3]
    assert found["models"][0]["scores"]["ArguAna"]


def test_report_is_printed(run: Run, stores: tuple[Path, Path]) -> None:
    """Without a file the summary is printed, or JSON; without a benchmark it is of all results."""
    assert "# `all results`" in run("leaderboard", "report", "--store", stores[0]).out
    assert json.loads(run("leaderboard", "report", "--store", stores[0], "--json").out)["board"] == "all results"


def test_reports_in_a_folder(run: Run, stores: tuple[Path, Path], tmp_path: Path) -> None:
    """Days lie beside each other, and the second report says what changed since the first."""
    into = ("--into", tmp_path / "reports")
    first = run("leaderboard", "report", MTEB_ENG, "--store", stores[0], "--date", "2026-05-20", *into)
    second = run("leaderboard", "report", MTEB_ENG, "--store", stores[1], "--date", "2026-08-20", *into)
    assert "the first report" in first.out
    assert "since 2026-05-20: " in second.out
    assert "changed scores: 4" in second.out
    assert (tmp_path / "reports/2026-08-20/mteb-eng-v2.html").is_file()
    (tmp_path / "reports/2026-05-20/mteb-eng-v2.json").write_text("{")
    again = run("leaderboard", "report", MTEB_ENG, "--store", stores[1], "--date", "2026-08-20", *into)
    assert again.status == 0
    assert "not read" in again.err


def test_diff_of_stores_and_reports(run: Run, stores: tuple[Path, Path], tmp_path: Path) -> None:
    """Stores and reports may be mixed: the store is audited for the report's board."""
    old = tmp_path / "old.json"
    run("leaderboard", "report", MTEB_ENG, "--store", stores[0], "--output", f"json:{old}")
    for first, second, more in ((*stores, ["--benchmark", MTEB_ENG]), (old, stores[1], []), (stores[0], stores[1], [])):
        done = run("leaderboard", "diff", first, second, *more)
        assert done.status == 0
        assert "ArguAna: 40.00 before, 65.00 now (+25.00)" in done.out
    assert "nothing changed" in run("leaderboard", "diff", old, old).out


def test_diff_in_every_format_and_its_status(run: Run, tmp_path: Path) -> None:
    """Each format is written; a new finding that is grave enough makes the status 1, an old one or a lesser one does not."""
    from dataclasses import replace

    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_bytes(board.reporter("json")(report(model("a/b"), date="2026-05-20")))
    new.write_bytes(board.reporter("json")(report(replace(model("a/b"), findings=(finding(),)))))
    outputs = [part for name in board.CHANGES for part in ("--output", f"{name}:{tmp_path / 'out' / name}")]
    done = run("leaderboard", "diff", old, new, "--fail-on", "warning", *outputs)
    assert done.status == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(board.CHANGES)
    assert "\x1b" not in (tmp_path / "out/text").read_text()
    assert run("leaderboard", "diff", old, new, "--fail-on", "error").status == 0
    assert run("leaderboard", "diff", new, new, "--fail-on", "note").status == 0
    assert json.loads(run("leaderboard", "diff", old, new, "--json").out)["counts"] == {"new finding": 1}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "--store", "nowhere"), "no store of the leaderboard yet"),
        (("report", "--output", "html"), "write it as FORMAT:PATH"),
        (("report", "--output", "pdf:x"), "no format 'pdf'"),
        (("report", ""), "no benchmark"),
        (("report", "--date", "yesterday"), "does not match the format"),
        (("diff", "nowhere", "nowhere"), "cannot read nowhere"),
        (("diff", "nowhere", "nowhere", "--output", "csv:x"), "no format 'csv'"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """Wrong arguments give a line and status 2, before any work is done."""
    done = run("leaderboard", *arguments)
    assert done.status == 2
    assert said in done.err


def test_the_example_workflow_runs(tmp_path: Path) -> None:
    """The workflow is valid, asks for no more than it needs, and its steps of results, report and summary work as they stand."""
    given = yaml.safe_load(WORKFLOW.read_text())
    job = given["jobs"]["report"]
    assert given["permissions"] == {"contents": "write"}
    assert given[True]["schedule"][0]["cron"].count(" ") == 4  # YAML 1.1 takes `on` for true
    steps = {step["name"]: step["run"] for step in job["steps"] if "run" in step}
    assert list(steps) == ["Install", "Results", "Report", "Summary", "Keep"]
    environment = os.environ | job["env"] | {
        "SOURCE": str(results(tmp_path / "results")), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "CARDCHECK_CACHE": "",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    for name in ("Results", "Report", "Summary"):
        done = subprocess.run(["bash", "-e", "-c", steps[name]], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    kept = steps["Keep"].replace("git push", "git log --oneline")
    done = subprocess.run(["bash", "-e", "-c", kept], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "Leaderboard report" in done.stdout, done.stderr
    assert "# `MTEB(eng, v2)`" in (tmp_path / "summary.md").read_text()
    assert len(list((tmp_path / "reports").glob("*/mteb-eng-v2.html"))) == 1


def test_a_report_is_of_one_benchmark(run: Run, tmp_path: Path) -> None:
    """A benchmark that neither report is on is an error, not passed over; another spelling of theirs is fine."""
    file = tmp_path / "one.json"
    board.write(file, board.reporter("json")(report(model("a/one"))))
    done = run("leaderboard", "diff", file, file, "--benchmark", "MTEB(eng, v1)")
    assert (done.status, "is a report on MTEB(eng, v2), not on MTEB(eng, v1)" in done.err) == (2, True)
    assert run("leaderboard", "diff", file, file, "--benchmark", "mteb(ENG, v2)").status == 0


def test_an_older_report_is_read_before_the_work(
    run: Run, stores: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What --since names is looked at before anything is audited; without it, the line speaks of no report before."""
    assert "first report" not in run("leaderboard", "report", MTEB_ENG, "--store", stores[0], "--output", f"json:{tmp_path}/x.json").out
    monkeypatch.setattr("cardcheck.leaderboard.reported.report", lambda *_: pytest.fail("it was audited"))
    assert "cannot read nowhere" in run("leaderboard", "report", MTEB_ENG, "--store", stores[0], "--since", "nowhere").err


def test_the_audit_and_its_status(run: Run, tmp_path: Path) -> None:
    """An audit ends with 0 however grave its findings, unless asked otherwise; rules that are not about a board are refused."""
    tree = results(tmp_path / "tree")
    put(tree, NAMES[0], result("SciFact", {"test": [("default", 70.0)]}), revision=boards.main_revision(NAMES[0]) or "")
    run("leaderboard", "sync", tree, "--store", tmp_path / "store.parquet")
    asked = ("leaderboard", "audit", MTEB_ENG, "--store", tmp_path / "store.parquet")
    whole = ("leaderboard", "audit", "--store", tmp_path / "store.parquet", "--select", "CC723")
    assert "CC723" in run(*whole).out
    assert [run(*whole, "--fail-on", severity).status for severity in ("never", "error", "note")] == [0, 1, 1]
    assert [run(*whole, "--fail-on", "note", "--model", name).status for name in NAMES[:2]] == [1, 0]
    assert "nothing found" in run(*asked, "--select", "CC723").out
    assert "no rule about a leaderboard" in run(*asked, "--select", "CC201").err
    assert "no benchmark" in run("leaderboard", "audit", "", "--store", tmp_path / "store.parquet").err
    assert "is called ''" in run(*asked, "--model", "").err
