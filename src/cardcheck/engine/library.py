"""Finding rules: the packaged ones, those of installed packages, and folders that the user names."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.engine.rule import Rule

ENTRY_POINTS = "cardcheck.rules"


def packaged_rules() -> Path:
    """Return the folder of the rules that ship with cardcheck: inside the wheel, or the top level of a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent.parent / "rules"


def rule_packs() -> list[Path]:
    """Return the folders of rules that installed packages bring: entry points of the group `cardcheck.rules`.

    An entry point names a package or module that has the rule files in its folder or below; it is not imported.
    """
    if not _any_pack():
        return []
    from importlib.machinery import PathFinder
    from importlib.metadata import entry_points

    folders = []
    for point in entry_points(group=ENTRY_POINTS):
        parent: list[str] | None = None
        for part in point.module.split("."):
            spec = PathFinder.find_spec(part, parent)
            parent = list(spec.submodule_search_locations or []) if spec else []
        if not parent:
            raise CardcheckError(
                f"the rule pack {point.name!r} names {point.module}, which is no package that can be found",
                hint="install it again, or uninstall it",
            )
        folders.append(Path(parent[0]))
    return folders


def _any_pack() -> bool:
    """Tell whether an installed package may bring rules; importlib.metadata alone would cost a tenth of a linter's start."""
    for folder in sys.path:
        try:
            points = [
                entry.path + "/entry_points.txt" for entry in os.scandir(folder or ".") if entry.name.endswith((".dist-info", ".egg-info"))
            ]
        except OSError:  # an archive, or a folder that is not there
            continue
        for path in points:
            try:
                with open(path, "rb") as file:  # noqa: PTH123  # half as long as by a Path, for each installed package
                    if f"[{ENTRY_POINTS}]".encode() in file.read():
                        return True
            except OSError:
                continue
    return False


def load_rules(folders: Iterable[Path] = ()) -> list[Rule]:
    """Read and check all rules: the packaged ones, rule packs and those of `folders`, ordered by id, with their examples.

    Raises RuleError for a rule that is wrong and for an id that two rules have, CardcheckError for a folder that is none.
    """
    from cardcheck.engine.rule import RuleError, load_rule

    rules: dict[str, Rule] = {}
    for path in _files(folders):
        rule = load_rule(Path(path))
        if rule.id in rules:
            raise RuleError(f"{path}: {rule.id} is already taken by {rules[rule.id].path}")
        rules[rule.id] = rule
    return [rules[key] for key in sorted(rules)]


def ready_rules(folders: Iterable[Path] = ()) -> list[Rule]:
    """Return the same rules ready to judge, from the store where nothing changed; they carry no examples."""
    from cardcheck.engine import store

    files = _files(folders)
    name = store.key(files)
    rules = store.load(name)
    if not rules:  # none at all would let every subject pass
        rules = load_rules(folders)
        store.save(name, rules)
    return rules


def _files(folders: Iterable[Path]) -> list[str]:
    found = []
    for folder in (packaged_rules(), *rule_packs(), *folders):
        if not folder.is_dir():
            raise CardcheckError(f"{folder} is not a folder of rules", hint="--rules takes a folder of YAML files")
        # with every start, and Path.rglob takes twice as long for the same
        below = (os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names)  # noqa: PTH118
        found += sorted(path for path in below if path.endswith((".yaml", ".yml")) and os.path.isfile(path))  # noqa: PTH113
    return found
