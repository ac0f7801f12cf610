"""Queries from a command of the user's."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.command import Answers, Command, from_command
from cardcheck.spotcheck.building.masked import masked
from cardcheck.spotcheck.building.passages import Passage
from cardcheck.spotcheck.building.queries import Dropped

PASSAGES = [Passage(f"passage number {n}", "", "", (0, 0, n), f"a.md#{n}") for n in range(4)]


def script(folder: Path, text: str) -> str:
    """Write a program and return the command line that runs it."""
    path = folder / "ask.py"
    path.write_text(text, encoding="utf-8")
    return f"{sys.executable} {path}"


def test_each_line_is_a_query(tmp_path: Path) -> None:
    """The passage comes on the input; numbers, marks and quotes are taken off the lines; only as many are taken as are wanted."""
    line = script(tmp_path, "import sys\nt = sys.stdin.read()\nprint('1. who?\\n\\n- \"what is  ' + t + '\"\\n• third')")
    queries = from_command(PASSAGES, [2], Command(line, most=2), Answers(tmp_path / "kept"), Dropped())
    assert [(query.text, query.grades) for query in queries] == [("who?", {2: 2}), ("what is passage number 2", {2: 2})]


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    """What a shell would run stays an argument."""
    line = script(tmp_path, "import sys\nprint(sys.argv[1])") + " '$(touch x); y'"
    (query,) = from_command(PASSAGES, [0], Command(line), Answers(tmp_path / "kept"), Dropped())
    assert query.text == "$(touch x); y"
    assert not Path("x").exists()


FAILING = """import sys
from pathlib import Path
count = Path({count!r})
done = int(count.read_text()) if count.exists() else 0
count.write_text(str(done + 1))
if done == 2:
    print("rate limited", file=sys.stderr)
    sys.exit(7)
print("query for " + sys.stdin.read())
"""


def test_a_failure_names_the_passage_and_what_is_done_is_kept(tmp_path: Path) -> None:
    """The build goes on after the last finished passage: each is asked for once, and the failed one again."""
    count = tmp_path / "count"
    command = Command(script(tmp_path, FAILING.format(count=str(count))))
    with pytest.raises(CardcheckError, match=r"a\.md#2: it ended with 7: rate limited") as error:
        from_command(PASSAGES, [0, 1, 2, 3], command, Answers(tmp_path / "kept"), Dropped())
    assert "2 of 4 passages are done" in (error.value.hint or "")
    assert f"kept in {tmp_path}" in (error.value.hint or "")
    queries = from_command(PASSAGES, [0, 1, 2, 3], command, Answers(tmp_path / "kept"), Dropped())
    assert [query.text for query in queries] == [f"query for passage number {n}" for n in range(4)]
    assert count.read_text(encoding="ascii") == "5"


def test_half_a_line_is_asked_for_again(tmp_path: Path) -> None:
    """What was cut off while it was written, or is something else, does not count, and what follows it does."""
    kept = tmp_path / "kept"
    answers = Answers(kept)
    answers.add("one", ["a"])
    kept.write_text(kept.read_text(encoding="utf-8") + '\n{"key": "two", "quer', encoding="utf-8")
    Answers(kept).add("three", ["c"])
    kept.write_text(kept.read_text(encoding="utf-8") + '\n{"key": "four"}\n[]\n', encoding="utf-8")
    assert Answers(kept).had == {"one": ["a"], "three": ["c"]}


def test_another_command_asks_anew(tmp_path: Path) -> None:
    """Answers of one command are not taken for another's."""
    answers = Answers(tmp_path / "kept")
    first = from_command(PASSAGES, [0], Command("echo one"), answers, Dropped())
    second = from_command(PASSAGES, [0], Command("echo two"), answers, Dropped())
    assert [first[0].text, second[0].text] == ["one", "two"]


SLOW = """import subprocess, time
child = subprocess.Popen(["sleep", "60"])
open({pid!r}, "w").write(str(child.pid))
time.sleep(60)
"""


