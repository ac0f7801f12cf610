"""Finding rules: the packaged ones, and folders that the user names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.engine.rule import Rule, RuleError, load_rule
from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Iterable


def packaged_rules() -> Path:
    """Return the folder of the rules that ship with cardcheck: inside the wheel, or the top level of a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "rules"
    return installed if installed.is_dir() else package.parent.parent / "rules"


def load_rules(folders: Iterable[Path] = ()) -> list[Rule]:
    """Load the packaged rules and those of `folders`, ordered by id.

    Raises RuleError for a rule that is wrong and for an id that two rules have.
    """
    rules: dict[str, Rule] = {}
    for folder in (packaged_rules(), *folders):
        if not folder.is_dir():
            raise CardcheckError(f"{folder} is not a folder of rules", hint="--rules takes a folder of YAML files")
        for path in sorted(folder.rglob("*.y*ml")):
            rule = load_rule(path)
            if rule.id in rules:
                raise RuleError(f"{path}: {rule.id} is already taken by {rules[rule.id].path}")
            rules[rule.id] = rule
    return [rules[key] for key in sorted(rules)]
