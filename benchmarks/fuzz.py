"""Lint a hundred thousand spoilt cards, configurations and applications: nothing may raise, break a rule or take long. Run as `make fuzz`.

The seeds are the examples of all rules and, where ../shared has them, real cards. Each try has a number; `--only N` repeats one. What
fails is kept in build/fuzz with the reason; the subjects of tests/hostile.py are judged first.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NoReturn

from mutate import spoil

from cardcheck.batch import fixes
from cardcheck.engine.library import load_rules
from cardcheck.pipeline import Run, judge, rules_of
from cardcheck.report import FORMATS, reporter
from cardcheck.settings import Settings
from cardcheck.subject import Subject

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from hostile import APPLICATIONS, CASES  # noqa: E402

if TYPE_CHECKING:
    from cardcheck.pipeline import Audit

REAL = ROOT.parent / "shared/data/cards/cards.tar.zst"
KEPT = ROOT / "build" / "fuzz"
CHUNK = 100
BUDGET = 2.0  # seconds of CPU for one subject
STOP = 20.0
MEMORY = 2 << 30  # of address space for each process
OUTCOMES = {"pass", "fail", "not_applicable", "unknown"}
STRICT = Settings(profile="strict")


class TooSlow(BaseException):
    """A try took longer than anyone would wait; no handler of the program may swallow it."""


@dataclass
class Told:
    """What a chunk of tries gave: (seconds, number) of each, what failed, and the memory of the process."""

    times: list[tuple[float, str]] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    memory: int = 0


Seed = tuple[bool, dict[str, bytes]]


def seeds(real: int) -> list[Seed]:
    """Return what to spoil: whether it is an application, and its files."""
    found: list[Seed] = []
    for rule in load_rules():
        for example in (*rule.fails_on, *rule.passes_on):
            files = {name: text.encode("utf-8", "surrogatepass") for name, text in example.files.items()}
            if example.card is not None:
                files["README.md"] = example.card[:20_000].encode("utf-8", "surrogatepass")
            if files:
                found.append((example.application, files))
    if REAL.is_file():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(f"zstd -dc {REAL} | tar x -C {folder}", shell=True, check=True)  # noqa: S602  # our own path
            folders = sorted({path.parent for path in Path(folder).rglob("README.md")})
            for place in Random(1).sample(folders, min(real, len(folders))):  # noqa: S311  # no secret
                files = {path.relative_to(place).as_posix(): path.read_bytes()[:60_000] for path in place.rglob("*") if path.is_file()}
                found.append((False, files))
    return found


_SEEDS: list[Seed]
_FOLDER: Path


def _start(found: list[Seed], folder: str) -> None:
    """Set a process up: what it spoils, where it writes, and what it may take."""
    global _SEEDS, _FOLDER  # a process of the pool is given these once
    _SEEDS, _FOLDER = found, Path(folder) / str(os.getpid())
    _FOLDER.mkdir()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGVTALRM, _stop)


def _stop(*_: Any) -> NoReturn:
    raise TooSlow


def make(number: int) -> Seed:
    """Return the files of a try; the same number gives the same files."""
    random = Random(number)  # noqa: S311  # no secret
    application, files = random.choice(_SEEDS)
    others = [data for _, seed in random.choices(_SEEDS, k=3) for data in seed.values()]
    made = {name: spoil(random, name, data, others) if random.random() < 0.8 else data for name, data in files.items()}
    if random.random() < 0.1 and not application:
        made |= random.choice(_SEEDS)[1]
    return application, made


def chunk(numbers: range) -> Told:
    """Judge the subjects of these numbers."""
    told = Told()
    rules = rules_of(STRICT)
    (_FOLDER / "running").write_text(f"{numbers}")
    for number in numbers:
        application, files = make(number)
        _try(told, str(number), files, rules, application=application, thoroughly=number % 5 == 0)
    told.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return told


def hostile(name: str) -> Told:
    """Judge one of the subjects that are made to hurt."""
    told = Told()
    made, _ = (CASES | APPLICATIONS)[name]  # type: ignore[operator]  # both are dictionaries
    _try(told, name, made(), rules_of(STRICT), application=name in APPLICATIONS, thoroughly=True)
    told.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return told


def _try(told: Told, name: str, files: dict[str, bytes], rules: Any, *, application: bool, thoroughly: bool) -> None:
    with tempfile.TemporaryDirectory(dir=_FOLDER) as place:
        folder = Path(place)
        for path, data in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        start = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, STOP)
        problem = ""
        try:
            subject = Subject(place, "application", folder, only=tuple(files)) if application else Subject(place, "folder", folder)
            audit = judge(subject, rules, STRICT)
            spent = time.process_time() - start
            problem = _wrong(audit, thoroughly=thoroughly)
        except (Exception, TooSlow, RecursionError):  # noqa: BLE001  # that is what is looked for
            spent = time.process_time() - start
            problem = traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    told.times.append((spent, name))
    if not problem and spent > BUDGET:
        problem = f"it took {spent:.1f} s"
    if problem:
        told.failures.append((name, problem))
        _keep(name, files, problem)


def _wrong(audit: Audit, *, thoroughly: bool) -> str:
    """Say what is wrong with an audit; where `thoroughly`, write all reports and mend what can be mended as well."""
    if not {one.outcome for one in audit.judgements} <= OUTCOMES:
        return "there is a fifth outcome"
    if broken := [f"{one.rule.id}: {one.reason}" for one in audit.judgements if "could not be evaluated" in one.reason]:
        return "; ".join(broken)
    if thoroughly:
        for form in FORMATS:
            reporter(form)(Run("lint", [audit]))
        if changed := [fix for fix in fixes([audit]) if fix.after != fix.before]:
            for fix in changed:
                Path(fix.path).write_bytes(fix.after.encode())
            again = judge(audit.subject, {finding.rule for finding in audit.findings if finding.edit}, STRICT)
            if again.outcomes("unknown"):
                return f"after fixing, {again.outcomes('unknown')[0].rule.id} is unknown: {again.outcomes('unknown')[0].reason}"
    return ""


def _keep(name: str, files: dict[str, bytes], problem: str) -> None:
    folder = KEPT / "".join(letter if letter.isalnum() else "-" for letter in name)
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "PROBLEM.txt").write_text(problem, encoding="utf-8", errors="replace")


def main() -> None:
    """Judge hostile and spoilt subjects on all cores; end with 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first try")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after this long")
    parser.add_argument("--real", type=int, default=300, help="real cards among the seeds")
    parser.add_argument("--only", type=int, help="judge this try alone")
    given = parser.parse_args()
    found = seeds(given.real)
    cores = len(os.sched_getaffinity(0))
    print(f"{platform.platform()}, Python {platform.python_version()}, {cores} cores; {len(found)} seeds, {len(rules_of(STRICT))} rules")
    numbers = range(given.only, given.only + 1) if given.only is not None else range(given.first, given.first + given.tries)
    told, start = Told(), time.monotonic()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:  # noqa: S108  # it is made unique
        pool = ProcessPoolExecutor(cores, initializer=_start, initargs=(found, folder))
        waiting = {pool.submit(hostile, name) for name in (*CASES, *APPLICATIONS) if given.only is None}
        waiting |= {pool.submit(chunk, numbers[at : at + CHUNK]) for at in range(0, len(numbers), CHUNK)}
        try:
            for done in as_completed(waiting, timeout=None if given.seconds == float("inf") else given.seconds):
                _add(told, done.result())
                _progress(told, start)
        except BrokenProcessPool:
            running = [path.read_text() for path in Path(folder).glob("*/running")]
            told.failures.append(("a process", f"ended; the tries that were running are among {', '.join(running)}"))
        except TimeoutError:
            pass
        finally:
            pool.shutdown(cancel_futures=True)
    _report(told, time.monotonic() - start)


