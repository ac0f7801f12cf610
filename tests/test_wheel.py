"""The wheel: what people install holds everything the program reads."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_wheel_holds_rules_and_data(tmp_path: Path) -> None:
    """Every rule, data file, template and the typing marker of the checkout are in the wheel, and no test is."""
    if not (ROOT / "rules").is_dir():
        pytest.skip("this is no checkout: there is nothing to build a wheel from")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    package = ROOT / "src/cardcheck"
    wanted = {f"cardcheck/rules/{path.relative_to(ROOT / 'rules')}" for path in (ROOT / "rules").rglob("*.yaml")}
    wanted |= {
        f"cardcheck/{path.relative_to(package)}" for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(wanted) > 60
    assert wanted <= names, sorted(wanted - names)
    assert not [name for name in names if "test" in name]
