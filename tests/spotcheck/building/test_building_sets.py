"""From sources to a set on the disk: the build, the check, writing and verifying."""

from __future__ import annotations

import importlib.util
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bm25s.stopwords
import pytest
import Stemmer

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout
from cardcheck.spotcheck.building.build import Built, Plan, build
from cardcheck.spotcheck.building.command import Command
from cardcheck.spotcheck.building.separation import STEMMERS, STOP_WORDS, Terms, check
from cardcheck.spotcheck.building.verify import verify
from cardcheck.spotcheck.building.written import Draft, partial_folder, write_set

if TYPE_CHECKING:
    from collections.abc import Callable

THINGS = {
    "Keeping a rack railway free of ice": "Salt eats the teeth, so crews on the steep section brush by hand, and a heated plough follows.",
    "When the night ferry may leave early": "The mate asks the office by lamp; where the answer is green and all berths are full she goes.",
    "Why the herons left the upper weir": "Since the second gate was rebuilt the water no longer stands still there, and small fish left.",
    "How a cheese earns the blue stamp": "Two tasters from other valleys must name the meadow untold; wheels that fail are sold unmarked.",
    "What the lamp tax was spent on": "For nine years the crowns went into the school at Lower Vale, whose roof had been open to the rain.",
}


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Return a folder of five documents in two domains, one of them there twice."""
    folder = tmp_path / "documents"
    for number, (title, text) in enumerate(THINGS.items()):
        path = folder / ("travel" if number < 2 else "land") / f"{number}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"---\ndate: 2026-0{number + 1}-01\n---\n# {title}\n\n{text}\n", encoding="utf-8")
    shutil.copy(folder / "land" / "4.md", folder / "land" / "5.md")
    return folder


@pytest.fixture
def plan(documents: Path, tmp_path: Path) -> Plan:
    """Return the plan of a set of these documents."""
    return Plan(tmp_path / "made" / "vale-en-1", (str(documents),), "en", "2026-11-26", license="CC0-1.0", command_line="cardcheck …")


def about(folder: Path) -> dict[str, Any]:
    """Return what set.json says."""
    told: dict[str, Any] = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    return told


def test_a_built_set_is_loaded_as_a_packaged_one(plan: Plan) -> None:
    """Passages, queries, domains, licence and canary are there, nothing is wrong with it, and it says where it came from."""
    built = build(plan)
    held_out = heldout.load(plan.folder)
    assert (held_out.name, held_out.language, held_out.license, held_out.date) == ("vale-en-1", "en", "CC0-1.0", "2026-11-26")
    assert sorted(held_out.queries.values()) == sorted(THINGS)
    assert sorted(held_out.corpus.values()) == sorted(THINGS.values())
    assert sorted(held_out.domains.values()) == ["land"] * 3 + ["travel"] * 2
    assert verify(plan.folder) == []
    assert built.counts["near_duplicates"] == 1
    told = about(plan.folder)["provenance"]
    assert told["counts"] == built.counts
    assert told["sources"][0]["first_date"] == "2026-01-01"
    assert len(told["sources"][0]["sha256"]) == 64
    (gone,) = (json.loads(line) for line in (plan.folder / "removed.jsonl").read_text(encoding="utf-8").splitlines())
    assert (gone["where"], gone["reason"], gone["of"]) == ("land/5.md", "near duplicate", "land/4.md")


def test_each_set_has_a_canary_of_its_own(plan: Plan) -> None:
    """Building again gives the same texts and another canary."""
    build(plan)
    first = heldout.load(plan.folder)
    build(replace(plan, replace=True))
    second = heldout.load(plan.folder)
    assert first.corpus == second.corpus
    assert first.canary != second.canary


def test_only_what_is_younger_is_taken(plan: Plan, documents: Path) -> None:
    """Documents of the day or before are left out, and so are those without a date, each counted."""
    (documents / "undated.md").write_text("# Without a date\n\n" + "word " * 30, encoding="utf-8")
    built = build(replace(plan, after="2026-03-01"))
    assert (built.counts["not_younger"], built.counts["undated"]) == (3, 1)
    assert {row.get("date") for row in _metadata(plan.folder / "corpus.jsonl")} == {"2026-04-01", "2026-05-01"}
    with pytest.raises(CardcheckError, match=r"no passage is left \(7 documents, .*1 undated"):
        build(replace(plan, after="2030-01-01", replace=True))


def _metadata(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line)["metadata"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_known_passages_are_taken_out(plan: Plan, tmp_path: Path) -> None:
    """A passage of a known set goes, with its query, and the list says why."""
    (tmp_path / "public").mkdir()
    title, text = next(iter(THINGS.items()))
    (tmp_path / "public" / "corpus.jsonl").write_text(json.dumps({"_id": "1", "text": text}) + "\n", encoding="utf-8")
    built = build(replace(plan, known=(tmp_path / "public",)))
    assert built.counts["in_known_sets"] == 1
    assert (built.counts["known_texts"], built.counts["known_queries"]) == (1, 0)
    assert title not in heldout.load(plan.folder).queries.values()
    assert "100% of it stands in a known set" in (plan.folder / "removed.jsonl").read_text(encoding="utf-8")


def test_a_heading_is_answered_by_what_its_passage_is_like(plan: Plan, tmp_path: Path) -> None:
    """The text that was removed answered its heading; what is left of its section does not, and what is left of another's does."""
    same, other = list(THINGS.values())[:2]
    for name, text in (("a", f"# The rules of the railway\n\n{same}"), ("b", f"# Who brushes in winter\n\n{same}\n\n{other}")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.md").write_text(text, encoding="utf-8")
    built = build(replace(plan, sources=(str(tmp_path / "a"), str(tmp_path / "b")), words=20))
    assert built.counts["near_duplicates"] == 1
    made = heldout.load(plan.folder)
    (asked,) = (key for key, text in made.queries.items() if text == "Who brushes in winter")
    assert {made.corpus[key]: grade for key, grade in made.qrels[asked].items()} == {same: 2, other: 1}


def test_queries_of_one_source_are_no_other_s(plan: Plan, documents: Path, tmp_path: Path) -> None:
    """A row whose text another source has too keeps its query, and that source's titles are still asked for."""
    (tmp_path / "rows.jsonl").write_text(json.dumps({"text": THINGS["What the lamp tax was spent on"], "query": "where did it go?"}))
    build(replace(plan, sources=(str(documents), str(tmp_path / "rows.jsonl"))))
    assert sorted(heldout.load(plan.folder).queries.values()) == sorted([*THINGS, "where did it go?"])


def test_a_beir_folder_keeps_its_judgements(plan: Plan, tmp_path: Path) -> None:
    """Queries and grades of a set that was built come through a second build unchanged but for their ids."""
    build(plan)
    again = replace(plan, folder=tmp_path / "again", sources=(str(plan.folder),))
    build(again)
    first, second = heldout.load(plan.folder), heldout.load(again.folder)

    def judged(held_out: heldout.HeldOutSet) -> set[tuple[str, str, int]]:
        return {
            (held_out.queries[query], held_out.corpus[document], grade)
            for query, grades in held_out.qrels.items()
            for document, grade in grades.items()
        }

    assert judged(first) == judged(second)


def test_look_alikes_that_are_judged_differently_stay(plan: Plan, tmp_path: Path) -> None:
    """Where a source's judgements tell two near duplicates apart, both stay; where they do not, one goes."""
    folder = tmp_path / "judged"
    folder.mkdir()
    text = next(iter(THINGS.values()))
    rows = [{"_id": key, "text": text.replace("Salt", key)} for key in ("Sand", "Grit", "Lime")]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "what is there against ice?"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\tSand\t2\nq\tGrit\t0\n", encoding="utf-8")
    build(replace(plan, sources=(str(folder),)))
    assert sorted(passage[:4] for passage in heldout.load(plan.folder).corpus.values()) == ["Grit", "Sand"]


def test_what_is_the_same_is_one_passage_whatever_is_judged(plan: Plan, tmp_path: Path) -> None:
    """Judgements that contradict each other tell nothing apart: the better one counts, and verify has nothing to say."""
    folder = tmp_path / "judged"
    folder.mkdir()
    text = next(iter(THINGS.values()))
    rows = [{"_id": f"d{number}", "text": text + "!" * number} for number in range(3)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "what is there against ice?"}\n', encoding="utf-8")
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td0\t1\nq\td1\t0\n", encoding="utf-8")
    build(replace(plan, sources=(str(folder),)))
    assert heldout.load(plan.folder).qrels == {"q00001": {"p00001": 1}}
    assert verify(plan.folder) == []


def test_half_a_character_is_not_written(plan: Plan, tmp_path: Path) -> None:
    """JSON can hold half a surrogate pair, which is no text and which no set may hold."""
    rows = [{"text": f"{text} \ud83d", "query": f"{title} \ude00"} for title, text in THINGS.items()]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    build(replace(plan, sources=(str(tmp_path / "rows.jsonl"),)))
    assert verify(plan.folder) == []
    assert {text[-2:] for text in heldout.load(plan.folder).corpus.values()} == {" ?"}


def test_a_licence_of_a_document_is_written_so_that_the_set_can_be_used(plan: Plan, documents: Path) -> None:
    """A stranger's front matter may state anything, and so much of it that nobody would read it."""
    for number, text in enumerate(("MIT \x1b[31m##[error]", *(f"{name} " * 100 for name in ("one", "two", "three")))):
        (documents / f"{number}.md").write_text(
            f"---\nlicense: {text}\n---\n# Of {number} licences\n\n" + "w " * 30 + str(number), encoding="utf-8"
        )
    build(replace(plan, license=""))
    assert "MIT [31m[error]" in heldout.load(plan.folder).license
    assert verify(plan.folder) == []


@pytest.mark.parametrize("what", ["name", "language", "license"])
def test_a_name_that_no_set_may_have_is_refused_before_any_work(plan: Plan, what: str) -> None:
    """The set could not be used afterwards."""
    odd: dict[str, Any] = {what: "x\x1b[2J", "sources": ("nowhere",)}
    with pytest.raises(CardcheckError, match=f"the set's {what} is too long or holds") as error:
        build(replace(plan, **odd))
    assert f"--{what}" in (error.value.hint or "")


def test_no_key_is_passed_on_with_a_set(plan: Plan, documents: Path, tmp_path: Path) -> None:
    """The command of a build may hold one; the set, which is made to be passed on, has it nowhere."""
    script = tmp_path / "ask.py"
    script.write_text("import sys\nprint('what of', sys.stdin.read()[:9])", encoding="utf-8")
    key = "sk-proj-Zq81xkW03vTnB7yRmC5d"
    command = Command(f"{sys.executable} {script} --key {key}")
    line = shlex.join(["cardcheck", "heldout", "build", "x", str(documents), "--query-command", command.line])
    build(replace(plan, command=command, command_line=line))
    assert "ask.py --key …" in about(plan.folder)["provenance"]["command"]
    assert "ask.py --key …" in (plan.folder / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in plan.folder.iterdir() if key in path.read_text(encoding="utf-8")] == []


def test_documents_that_give_nothing_are_counted(plan: Plan, documents: Path, tmp_path: Path) -> None:
    """Empty files, and rows whose text is their title or has no letters; files of other kinds are told in a line."""
    (documents / "empty.md").write_text("", encoding="utf-8")
    (documents / "title.md").write_text("# Only this\n", encoding="utf-8")
    rows = [{"title": "Same", "text": "same!"}, {"title": "", "text": "?!"}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for name in ("a.docx", "b.adoc", "c"):
        (documents / name).write_text("x", encoding="utf-8")
    built = build(replace(plan, sources=(str(documents), str(tmp_path / "rows.jsonl"))))
    assert (built.counts["empty"], built.counts["documents"]) == (4, 10)
    assert built.skipped == [(str(documents), "3 files of other kinds (.adoc, .docx, no suffix)")]
    assert about(plan.folder)["provenance"]["sources"][0]["skipped"] == 3


def test_a_set_with_files_of_the_user_is_not_replaced(plan: Plan) -> None:
    """They would be lost without a word."""
    build(plan)
    (plan.folder / "scores.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(CardcheckError, match=r"holds scores\.txt, which is no file of a set"):
        build(replace(plan, replace=True))
    assert (plan.folder / "scores.txt").read_text(encoding="utf-8") == "mine"


def test_one_query_is_said_to_tell_little(held_out: heldout.HeldOutSet) -> None:
    """The interval of one value has no width, which does not make the score known."""
    said = check(held_out.sample(1, seed=0)).warnings
    assert "1 query is few: a score is only known within ± 50 points; take at least 100" in said


def test_a_missing_package_is_told_before_any_work(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error says what to install."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "bm25s" else real(name, *rest))
    with pytest.raises(CardcheckError, match="bm25s not installed") as error:
        build(replace(plan, sources=("nowhere",)))
    assert "cardcheck[heldout]" in (error.value.hint or "")


def test_queries_are_drawn(plan: Plan) -> None:
    """--queries keeps so many of them, the corpus stays whole."""
    built = build(replace(plan, queries=2))
    assert (built.counts["queries"], built.counts["passages"], built.dropped) == (2, 5, {"beyond --queries": 3})


def test_a_failed_command_leaves_no_set_and_the_build_goes_on(plan: Plan, tmp_path: Path) -> None:
    """Nothing is written before all is done; finished queries are kept beside, and forgotten when the set is there."""
    script = tmp_path / "ask.py"
    script.write_text(
        "import sys\ntext = sys.stdin.read()\nsys.exit(3 if 'stamp' in text or 'tasters' in text else print('what of', text[:9]))"
    )
    command = Command(f"{sys.executable} {script}")
    with pytest.raises(CardcheckError, match=r"land/3\.md"):
        build(replace(plan, command=command))
    assert not plan.folder.exists()
    assert partial_folder(plan.folder).is_dir()
    script.write_text("import sys\nprint('and', sys.stdin.read()[:9])", encoding="utf-8")
    build(replace(plan, command=command))
    texts = list(heldout.load(plan.folder).queries.values())
    assert sorted(text.split()[0] for text in texts) == ["and"] * 4 + ["what"]
    assert not partial_folder(plan.folder).exists()


def test_a_command_that_says_the_same_of_everything_makes_no_set(plan: Plan) -> None:
    """An apology for every passage is no query with every passage as its answer; the error says where the answers are."""
    with pytest.raises(CardcheckError, match="no query is left: 5 for which the command printed nothing") as error:
        build(replace(plan, command=Command("true")))
    assert error.value.hint == "mend the command and build again"
    with pytest.raises(CardcheckError, match="no query is left: 5 was given for several sections") as error:
        build(replace(plan, command=Command("echo I am sorry, I cannot help with that.")))
    assert str(partial_folder(plan.folder)) in (error.value.hint or "")


def test_a_killed_build_resumes(plan: Plan, documents: Path, tmp_path: Path) -> None:
    """Kill -9 while a command runs: no half set, no broken file, and no passage is asked for twice when it goes on."""
    log = tmp_path / "log"
    script = tmp_path / "ask.py"
    script.write_text(
        f"import sys, time\nopen({str(log)!r}, 'a').write('x')\ntime.sleep(0.3)\nprint('what of', sys.stdin.read()[:9])", encoding="utf-8"
    )
    line = ["heldout", "build", str(plan.folder), str(documents), "--language", "en", "--query-command", f"{sys.executable} {script}"]
    child = subprocess.Popen([sys.executable, "-c", "from cardcheck.cli import main; main()", *line], stdout=subprocess.DEVNULL)
    kept = partial_folder(plan.folder) / "queries.jsonl"
    for _ in range(600):
        if kept.exists() and kept.read_text(encoding="utf-8").count('"key"') >= 2:
            break
        time.sleep(0.05)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    assert not plan.folder.exists()
    done = kept.read_text(encoding="utf-8").count('"key"')
    time.sleep(0.5)  # what the command was asked last ends by itself
    asked = len(log.read_text(encoding="ascii"))
    assert 2 <= done <= asked
    subprocess.run([sys.executable, "-c", "from cardcheck.cli import main; main()", *line], check=True, capture_output=True)
    assert len(log.read_text(encoding="ascii")) == asked + len(THINGS) - done
    assert verify(plan.folder) == []


def test_a_folder_that_is_no_set_is_not_touched(plan: Plan) -> None:
    """A folder with other things stays, with and without --force; a set stays without it."""
    with pytest.raises(CardcheckError, match="is no folder"):
        build(replace(plan, folder=Path(__file__) / "deep" / "set"))
    plan.folder.mkdir(parents=True)
    (plan.folder / "thesis.txt").write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(CardcheckError, match="is no held-out set"):
            build(replace(plan, replace=force))
    assert [path.name for path in plan.folder.iterdir()] == ["thesis.txt"]
    (plan.folder / "thesis.txt").unlink()
    build(plan)
    with pytest.raises(CardcheckError, match="there already") as error:
        build(plan)
    assert "--force" in (error.value.hint or "")


def test_writing_that_fails_leaves_the_old_set(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full in the middle, the set that was there is whole, and nothing half lies about."""
    build(plan)
    before = heldout.load(plan.folder)
    real = Path.write_text

    def full(path: Path, *args: Any, **more: Any) -> int:
        if path.name == "README.md":
            raise OSError(28, "No space left on device")
        return real(path, *args, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CardcheckError, match="No space left"):
        build(replace(plan, replace=True))
    assert heldout.load(plan.folder) == before
    assert [path.name for path in plan.folder.parent.iterdir()] == [plan.folder.name]


def _damaged(folder: Path, name: str, change: Callable[[str], str]) -> None:
    path = folder / name
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        ("corpus.jsonl", lambda text: text + text.splitlines(keepends=True)[0], "id p00001 is there more than once"),
        ("corpus.jsonl", lambda text: text.replace('"p00001"', '"p00099"'), "there is no passage p00001"),
        ("corpus.jsonl", lambda text: text + '{"_id": "p00009", "text": "new", "metadata": {}}\n', "p00009 is without the set's canary"),
        ("corpus.jsonl", lambda text: text + "{\n", "is no row with an _id and a text"),
        ("queries.jsonl", lambda text: text.replace('"q00001"', '"q00002"'), "id q00002 is there more than once"),
        ("queries.jsonl", lambda text: text.replace(text.split('"text": "')[1].split('"')[0], " "), "q00001 has no text"),
        ("qrels.tsv", lambda text: text.replace("\t2", "\t0", 1), "no passage answers the query q00001"),
        ("qrels.tsv", lambda text: text + "q77777\tp00001\t1\n", "there is no query q77777"),
        ("qrels.tsv", lambda text: text + text.splitlines(keepends=True)[1], "is judged more than once"),
        ("qrels.tsv", lambda text: text + "q00001\tp00001\tgood\n", "is no judgement"),
    ],
)  # fmt: skip
def test_verify_names_what_is_wrong(plan: Plan, name: str, change: Callable[[str], str], problem: str) -> None:
    """Each damage is named, and the hash no longer fits."""
    build(plan)
    _damaged(plan.folder, name, change)
    problems = verify(plan.folder)
    assert any(problem in one for one in problems)
    assert any("it was changed after it was written" in one for one in problems)


def test_the_same_text_twice_is_named(tmp_path: Path) -> None:
    """Verify finds duplicates that differ in capitals alone."""
    rows = [{"_id": f"p{n}", "title": "", "text": text, "metadata": {}} for n, text in enumerate(("Herons stand.", "herons STAND"))]
    told = {"name": "x", "date": "2026-01-01", "language": "en", "canary": "c", "license": "CC0-1.0"}
    write_set(Draft(told, rows, [{"_id": "q", "text": "who", "metadata": {}}], {"q": {"p0": 2}}, ""), tmp_path / "x")
    assert verify(tmp_path / "x") == ["corpus.jsonl: the same text: p0, p1"]


def test_every_packaged_set_verifies() -> None:
    """What is shipped is in order."""
    assert {name: verify(name) for name in heldout.names()} == {name: [] for name in heldout.names()}


def test_the_check_places_bm25_above_chance(held_out: heldout.HeldOutSet) -> None:
    """On the packaged set BM25 is told from random order, which is near its expectation, and the paraphrases keep shared words few."""
    found = check(held_out)
    lexical, chance = found.scored
    assert (lexical.name, chance.name) == ("BM25", "random order")
    assert 30 < lexical.score < 60
    assert chance.score < 5
    (pair,) = found.pairs
    assert pair.apart
    assert found.shared < 0.4
    assert found.warnings == []


def test_stop_words_and_stemmers_are_those_of_the_libraries() -> None:
    """Every name in the tables exists, so that no language silently goes without."""
    assert [name for name in STOP_WORDS.values() if not getattr(bm25s.stopwords, name)] == []
    assert set(STEMMERS.values()) <= set(Stemmer.algorithms())
    assert Terms("de").of("Die Häuser und das Haus") == ["haus", "haus"]
    assert Terms("xx").of("Die Häuser") == ["die", "häuser"]


def test_a_set_of_other_judgements_is_warned_of(held_out: heldout.HeldOutSet) -> None:
    """Where judgements were shuffled, nothing is told from chance, and the check says so."""
    keys = list(held_out.qrels)
    shuffled = {key: held_out.qrels[keys[(at + 40) % len(keys)]] for at, key in enumerate(keys)}
    found = check(replace(held_out, qrels=shuffled))
    assert any("nothing gets over" in warning for warning in found.warnings)


def test_small_and_easy_sets_are_warned_of(plan: Plan, documents: Path) -> None:
    """Few queries, few passages, and queries that are their passages' own words."""
    rows = [{"text": text, "query": text[:60]} for text in THINGS.values()]
    (documents / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    built: Built = build(replace(plan, sources=(str(documents / "rows.jsonl"),)))
    said = " ".join(built.check.warnings)
    for part in ("5 queries are few", "5 passages are few", "too easy", "share 100% of their content words"):
        assert part in said


def test_models_are_tried(plan: Plan, saved_model: Path, tmp_path: Path) -> None:
    """A model has a score and an interval; one that cannot be run has the reason, and the set is written all the same."""
    told: list[tuple[int, int]] = []
    built = build(replace(plan, models=(saved_model, tmp_path / "nowhere")), _bar(told))
    by_name = {one.name: one for one in built.check.scored}
    assert by_name["model"].low <= by_name["model"].score <= by_name["model"].high
    assert by_name["nowhere"].problem
    assert any(warning.startswith("nowhere: ") for warning in built.check.warnings)
    assert about(plan.folder)["provenance"]["check"]["scored"]
    assert told[-1][0] <= told[-1][1]


def _bar(told: list[tuple[int, int]]) -> Any:
    from contextlib import nullcontext

    return lambda _what, _unit: nullcontext(lambda done, total: told.append((done, total)))