def test_a_slow_command_is_ended_with_what_it_started(tmp_path: Path) -> None:
    """The time limit holds for its children too."""
    pid = tmp_path / "pid"
    line = script(tmp_path, SLOW.format(pid=str(pid)))
    started = time.monotonic()
    with pytest.raises(CardcheckError, match="longer than 1 s"):
        from_command(PASSAGES, [0], Command(line, seconds=1), Answers(tmp_path / "kept"), Dropped())
    assert time.monotonic() - started < 20
    for _ in range(50):
        status = Path("/proc") / pid.read_text(encoding="ascii") / "stat"
        if not status.exists() or status.read_text(encoding="ascii").split()[2] == "Z":
            break
        time.sleep(0.1)
    else:
        os.kill(int(pid.read_text(encoding="ascii")), 9)
        pytest.fail("a child of the command lives on")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("yes", "printed more than"),
        ("/nowhere/llm", "cannot be run"),
        ("false", "ended with 1"),
        ("", "is empty"),
        ("llm 'x", "cannot be read"),
    ],
)
def test_commands_that_cannot_serve(tmp_path: Path, line: str, reason: str) -> None:
    """Each is an error that says what is wrong."""
    with pytest.raises(CardcheckError, match=reason):
        from_command(PASSAGES, [0], Command(line, seconds=20), Answers(tmp_path / "kept"), Dropped())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("llm --key sk-proj-Zq81xkW03vTnB7yRmC5d -s 'Write one question.'", "llm --key … -s 'Write one question.'"),
        ("ask sk-proj-Zq81xkW03vTnB7yRmC5d", "ask sk-p…"),
        ("env OPENAI_API_KEY=abc LLM_MODEL=x ask", "env OPENAI_API_KEY=… LLM_MODEL=x ask"),
        ("curl -H 'Authorization: Bearer abc' -u me:pw https://x.example/", "curl -H 'Authorization: Bearer …' -u … https://x.example/"),
        ("build --query-command 'ask --key '\"'\"'abc'\"'\"", "build --query-command 'ask --key '\"'\"'…'\"'\""),
        ("ask --api-key='abc' --max-tokens 100", "ask --api-key='…' --max-tokens 100"),
        ("arxiv:https://me:token@mirror.example/q?a=1&access_token=abc&b=2", "arxiv:https://…@mirror.example/q?a=1&access_token=…&b=2"),
        ("https://token@host.example/", "https://…@host.example/"),
        ("llm -s 'Write one question on the key idea, a token or so.'", "llm -s 'Write one question on the key idea, a token or so.'"),
        ("./handbook", "./handbook"),
    ],
)
def test_secrets_are_masked(given: str, kept: str) -> None:
    """What looks like one, or what words before it call one; all else is how the set was made, and stays."""
    assert masked(given) == kept


def test_a_command_that_prints_nothing_is_asked_again(tmp_path: Path) -> None:
    """Nothing is counted and not kept, so that a command that was mended is asked; what an earlier version kept does not count either."""
    dropped = Dropped()
    assert from_command(PASSAGES, [0, 1], Command(script(tmp_path, "")), Answers(tmp_path / "kept"), dropped) == []
    assert dropped.counts == {"for which the command printed nothing": 2}
    assert not (tmp_path / "kept").exists()
    line = script(tmp_path, "print('who?')")
    key = hashlib.sha256(f"{line}\0{PASSAGES[0].text}".encode()).hexdigest()
    (tmp_path / "kept").write_text(json.dumps({"key": key, "queries": []}), encoding="utf-8")
    (query,) = from_command(PASSAGES, [0], Command(line), Answers(tmp_path / "kept"), dropped)
    assert query.text == "who?"


LEAVING = """import subprocess, sys
child = subprocess.Popen(["sleep", "30"], start_new_session=True)
open({pid!r}, "w").write(str(child.pid))
print("who?")
"""


def test_what_a_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """A process that left the command's group holds its output open; the answer is there when the command ends."""
    pid = tmp_path / "pid"
    line = script(tmp_path, LEAVING.format(pid=str(pid)))
    started = time.monotonic()
    try:
        (query,) = from_command(PASSAGES, [0], Command(line, seconds=20), Answers(tmp_path / "kept"), Dropped())
    finally:
        os.kill(int(pid.read_text(encoding="ascii")), signal.SIGKILL)
    assert query.text == "who?"
    assert time.monotonic() - started < 20


def test_a_byte_that_is_no_character_may_stand_in_the_command(tmp_path: Path) -> None:
    """The command line of a shell may hold any byte, and a passage half a character."""
    line = script(tmp_path, "print('who?')") + " caf\udce9"
    (query,) = from_command([Passage("half \ud83d", "", "", (0, 0, 0), "a")], [0], Command(line), Answers(tmp_path / "kept"), Dropped())
    assert query.text == "who?"


def test_answers_that_cannot_be_kept_are_an_error_of_ours(tmp_path: Path) -> None:
    """A path below a file, or a folder in the file's place, is told as what it is."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CardcheckError, match="cannot write"):
        Answers(tmp_path / "file" / "kept").add("key", ["who?"])
    with pytest.raises(CardcheckError, match="cannot read"):
        Answers(tmp_path)