def _add(told: Told, more: Told) -> None:
    told.times = sorted(told.times + more.times, reverse=True)[:9]
    told.failures += more.failures
    told.memory = max(told.memory, more.memory)
    _COUNT[0] += len(more.times)
    _COUNT[1] += sum(spent for spent, _ in more.times)


_COUNT = [0, 0.0]


def _progress(told: Told, start: float) -> None:
    spent = time.monotonic() - start
    print(
        f"\r{_COUNT[0]:,} tries, {_COUNT[0] / spent:.0f} a second, {len(told.failures)} failed, slowest {told.times[0][0]:.2f} s ",
        end="",
        file=sys.stderr,
    )


def _report(told: Told, seconds: float) -> None:
    count = int(_COUNT[0])
    print(f"\n{count:,} tries in {seconds:.0f} s: {count / seconds:.0f} a second, {_COUNT[1] / max(count, 1) * 1000:.1f} ms of CPU each; "
          f"{told.memory / 1e6:.0f} MB at the most in one process")  # fmt: skip
    print("the slowest: " + ", ".join(f"{spent:.2f} s ({name})" for spent, name in told.times))
    for name, problem in told.failures[:20]:
        print(f"FAILED {name}: {problem.strip().splitlines()[-1][:300]}  (build/fuzz)")
    print(f"{len(told.failures)} failed")
    sys.exit(int(bool(told.failures)))


if __name__ == "__main__":
    main()
