"""Child processes: forked from a process that has the libraries, apart from us and from each other, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cardcheck.spotcheck import children
from cardcheck.spotcheck.children import EncodingError, run_child

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere children are started one by one")
SECRET = "a-secret-of-ours"  # noqa: S105  # it opens nothing
CHILD = """
import json, os, signal, sys, time

def main():
    for line in sys.stdin:
        asked = json.loads(line)
        if asked == "files":
            print(json.dumps(sorted(os.listdir("/proc/self/fd"))))
        elif asked == "who":
            print(json.dumps([os.getpid(), os.getsid(0), dict(os.environ), sys.modules.get("torch") is not None]))
        elif asked == "seen":
            print(json.dumps(getattr(sys, "seen", None)))
        elif asked == "folder":
            print(json.dumps(os.getcwd()))
        elif asked == "answer":
            print(json.dumps("an answer"))
            return 0
        elif asked == "leave":
            raise SystemExit(0)
        elif asked == "close":
            os.close(1)
            time.sleep(60)
        elif asked == "stop":
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(60)
        elif asked == "end":
            os.kill(os.getpid(), signal.SIGKILL)
        elif asked == "raise":
            raise ValueError("of its own")
        sys.seen = asked
        sys.stdout.flush()
    return 0

if __name__ == "__main__":
    raise SystemExit(main())
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the module that these children are, and with libraries that take no time to import."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "a_child_of_ours.py").write_text(CHILD, encoding="utf-8")
    (folder / "torch.py").write_text("", encoding="utf-8")
    (folder / "sentence_transformers.py").write_text("SentenceTransformer = None", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _its_module(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(place))


JOB = {"memory_mb": 9999}


def _run(tmp_path: Path, *lines: Any, seconds: float = 60.0) -> list[Any]:
    return list(run_child("a_child_of_ours", list(lines), str(tmp_path), seconds))


def _nursery() -> int:
    assert children._nursery
    return children._nursery.process.pid


def _ends(pid: int) -> bool:
    """Tell whether a process ends within some seconds."""
    for _ in range(100):
        try:
            if "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8"):
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def test_libraries_are_imported_once(tmp_path: Path) -> None:
    """Children are processes and sessions of their own that find the libraries there, and nothing of each other."""
    first, second = (_run(tmp_path, "who", "seen") for _ in range(2))
    assert first[0][0] != second[0][0]
    for (number, session, _, imported), seen in (first, second):
        assert number == session
        assert imported
        assert seen == "who"
    assert not _run(tmp_path, "seen")[0]


def test_a_child_has_its_three_files_alone(tmp_path: Path) -> None:
    """Neither the socket by which children are asked for nor another's pipes are open in it."""
    (files,) = _run(tmp_path, "files")
    assert files == ["0", "1", "2", "3"]  # the last one is the listing's own


