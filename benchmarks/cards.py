"""Lint all real cards of ../shared in one run: time, memory, the slowest cards, and what was found. Run as `make cards`."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from cardcheck.inputs import gather
from cardcheck.pipeline import judge, rules_of
from cardcheck.settings import Settings

ARCHIVE = Path(__file__).parent.parent.parent / "shared/data/cards/cards.tar.zst"
SLOWEST = 5


def unpack(folder: Path) -> None:
    """Unpack the cards; ends the benchmark with a clear message where they are absent."""
    if not ARCHIVE.is_file():
        sys.exit(f"skipped: {ARCHIVE} is not there; the real cards do not come with the project")
    subprocess.run(f"zstd -dc {ARCHIVE} | tar x -C {folder}", shell=True, check=True)  # noqa: S602  # our own path


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process; return the most bytes that it and its children held at once (proportional set size, sampled)."""
    most = 0
    while process.poll() is None:
        held = 0
        for pid in (process.pid, *_children(process.pid)):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
                held += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
            except (OSError, StopIteration):
                continue
        most = max(most, held)
        time.sleep(0.1)
    return most


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def main() -> None:
    """Print the figures of one run over all cards, and of each card by itself."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        unpack(folder)
        report = folder / "report.json"
        command = [sys.executable, "-c", "from cardcheck.cli import main; main()", "lint", "**/README.md", "--no-config"]
        start = time.perf_counter()
        with report.open("wb") as out:
            process = subprocess.Popen([*command, "--format", "json"], cwd=folder, stdout=out, stderr=subprocess.PIPE)
            errors = process.communicate()[1].decode()
        seconds = time.perf_counter() - start
        # once more for the memory: looking at it all the time slows the run down
        again = subprocess.Popen([*command, "--format", "json"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        memory = peak_memory(again)
        if process.returncode not in (0, 1) or "Traceback" in errors:
            sys.exit(f"linting ended with {process.returncode}: {errors[-2000:]}")
        audits = json.loads(report.read_bytes())["audits"]
        counts = Counter(finding["rule"] for audit in audits for finding in audit["findings"])
        faulty = [rule for audit in audits for rule in audit["rules"] if "could not be evaluated" in rule["reason"]]
        print(f"{platform.platform()}, Python {platform.python_version()}, {len(os.sched_getaffinity(0))} cores")
        print(f"{len(audits)} cards in {seconds:.1f} s, {memory / 1e6:.0f} MB at the most, status {process.returncode}")
        print(f"{sum(counts.values())} findings of {len(counts)} rules, {len(faulty)} evaluations that failed")
        os.chdir(folder)
        rules, settings, times = rules_of(Settings()), Settings(), []
        for subject in gather(["**/README.md"]):
            begin = time.process_time()
            judge(subject, rules, settings)
            times.append((time.process_time() - begin, subject.path))
        times.sort(reverse=True)
        print(f"a card by itself: median {times[len(times) // 2][0] * 1000:.1f} ms of CPU; the slowest:")
        for spent, path in times[:SLOWEST]:
            print(f"  {spent * 1000:7.0f} ms  {path} ({path.stat().st_size:,} bytes)")


if __name__ == "__main__":
    main()
