"""The library that evaluates expressions."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def test_no_package_for_messages_is_loaded(tmp_path: Path) -> None:
    """Evaluating loads no protobuf package that another has installed, and whoever wants it afterwards gets it."""
    (tmp_path / "google" / "protobuf").mkdir(parents=True)
    (tmp_path / "google" / "protobuf" / "__init__.py").write_text("print('loaded')")
    code = (
        "from cardcheck.engine.cel import Expression, activation\n"
        "print(Expression('it == 1').evaluate(activation({}, 1)))\n"
        "import google.protobuf; print(google.protobuf.__file__)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": path})
    assert run.stdout.splitlines() == ["True", "loaded", str(tmp_path / "google" / "protobuf" / "__init__.py")]
