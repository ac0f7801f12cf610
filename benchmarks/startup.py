"""CPU time of the commands that people wait for without knowing why. Run as `make startup`."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from pathlib import Path

MODEL = Path(__file__).parent.parent / "build/models/all-MiniLM-L6-v2"
RUNS = 15
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "cardcheck --version": ["cardcheck", "--version"],
    "cardcheck --help": ["cardcheck", "--help"],
    "cardcheck lint README.md": ["cardcheck", "lint", str(MODEL / "README.md")],
    "cardcheck lint FOLDER": ["cardcheck", "lint", str(MODEL)],
}


def cpu_seconds(command: list[str]) -> float:
    """Return user and system time of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the best and the median of fifteen runs: other work on the machine only ever adds."""
    print(f"{platform.platform()}, Python {platform.python_version()}; CPU time, best and median of {RUNS} runs")
    for label, command in COMMANDS.items():
        executable = Path(sys.executable).parent / command[0]
        runs = sorted(cpu_seconds([str(executable) if executable.exists() else command[0], *command[1:]]) for _ in range(RUNS))
        print(f"{label:26} {runs[0] * 1000:4.0f} ms {runs[RUNS // 2] * 1000:4.0f} ms")


if __name__ == "__main__":
    main()
