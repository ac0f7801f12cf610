"""A tiny model that is made on the fly, and the real one where it was fetched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cardcheck.facts import collect
from cardcheck.spotcheck import heldout
from cardcheck.subject import Subject, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.facts import Facts

MODEL = Path(__file__).parents[2] / "build" / "models" / "all-MiniLM-L6-v2"
CARD = """---
license: mit
library_name: sentence-transformers
---
# tiny

A random model.
"""


@pytest.fixture(scope="session")
def model() -> Path:
    """Return the folder of the real model."""
    if not (MODEL / "config.json").is_file():
        pytest.skip(f"the real model is not in {MODEL}: run `make test` or `make audit` once, which fetch it")
    return MODEL


@pytest.fixture(scope="session")
def held_out() -> heldout.HeldOutSet:
    """Return the packaged held-out set."""
    return heldout.load()


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random BERT in the sentence-transformers format, which no test may change."""
    import torch
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    letters = [chr(ord("a") + i) for i in range(26)]
    digits = [str(i) for i in range(10)]
    pairs = [f"##{first}{second}" for first in "aeioust" for second in "aeilnorst"]
    words = ["the", "of", "and", "rail", "##way", "court", "law", "engine", "animal", "game", "was", "who", "what", "how"]
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".,:;?!'-()", *letters, *(f"##{c}" for c in letters), *digits]
    vocabulary += [f"##{c}" for c in digits] + pairs + words
    bert = folder / "bert"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(bert)
    tokenizer = Tokenizer(models.WordPiece({word: number for number, word in enumerate(vocabulary)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=64, **special
    ).save_pretrained(bert)
    SentenceTransformer(str(bert), device="cpu").save(str(folder / "model"))  # adds mean pooling
    (folder / "model" / "README.md").write_text(CARD, encoding="utf-8")
    return folder / "model"


@pytest.fixture
def tiny(saved_model: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny model that a test may damage."""
    return Path(shutil.copytree(saved_model, tmp_path / "tiny-model"))


@pytest.fixture(scope="session")
def read() -> Callable[..., tuple[Subject, Facts]]:
    """Return a function that reads a folder or card as the audit does."""

    def reading(path: Path, hub_id: str | None = None) -> tuple[Subject, Facts]:
        subject = resolve(str(path), hub_id=hub_id)
        return subject, collect(subject)

    return reading


@pytest.fixture
def public_data(tmp_path: Path) -> Path:
    """Return a folder with a task's data in BEIR layout: three documents, two test queries, two others."""
    folder = tmp_path / "sets" / "scifact"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": str(at), "title": f"T{at}", "text": f"text {at}"} for at in range(3)]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in documents), encoding="utf-8")
    queries = [{"_id": name, "text": f"claim {name}"} for name in ("1", "3", "20", "21")]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries), encoding="utf-8")
    head = "query-id\tcorpus-id\tscore\n"
    (folder / "qrels/test.tsv").write_text(head + "1\t0\t1\n3\t1\t1\n", encoding="utf-8")
    (folder / "qrels/train.tsv").write_text(head + "20\t2\t1\n21\t0\t1\n", encoding="utf-8")
    return folder
