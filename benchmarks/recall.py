"""How many seeded defects the rule meant finds. Run as `make recall`; the defects are in defects.yaml beside this file."""

from __future__ import annotations

import copy
import pickle
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from cardcheck.engine.example import Example
from cardcheck.engine.examples import build
from cardcheck.pipeline import judge, rules_of
from cardcheck.settings import Settings

DEFECTS = Path(__file__).parent / "defects.yaml"
CARD = "README.md"
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


def seed(base: dict[str, Any], defect: dict[str, Any]) -> dict[str, Any]:
    """Return the base with one defect; raises ValueError where its text does not stand in the file."""
    subject = copy.deepcopy(base)
    files: dict[str, str] = subject["files"]
    for edit in (defect, defect.get("also")):
        if edit and "old" in edit:
            name = edit.get("file", CARD)
            if edit["old"] not in files[name]:
                raise ValueError(f"{edit['old']!r} does not stand in {name}")
            files[name] = files[name].replace(edit["old"], edit["new"], 1)
    for heading in defect.get("cut", ()):
        files[CARD] = re.sub(rf"(?ms)^{heading}\n.*?(?=^## |\Z)", "", files[CARD])
    if defect.get("remove_front_matter"):
        files[CARD] = FRONT_MATTER.sub("", files[CARD])
    files[CARD] = files.get(CARD, "") + defect.get("text", "")
    files |= defect.get("add", {})
    for name in defect.get("remove", ()):
        files.pop(name, None)
        subject.get("weights", {}).pop(name, None)
    if base.get("application"):
        del files[CARD]
    return subject


def found(subject: dict[str, Any], pickled: str | None = None) -> set[str]:
    """Return the names of the rules that find something in a subject."""
    example = Example(None, subject["files"], subject.get("weights", {}), {}, subject.get("id"), bool(subject.get("application")))
    with tempfile.TemporaryDirectory() as folder:
        made = build(example, Path(folder))
        if pickled:
            (Path(folder) / pickled).write_bytes(pickle.dumps(_Call()))
        audit = judge(made, rules_of(Settings(profile="strict")))
    return {finding.rule.name for finding in audit.findings}


class _Call:
    """What calls the shell when it is unpickled; nothing here unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("true",)


def main() -> None:
    """Print what each defect should have led to and did not, and the share that was found."""
    data = yaml.safe_load(DEFECTS.read_text(encoding="utf-8"))
    clean = {name: found(base) for name, base in data["bases"].items()}
    for name, rules in clean.items():
        print(f"clean {name}: {', '.join(sorted(rules)) or 'no finding'}")
    names = {rule.name for rule in rules_of(Settings(profile="strict"))}
    missed, more = [], Counter[str]()
    for defect in data["defects"]:
        rules = found(seed(data["bases"][defect["base"]], defect), defect.get("add_pickle", {}).get("path"))
        new = rules - clean[defect["base"]]
        if defect["rule"] not in new:
            missed.append(defect)
            unknown = "" if defect["rule"] in names else " (no such rule)"
            print(f"missed: {defect['what']}: {defect['rule']}{unknown}; found {', '.join(sorted(new)) or 'nothing'}")
        more.update(new - {defect["rule"]})
    total = len(data["defects"])
    print(f"{total - len(missed)} of {total} defects found by the rule meant ({(total - len(missed)) / total:.1%})")
    print("also found: " + ", ".join(f"{name} {count}" for name, count in more.most_common()))
    sys.exit(int(len(missed) > 0.05 * total))


if __name__ == "__main__":
    main()
