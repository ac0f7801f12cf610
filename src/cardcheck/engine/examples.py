"""Running a rule's own examples: the test that comes with every rule."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.recorded import Recorded
from cardcheck.facts import collect
from cardcheck.facts.board import set_board
from cardcheck.facts.probe import set_probe
from cardcheck.facts.weights import DTYPES
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.engine.example import Example
    from cardcheck.engine.rule import Rule


def check_examples(rule: Rule) -> Iterator[str]:
    """Yield what is wrong: an example that should fail and does not, or should pass and does not."""
    for wanted, examples in (("fails", rule.fails_on), ("passes", rule.passes_on)):
        for number, example in enumerate(examples, 1):
            with tempfile.TemporaryDirectory() as folder:
                subject = build(example, Path(folder))
                asks = example.online is not None or "overlap" in rule.needs
                outside = Recorded(example.online or {}) if asks else None
                facts = collect(subject, outside=outside)
                if example.probe is not None:
                    set_probe(facts, example.probe)
                if example.board is not None:
                    set_board(facts, example.board)
                judgement = evaluate(facts, [rule])[0]
            good = judgement.outcome == "fail" if wanted == "fails" else judgement.outcome in ("pass", "not_applicable")
            if not good:
                yield f"{rule.id} {rule.name}: example {wanted}[{number}] gave {judgement.outcome} {judgement.reason}".rstrip()


def build(example: Example, folder: Path) -> Subject:
    """Write an example's files into `folder`."""
    files = dict(example.files)
    if example.card is not None:
        files["README.md"] = example.card
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
    for path, tensors in example.weights.items():
        _write_safetensors(folder / path, tensors)
    for path, target_of_link in example.links.items():
        (folder / path).symlink_to(target_of_link)
    if example.application:
        return Subject(str(folder), "application", folder, only=tuple(files))
    return Subject(str(folder), "folder", folder, id=example.hub_id)


def _write_safetensors(path: Path, tensors: dict[str, tuple[str, list[int]]]) -> None:
    """Write a safetensors file of zeros; the zeros are a hole in the file, so size costs nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header, end = {}, 0
    for name, (dtype, shape) in tensors.items():
        size = DTYPES[dtype] * math.prod(shape) // 8
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
    data = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(data).to_bytes(8, "little") + data)
        file.truncate(8 + len(data) + end)