def test_the_environment_is_what_it_may_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials reach neither a child nor what it is forked from; another environment is had from another process."""
    monkeypatch.setenv("HF_TOKEN", SECRET)
    children.close_nursery()
    (who,) = _run(tmp_path, "who")
    first = _nursery()
    assert SECRET not in str(who)
    assert SECRET.encode() not in Path(f"/proc/{first}/environ").read_bytes()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (who,) = _run(tmp_path, "who")
    assert who[2]["TMPDIR"] == str(tmp_path)
    assert _nursery() != first
    assert _ends(first)


def test_ends_are_told(tmp_path: Path) -> None:
    """How a child ended is told in one line with what it said last, and the next one does not care."""
    with pytest.raises(EncodingError, match="it was killed, most likely for memory"):
        _run(tmp_path, {"path": str(tmp_path), "memory_mb": 9999}, "end")
    with pytest.raises(EncodingError, match="ended with 1: ValueError: of its own"):
        _run(tmp_path, {"path": str(tmp_path), "memory_mb": 9999}, "raise")
    with pytest.raises(EncodingError, match="ended with 1: ModuleNotFoundError"):
        list(run_child("no_module_of_ours", [{"path": str(tmp_path), "memory_mb": 9999}], str(tmp_path), 60.0))
    assert _run(tmp_path, "who")


def test_a_nursery_that_was_killed(tmp_path: Path) -> None:
    """Where the process that children come from is gone, there is another."""
    _run(tmp_path, "who")
    gone = _nursery()
    os.kill(gone, signal.SIGKILL)
    assert _ends(gone)
    assert _run(tmp_path, "who")
    assert _nursery() != gone


def test_time_ends_while_libraries_are_imported(tmp_path: Path) -> None:
    """The limit holds from the start, also where no child was forked yet."""
    children.close_nursery()
    with pytest.raises(EncodingError, match=r"stopped after 0.01 s"):
        _run(tmp_path, {"path": str(tmp_path), "memory_mb": 9999}, seconds=0.01)
    assert _run(tmp_path, "who")


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 9)", "pass"])
def test_nothing_is_left_behind(how: str, place: Path) -> None:
    """Whether we end by ourselves or are killed, so does the process that children are forked from."""
    code = (
        "import os, tempfile; from cardcheck.spotcheck import children\n"
        "with tempfile.TemporaryDirectory() as folder: list(children.run_child('a_child_of_ours', ['who'], folder, 60))\n"
        f"print(children._nursery.process.pid, flush=True); {how}"
    )
    environment = os.environ | {"PYTHONPATH": f"{place}:{Path(children.__file__).parents[2]}"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert _ends(int(run.stdout))


def test_what_was_prepared_is_taken(tmp_path: Path) -> None:
    """A process that was started ahead serves the first child, and ends at once where none comes."""
    children.close_nursery()
    children.prepare()
    ahead = _nursery()
    children.prepare()
    _run(tmp_path, "who")
    assert _nursery() == ahead
    children.close_nursery()
    children.prepare()
    unused = _nursery()
    before = time.monotonic()
    children.close_nursery()
    assert time.monotonic() - before < children.PATIENCE
    assert _ends(unused)


def test_its_session_is_there_when_its_number_is_known(tmp_path: Path) -> None:
    """It is by its session that a child is ended at its limit: one that it has not yet made would be missed."""
    for _ in range(20):
        with (tmp_path / "log").open("wb") as errors:
            child = children._start("a_child_of_ours", errors, time.monotonic() + 60, forked=True)
        assert os.getsid(child.pid) == child.pid
        assert child.stdin
        child.stdin.close()
        assert child.wait() == 0


def test_an_answer_before_all_texts_are_read_counts(tmp_path: Path) -> None:
    """A child that answers and ends while it is still being told has its answer heard, however it was started."""
    lines = ["answer", *("x" * 1000 for _ in range(3000))]
    for forked in (True, False):
        assert list(run_child("a_child_of_ours", lines, str(tmp_path), 60.0, forked=forked)) == ["an answer"]


def test_a_child_that_closes_its_output_is_held_to_its_limit(tmp_path: Path) -> None:
    """Silence is no end."""
    before = time.monotonic()
    with pytest.raises(EncodingError, match="stopped after 1 s"):
        _run(tmp_path, JOB | {"path": str(tmp_path)}, "close", seconds=1)
    assert time.monotonic() - before < 5


def test_who_tells_ends_is_stopped_by_a_child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither this model's limit nor the next model depends on processes that a child can stop."""
    monkeypatch.setattr(children, "ANSWERED", 0.5)
    with pytest.raises(EncodingError, match="stopped after 1 s"):
        _run(tmp_path, JOB | {"path": str(tmp_path)}, "stop", seconds=1)
    stopped = _nursery()
    with (tmp_path / "log").open("wb") as errors:
        child: Any = children._start("a_child_of_ours", errors, time.monotonic() + 60, forked=True)
    child.kill()
    assert _ends(child.keeper)
    os.kill(stopped, signal.SIGSTOP)
    assert _run(tmp_path, "answer") == ["an answer"]
    assert _ends(stopped)


def test_a_long_limit_and_an_end_in_good_order(tmp_path: Path) -> None:
    """A limit of a month is one, and a child may leave as a program does."""
    assert _run(tmp_path, "leave", seconds=3e6) == []


def test_a_child_is_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its working folder is ours as it is now; where that is gone, there is another."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert _run(tmp_path, "folder") == [str(tmp_path / "here")]
    (tmp_path / "here").rmdir()
    assert _run(tmp_path, "folder") == ["/"]


@pytest.mark.parametrize("before", ["import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "import os; os.close(0); os.close(1)"])
def test_callers_in_an_odd_state(place: Path, tmp_path: Path, before: str) -> None:
    """A caller that ignores its children's ends, or has no standard files, gets its answers."""
    code = (
        f"{before}\nfrom cardcheck.spotcheck import children; from pathlib import Path\n"
        f"found = list(children.run_child('a_child_of_ours', ['answer'], {str(tmp_path)!r}, 60))\n"
        f"Path({str(tmp_path / 'found')!r}).write_text(str(found))"
    )
    environment = os.environ | {"PYTHONPATH": f"{place}:{Path(children.__file__).parents[2]}"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert (tmp_path / "found").read_text() == "['an answer']"
