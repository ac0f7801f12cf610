"""cardcheck probe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.spotcheck import probe as probing
from cardcheck.spotcheck.probe import Probe, Prompt
from cardcheck.spotcheck.probesearch import Prefix

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeModel, Run

CARD = """---
tags: [sentence-transformers]
---
# ours

It maps sentences to a 768 dimensional vector space.

- **Maximum Sequence Length:** 512 tokens
"""
FILES = {"README.md": CARD, "modules.json": "[]", "sentence_bert_config.json": '{"max_seq_length": 256}'}
WHOLE = Probe(
    "done", dimension=384, parameters=22_713_216, stored_dtype="float16", dtype="float32", device="cpu", threads=2, similarity="cosine",
    norm_low=0.9999, norm_high=1.0001, normalised=True, repeat_difference=0.0, reload_difference=0.0, deterministic=True,
    batch_difference=7.6e-7, truncates_at=256, reads_at_least=256, length_exact=True, length_unit="tokens", short_per_second=512.25,
    short_tokens=11.2, long_per_second=40.5, long_tokens=256.0, memory_load_mb=25, memory_mb=331, set_name="velmarch-en-2", queries=60,
    documents=120, ndcg=80.3,
    prompts=[Prompt("query", "query\x1b[31m: ", "configuration", ["query"], 0.93, True, 1.25, -0.5, 3.0)],  # noqa: FBT003
    prefixes=[Prefix(192, True, 77.8, 2.5, -2.5, 7.3, 0.85)],  # noqa: FBT003
    isolation={"network": True, "memory": True},
)  # fmt: skip


@pytest.fixture
def ours(make_model: MakeModel) -> Path:
    """Return a model whose card says what its measurement does not."""
    return make_model(FILES)


def _measured(monkeypatch: pytest.MonkeyPatch, found: Probe) -> None:
    """Let measuring give this."""
    monkeypatch.setattr(probing, "probe", lambda *_, **__: found)


def test_the_text(run: Run, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure stands beside what card and files say; findings point into the card, and no escape reaches the terminal."""
    _measured(monkeypatch, WHOLE)
    result = run("probe", ours)
    lines = {line.split("  ")[1]: line for line in result.out.splitlines() if line.startswith("  ") and line[2] != " "}
    assert "22.7 M parameters, weights in float16, computed in float32 on cpu, 2 threads\n" in result.out
    assert lines["dimension"].split() == ["dimension", "384", "768", "–"]
    assert lines["reads"].split() == ["reads", "256", "tokens,", "nothing", "after", "512", "256"]
    assert lines["normalised"].split()[:2] == ["normalised", "yes"]
    assert "512.2 of 11 tokens, 40.5 of 256 tokens" in lines["texts a second"]
    assert "331 MB beyond the libraries, 25 MB after loading" in lines["memory"]
    assert lines["first 192"].split() == ["first", "192", "77.8", "+2.5", "-2.5", "to", "+7.3", "0.85", "offered"]
    assert '"query\\x1b[31m:"  query (configuration)  query   0.9300  +1.2  -0.5 to +3.0' in result.out
    assert "\x1b[31m" not in result.out
    assert "README.md:6:24: warning CC551 measured-dimension-disagrees" in result.out
    assert "README.md:8:32: warning CC552 reads-less-than-the-card-says" in result.out
    assert "no errors, 2 warnings, no notes" in result.out
    assert result.status == 1


def test_columns_line_up(run: Run, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What card and files say stands in columns of its own."""
    _measured(monkeypatch, WHOLE)
    head, dimension, reads = run("probe", ours).out.splitlines()[3:6]
    assert head.index("card") == dimension.index("768") == reads.index("512")
    assert head.index("files") == reads.index("256", head.index("card"))
    assert head.index("measured") == dimension.index("384") == reads.index("256")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"truncates_at": None, "fails_at": 513}, "fails from 513 tokens on"),
        ({"truncates_at": None, "reads_at_least": 99, "length_stopped": "memory"}, "at least 99 tokens; longer ones need too much memory"),
        ({"truncates_at": None, "reads_at_least": None}, "reads           –"),
        ({"length_exact": False}, "about 256 tokens"),
        ({"status": "partial", "reason": "the time was over", "ndcg": None}, "not checked: CC557 short-vectors-lose-much"),
        ({"isolation": {"network": False, "memory": True}}, "this system did not limit its network"),
        ({"parameters": 9_000}, "9,000 parameters"),
        ({"deterministic": None, "repeat_difference": None}, "deterministic   – (differ by – encoded twice, 0 loaded twice)"),
    ],
)
def test_what_is_not_as_usual(run: Run, ours: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str) -> None:
    """What could not be measured, and what is not exact, is said in words."""
    from dataclasses import replace

    _measured(monkeypatch, replace(WHOLE, **changes))
    assert words in run("probe", ours).out


def test_a_model_that_cannot_be_run(run: Run, ours: Path) -> None:
    """A model without weights, a card alone and what is not there give a reason and status 2."""
    for given, reason in (
        (ours, "not measured: there are no readable safetensors weights"),
        (ours / "README.md", "not measured: only a card was given"),
    ):
        result = run("probe", given)
        assert result.status == 2
        assert reason in result.out
        assert "Traceback" not in result.out + result.err
        told = json.loads(run("probe", given, "--json").out)
        assert told["probe"]["status"] == "skipped"
        assert told["outcomes"]["unknown"] >= 5
    result = run("probe", ours / "nowhere")
    assert result.status == 2
    assert "no folder here" in result.err


def test_usage(run: Run, ours: Path) -> None:
    """Wrong options, and a device that is not there, are told in a line."""
    assert run("probe").status == 2
    assert run("probe", ours, "--time-limit", "0").status == 2
    assert run("probe", ours, "--id", "no id").status == 2


def test_json_from_end_to_end(run: Run, tmp_path: Path) -> None:
    """A real model of random weights is measured, and machines read the same figures; an unknown device is refused."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["the", "of", "and", "to", "in", "is", "that", "for", "it", "was", "[UNK]"]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    torch.manual_seed(0)
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=24)], device="cpu").save(str(tmp_path / "static"))
    refused = run("probe", tmp_path / "static", "--device", "nonsense")
    assert refused.status == 2
    assert "--device cpu always can" in refused.err
    result = run("probe", tmp_path / "static", "--json")
    told = json.loads(result.out)
    probe = told["probe"]
    assert (probe["status"], probe["dimension"], probe["truncates_at"]) == ("done", 24, None)
    assert probe["reads_at_least"] > 5000
    assert [row["dimension"] for row in probe["prefixes"]] == [12]
    assert probe["isolation"]["memory"] is True
    assert told["outcomes"]["fail"] == len([rule for rule in told["rules"] if rule["outcome"] == "fail"])
    assert {rule["id"] for rule in told["rules"]} == {f"CC55{number}" for number in range(1, 9)}
