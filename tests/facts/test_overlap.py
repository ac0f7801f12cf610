"""Training data that is declared, in every place, and the tasks and benchmarks that it touches."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.catalogue.tasks import tasks_of
from cardcheck.engine.recorded import Recorded
from cardcheck.facts import Facts, collect
from cardcheck.facts.datatable import read_tables
from cardcheck.facts.outside import Offline
from cardcheck.facts.overlap import HEADLINES, collect_overlap
from cardcheck.facts.prose import Prose
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import CardFacts, MakeModel

    KnownAs = Callable[..., Facts]

TAGS = "tags: [sentence-transformers]\n"


@pytest.fixture
def known_as(make_model: MakeModel) -> KnownAs:
    """Give the reader of a card, with files beside it, under a Hub id."""

    def known(hub_id: str | None, front: str = "", text: str = "# m\n", **files: str) -> Facts:
        beside = {name.replace("_json", ".json"): content for name, content in files.items()}
        path = make_model({"README.md": f"---\n{TAGS}{front}---\n{text}", **beside})
        return collect(Subject(str(path), "folder", path, id=hub_id), outside=Offline())

    return known


def task(facts: Facts, name: str) -> dict[str, Any]:
    """Return the row of a task; empty where there is none."""
    return next((row for row in facts["overlap.tasks"] if row["task"] == name), {})


def verdict(facts: Facts, benchmark: str) -> str:
    """Return the verdict on a benchmark."""
    (row,) = [row for row in facts["overlap.benchmarks"] if row["benchmark"] == benchmark]
    return str(row["verdict"])


def test_front_matter(known_as: KnownAs) -> None:
    """A declared set leads to its task and the variants, with the way, the place and the split."""
    facts = known_as(None, "datasets:\n- acme/pairs\n- ms_marco\n")
    row = task(facts, "MSMARCO")
    assert (row["origin"], row["relation"], row["split"], row["path"]) == (
        "front matter",
        "same",
        "other",
        "front matter → ms_marco → MSMARCO",
    )
    assert (row["file"], row["line"]) == ("README.md", 5)
    assert task(facts, "NanoMSMARCORetrieval")["relation"] == "variant"
    assert [(row["name"], row["problem"]) for row in facts["overlap.unrecognised"]] == [("acme/pairs", "unknown")]


@pytest.mark.parametrize(
    ("text", "tasks"),
    [
        ("It was fine-tuned on MS MARCO and HotpotQA.\n", {"MSMARCO", "HotpotQA"}),
        ("It was fine-tuned on MS MARCO and evaluated on HotpotQA.\n", {"MSMARCO"}),
        ("It was not trained on MS MARCO.\n", set()),
        ("You can fine-tune it on MS MARCO.\n", set()),
        ("It was evaluated on HotpotQA.\n", set()),
        ("## Training data\n\n| set | pairs |\n|---|---|\n| [MS MARCO](https://x.example) | 5 |\n| NQ | 6 |\n", {"MSMARCO", "NQ"}),
        ("## Training data\n\n- FEVER\n\n### Evaluation\n\n- HotpotQA\n\n## Use\n\n- NQ\n", {"FEVER"}),
        ("## Training\n\n### Training Logs\n\n| Epoch | NanoFEVER |\n|---|---|\n| 1 | 0.5 |\n", set()),
        ("## Training\n\n- [x](https://huggingface.co/datasets/BeIR/fiqa)\n", {"FiQA2018"}),
        ("Our [training data](https://huggingface.co/datasets/BeIR/fiqa).\n", {"FiQA2018"}),
        ("- 2024/3/2: we release [training data](https://huggingface.co/datasets/BeIR/fiqa)\n", set()),
        ("`other/model` was trained on [x](https://huggingface.co/datasets/BeIR/fiqa)\n", set()),
        ("## 数据集\n\n| LCQMC | 1 |\n", {"LCQMC"}),
        ("## Citing & Authors\n\n- **Datasets** : FiQA\n- Model : x\n", {"FiQA2018"}),
        ("## Evaluation\n\n- Datasets: FiQA\n", set()),
        ("## Training data\n\n- [claims](https://fever.ai/dataset/fever.html)\n", {"FEVER"}),
        ("## Training data\n\n- [claims](https://fever.ai/dataset/feverous.html)\n", set()),
        ("## Data\n\n- MIRACL of [all](https://huggingface.co/datasets/Shitao/bge-m3-data)\n", {"MIRACLRetrieval"}),
        ("```\ntrained on MS MARCO\n```\n<!-- trained on NQ -->\n", set()),
    ],
)
def test_the_text(known_as: KnownAs, text: str, tasks: set[str]) -> None:
    """Sections on training and sentences that tell of it are read; evaluation, advice, denials, news and other models are not."""
    looked_at = ("MSMARCO", "HotpotQA", "NQ", "FEVER", "FiQA2018", "LCQMC", "MIRACLRetrieval", "NanoFEVERRetrieval", "T2Retrieval")
    facts = known_as("acme/ours", text=f"# m\n\n{text}")
    assert {name for name in looked_at if task(facts, name).get("relation") == "same"} == tasks
    assert all(row["origin"] == "text" for row in facts["overlap.tasks"])


def test_mtebs_annotation(known_as: KnownAs) -> None:
    """What mteb lists for the subject counts, and what of it the card does not declare is noted once for all variants."""
    facts = known_as("intfloat/e5-base", "datasets: [ms_marco]\n")
    assert facts["overlap.annotation"] == "listed"
    assert task(facts, "NQ")["path"] == "mteb's annotation → NQ"
    assert [(row["names"], row["count"]) for row in facts["overlap.undeclared"]] == [("NQ", 1)]


@pytest.mark.parametrize(
    ("hub_id", "said"), [("thenlper/gte-base", "none"), ("sergeyzh/rubert-tiny-turbo", "empty"), ("acme/ours", None), (None, None)]
)
def test_what_mteb_says(known_as: KnownAs, hub_id: str | None, said: str | None) -> None:
    """Silence, an empty list and an unknown model are three things."""
    assert known_as(hub_id)["overlap.annotation"] == said


def test_base_models(known_as: KnownAs) -> None:
    """The data of parents is inherited, from all places that name one, over several steps."""
    facts = known_as(None, "base_model: avsolatorio/GIST-Embedding-v0\n", config_json='{"_name_or_path": "acme/encoder"}')
    found = [(row["id"], row["via"], row["depth"], row["state"]) for row in facts["overlap.parents"]]
    assert found == [
        ("avsolatorio/GIST-Embedding-v0", "base_model", 1, "listed"),
        ("acme/encoder", "config.json", 1, "unknown"),
        ("BAAI/bge-large-en-v1.5", "mteb's entry of avsolatorio/GIST-Embedding-v0", 2, "listed"),
    ]
    assert task(facts, "Banking77Classification")["path"] == "base model avsolatorio/GIST-Embedding-v0 (mteb) → Banking77Classification"


def test_a_model_that_is_its_own_parent(known_as: KnownAs) -> None:
    """A circle ends where it closes."""
    assert known_as("acme/ours", "base_model: [acme/ours, acme/OURS]\n")["overlap.parents"] == []


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("google-bert/bert-base-uncased", "plain"),
        ("bert-base-uncased", "plain"),
        ("microsoft/mpnet-base", "plain"),
        ("google-bert/bert-large-uncased-whole-word-masking-finetuned-squad", "unknown"),
        ("thenlper/gte-base", "silent"),
        ("sergeyzh/rubert-tiny-turbo", "empty"),
        ("acme/encoder", "unknown"),
    ],
)
def test_what_is_known_of_a_parent(known_as: KnownAs, name: str, state: str) -> None:
    """Encoders of plain text, silent, empty and unknown parents are told apart."""
    assert known_as(None, f"base_model: {name}\n")["overlap.parents"][0]["state"] == state


@pytest.mark.parametrize(
    ("hub_id", "front", "text", "expected"),
    [
        (None, "datasets: [ms_marco]\n", "", "declared overlap"),
        (None, "datasets: [snli]\n", "", "no overlap declared"),
        (None, "datasets: [snli]\nbase_model: bert-base-uncased\n", "", "no overlap declared"),
        (None, "datasets: [snli]\nbase_model: acme/encoder\n", "", "cannot be verified"),
        (None, "datasets: [snli, acme/pairs]\n", "", "cannot be verified"),
        (None, "datasets: [STS-B]\n", "", "cannot be verified"),
        (None, "datasets: [snli, s2orc]\n", "", "cannot be verified"),
        (None, "datasets: [private]\n", "", "cannot be verified"),
        (None, "", "It was fine-tuned on the training sets of BEIR.\n", "cannot be verified"),
        (None, "", "It was trained on all retrieval sets of BEIR.\n", "cannot be verified"),
        (None, "", "It was trained on all of BEIR.\n", "declared overlap"),
        (None, "datasets: [fever]\n", "", "declared overlap"),
        (None, "", "It was trained on three million proprietary query-document pairs.\n", "cannot be verified"),
        (None, "", "It was trained on questions of our help desk.\n", "cannot be verified"),
        (None, "", "", "not declared"),
        (None, "base_model: acme/encoder\n", "", "not declared"),
        (None, "base_model: intfloat/e5-base\n", "", "declared overlap"),
        ("acme/ours", "", "", "not declared"),
        ("thenlper/gte-base", "", "", "not declared"),
        ("sergeyzh/rubert-tiny-turbo", "", "", "cannot be verified"),
        ("WhereIsAI/UAE-Large-V1", "", "", "no overlap declared"),
        ("intfloat/e5-base", "", "", "declared overlap"),
    ],
)
def test_verdicts(known_as: KnownAs, hub_id: str | None, front: str, text: str, expected: str) -> None:
    """Overlap, none, silence and what cannot be checked are four things, and an unknown name or parent is never clean."""
    assert verdict(known_as(hub_id, front, f"# m\n\n{text}"), "BEIR") == expected


def test_a_converted_model_has_its_parents_data(known_as: KnownAs) -> None:
    """What was not trained is what its parent is: that one's list is a declaration."""
    facts = known_as(None, "base_model: WhereIsAI/UAE-Large-V1\nbase_model_relation: quantized\n")
    assert verdict(facts, "BEIR") == "no overlap declared"


def test_every_headline_benchmark_has_one_row(known_as: KnownAs) -> None:
    """The usual benchmarks are judged for every subject, with counts and mteb's own share."""
    facts = known_as("intfloat/e5-base")
    assert [row["benchmark"] for row in facts["overlap.benchmarks"]] == list(HEADLINES)
    beir = next(row for row in facts["overlap.benchmarks"] if row["benchmark"] == "BEIR")
    assert (beir["tasks"], beir["overlapping"], beir["zero_shot"], beir["mended"], beir["ours"]) == (15, 2, 86, 86, 86)
    assert (beir["shown"], beir["why"]) == ("MSMARCO, NQ", "mteb counts the same tasks")


@pytest.mark.parametrize(
    ("hub_id", "front", "benchmark", "why"),
    [
        ("intfloat/e5-base", "datasets: [hotpot_qa]\n", "BEIR", "mteb leaves out tasks: 1 that the card alone declares"),
        ("intfloat/e5-base", "base_model: nvidia/NV-Embed-v2\n", "BEIR", "mteb leaves out tasks: 4 of a base model"),
        (
            "KaLM-Embedding/KaLM-Reranker-V1-Large",
            "",
            "BEIR",
            "mteb leaves out tasks: 6 on the same data as a listed task, 6 under a misspelt name in its list",
        ),
        ("intfloat/e5-base", "", "MTEB(Multilingual, v2)", "mteb leaves out tasks: 1 on the same data as a listed task"),
        ("thenlper/gte-base", "", "BEIR", "mteb does not say what this model was trained on"),
        ("acme/ours", "datasets: [snli]\n", "BEIR", "mteb does not know this model"),
        (None, "", "BEIR", "nothing is declared"),
    ],
)
def test_why_mtebs_share_is_another(known_as: KnownAs, hub_id: str | None, front: str, benchmark: str, why: str) -> None:
    """The reason for a difference to mteb's zero-shot share is given."""
    rows = known_as(hub_id, front)["overlap.benchmarks"]
    assert next(row["why"] for row in rows if row["benchmark"] == benchmark) == why


def results(*names: str) -> str:
    """Return a model-index with a score on each of these tasks."""
    shown = "".join(
        f"  - task: {{type: Retrieval}}\n    dataset: {{type: mteb/x, name: MTEB {name}}}\n    metrics: [{{type: map, value: 50.1}}]\n"
        for name in names
    )
    return f"model-index:\n- name: m\n  results:\n{shown}"


def test_scores_on_trained_data(known_as: KnownAs) -> None:
    """Tasks whose scores the card shows and whose data was trained on are one row; a benchmark half of which is shown gets its own."""
    shown = ("FEVER", "HotpotQA", "MSMARCO", "NFCorpus", "NQ", "QuoraRetrieval", "SciFact", "DBPedia")
    facts = known_as(None, "datasets: [ms_marco, hotpot_qa]\n" + results(*shown, "GermanDPR"))
    assert [(row["tasks"], row["count"], row["of"]) for row in facts["overlap.scored"]] == [("HotpotQA, MSMARCO", 2, 9)]
    beir = next(row for row in facts["overlap.benchmarks"] if row["benchmark"] == "BEIR")
    assert (beir["scored"], beir["scored_overlap"]) == (8, 2)
    board = "MTEB(cmn, v1)"
    chinese = known_as(None, "datasets: [snli]\n" + results(*sorted(tasks_of(board))[::2]))
    assert board in [row["benchmark"] for row in chinese["overlap.benchmarks"]]
    assert board not in [row["benchmark"] for row in facts["overlap.benchmarks"]]


@pytest.mark.parametrize(
    ("front", "text", "name", "split"),
    [
        ("datasets: [mteb/MKQARetrieval]\n", "", "MKQARetrieval", "same"),
        ("datasets: [financial_phrasebank]\n", "", "FinancialPhrasebankClassification", "same"),
        ("datasets: [zeta-alpha-ai/NanoFEVER]\n", "", "NanoFEVERRetrieval", "same"),
        ("datasets: [fever]\n", "", "NanoFEVERRetrieval", "other"),
        ("datasets: [mteb/arguana]\n", "", "ArguAna", "tests only"),
        ("datasets: [ms_marco]\n", "", "MSMARCO", "other"),
        ("datasets: [s2orc]\n", "", "SciFact", "unknown"),
        ("", "The training data includes the ArguAna test set.\n", "ArguAna", "same"),
        ("datasets: [scifact]\n", "The test queries of SciFact were also used for training.\n", "SciFact", "same"),
    ],
)
def test_splits(known_as: KnownAs, front: str, text: str, name: str, split: str) -> None:
    """Training data is told from test data: by a task that is evaluated on train, by the set's name, and by what the text admits."""
    assert task(known_as(None, front, f"# m\n\n{text}"), name)["split"] == split


def test_annotators_list_nano_sets_for_completeness(known_as: KnownAs) -> None:
    """That mteb's list of a model names a Nano set does not say that its test queries were trained on."""
    assert task(known_as("sentence-transformers/all-MiniLM-L6-v2"), "NanoMSMARCORetrieval")["split"] == "other"


@pytest.mark.parametrize(
    ("front", "claim", "found"),
    [
        ("datasets: [hotpot_qa]\n", "All scores are zero-shot on BEIR.", "HotpotQA"),
        ("datasets: [ms_marco]\n", "All scores are zero-shot on BEIR.", None),
        ("datasets: [ms_marco]\n", "No MTEB data was used in training.", None),
        ("datasets: [LCQMC]\n", "No C-MTEB data was used in training.", "LCQMC"),
        ("datasets: [hotpot_qa]\n", "It was evaluated on BEIR.", None),
    ],
)
def test_claims_of_not_having_seen_a_benchmark(known_as: KnownAs, front: str, claim: str, found: str | None) -> None:
    """A claim is held against the benchmark's tasks; MS MARCO does not count."""
    rows = known_as(None, front, f"# m\n\n{claim}\n")["overlap.contradicted"]
    assert [row["tasks"] for row in rows] == ([found] if found else [])


def test_misspelt_names(known_as: KnownAs) -> None:
    """The name that was meant is given with one that is a letter off."""
    rows = known_as(None, "datasets: [msmacro, acme/pairs]\n")["overlap.unrecognised"]
    assert [(row["name"], row["meant"]) for row in rows] == [("msmacro", "msmarco"), ("acme/pairs", None)]


def test_an_audit_looks_up_without_asking(make_model: MakeModel) -> None:
    """Whoever audits from Python and asks nobody has the training data looked up as on the command line; a lint has not."""
    path = make_model({"README.md": f"---\n{TAGS}datasets: [ms_marco]\n---\n# m\n"})
    subject = Subject(str(path), "folder", path)
    assert task(collect(subject, embedding=True), "MSMARCO")
    assert collect(subject)["overlap.tasks"] == []


def test_nothing_for_other_models(make_model: MakeModel) -> None:
    """What is no embedding model has no overlap with a benchmark of embedding models."""
    path = make_model({"README.md": "---\npipeline_tag: text-generation\ndatasets: [ms_marco]\n---\n# A model that chats\n"})
    facts = collect(Subject(str(path), "folder", path), outside=Offline())
    assert (facts["overlap.tasks"], facts["overlap.benchmarks"]) == ([], [])


READ = """
import json, sys
from pathlib import Path
from cardcheck.facts import collect
from cardcheck.facts.overlap import collect_overlap
from cardcheck.facts.prose import Prose
from cardcheck.subject import Subject
facts = collect(Subject(sys.argv[1], "folder", Path(sys.argv[1])))
collect_overlap(facts, Prose(facts))
print(json.dumps("cardcheck.catalogue.tasks" in sys.modules))
"""


@pytest.mark.parametrize(("front", "wanted"), [("", False), ("datasets: [ms_marco]\n", True)])
def test_the_catalogue_is_read_when_it_is_needed(make_model: MakeModel, front: str, *, wanted: bool) -> None:
    """A card that declares nothing does not load the catalogue."""
    path = make_model({"README.md": f"---\nlicense: mit\n{TAGS}{front}---\n# m\n\nFor search.\n"})
    result = subprocess.run([sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) is wanted


def test_cost_where_there_is_nothing_to_match(card_facts: CardFacts) -> None:
    """A card without declarations costs less than a millisecond."""
    facts = card_facts(f"---\n{TAGS}---\n# m\n\n" + "It maps sentences to vectors. " * 500)
    prose = Prose(facts)
    best = 1.0
    for _ in range(5):
        facts.values["overlap.benchmarks"] = []
        start = time.perf_counter()
        collect_overlap(facts, prose)
        best = min(best, time.perf_counter() - start)
    assert best < 0.001


@pytest.mark.parametrize(
    "card",
    [
        f"---\n{TAGS}datasets:\n" + "- acme/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 20_000 + "---\n# m\n",
        f"---\n{TAGS}datasets:\n" + "".join(f"- acme/hotpotqb{n}\n" for n in range(3_000)) + "---\n# m\n",
        f"---\n{TAGS}---\n## Training\n\n" + "MS MARCO and NQ, " * 40_000,
        f"---\n{TAGS}---\n## Training\n\n" + "- trained on [x](https://huggingface.co/datasets/BeIR/fiqa) not\n" * 10_000,
        f"---\n{TAGS}---\n" + "## Training\n" * 10_000,
        f"---\n{TAGS}---\ntrained on " + "`a/" * 50_000,
        f"---\n{TAGS}base_model: [" + ", ".join(f"acme/m{n}" for n in range(5_000)) + "]\n---\n# m\n",
    ],
)
def test_hostile_cards(card_facts: CardFacts, card: str) -> None:
    """Endless lists, lines and sections take a moment, and no more than so many rows are kept."""
    facts = card_facts(card)
    prose = Prose(facts)
    for name in ("tasks", "unrecognised", "parents", "benchmarks", "undeclared", "contradicted", "scored"):
        facts.values[f"overlap.{name}"] = []
    start = time.perf_counter()
    collect_overlap(facts, prose)
    assert time.perf_counter() - start < 2
    assert len(facts["overlap.unrecognised"]) <= 600


@pytest.mark.parametrize(
    ("front", "text", "relations"),
    [
        ("language: en\n", "It was trained on STSb.", ("same", "variant", "variant")),
        ("", "It was trained on SNLI, MNLI and STSB.", ("same", "variant", "variant")),
        ("language: fr\n", "It was trained on STSb.", ("variant", None, "variant")),
        ("language: vi\n", "It was trained on the STS Benchmark.", ("variant", None, "variant")),
        ("", "It was trained on STSB.", (None, None, None)),
        ("language: [en, zh]\n", "It was trained on SNLI and STSB.", (None, None, None)),
        ("", "It was trained on SNLI and STSB. 用中文训练。", (None, None, None)),
        ("base_model: hfl/chinese-macbert-base\n", "It was trained on SNLI and STSB.", (None, None, None)),
        ("language: zh\n", "It was trained on the STS Benchmark.", ("same", "variant", "variant")),
    ],
)
def test_sts_b_means_what_the_card_tells(known_as: KnownAs, front: str, text: str, relations: tuple[str | None, ...]) -> None:
    """STS-B is the STS Benchmark in an English card or among English sets, its translation in another language, open in a Chinese card."""
    facts = known_as(None, front, f"# m\n\n{text}\n")
    assert tuple(task(facts, name).get("relation") for name in ("STSBenchmark", "STS12", "STSB")) == relations


@pytest.mark.parametrize(
    ("text", "parents"),
    [
        ("It is distilled from `thenlper/gte-small`, at half the size.", ["thenlper/gte-small"]),
        ("- Model : [BETO](https://huggingface.co/dccuchile/bert-base-spanish-wwm-cased)", ["dccuchile/bert-base-spanish-wwm-cased"]),
        ("Fine-tuned using pre-trained [X](https://huggingface.co/acme/encoder) and a loss.", ["acme/encoder"]),
        ("[X](https://huggingface.co/BAAI/bge-reranker-large) 기반 한국어 모델입니다.", ["BAAI/bge-reranker-large"]),
        ("此模型基于 [X](https://huggingface.co/acme/encoder) 训练。", ["acme/encoder"]),
        ("This is the [X](https://huggingface.co/acme/encoder) model which was fine-tuned on pairs.", ["acme/encoder"]),
        ("See also [X](https://huggingface.co/acme/encoder).", []),
        ("`acme/other` was distilled from `acme/encoder`.", []),
        ("Compared with a model distilled from `acme/encoder`, it is fast.", []),
        ("- 2024/3/2: a model distilled from `acme/encoder`", []),
    ],
)
def test_parents_that_only_the_text_names(known_as: KnownAs, text: str, parents: list[str]) -> None:
    """Words of origin in several languages name a parent where nothing else does; other models and news do not."""
    facts = known_as("acme/ours", text=f"# m\n\n{text}\n")
    assert [row["id"] for row in facts["overlap.parents"]] == parents


def test_a_declared_base_model_outweighs_the_text(known_as: KnownAs) -> None:
    """Looser words of origin are not asked where the front matter names the parent."""
    facts = known_as("acme/ours", "base_model: acme/encoder\n", "# m\n\nIt is distilled from `thenlper/gte-small`.\n")
    assert [row["id"] for row in facts["overlap.parents"]] == ["acme/encoder"]


def test_the_whole_of_a_benchmark(known_as: KnownAs) -> None:
    """Who trained on all of MTEB trained on all its tasks that have a training part, and on no more than is said of the others."""
    facts = known_as(None, text="# m\n\nIt was trained on all of MTEB.\n")
    (row,) = [row for row in facts["overlap.benchmarks"] if row["benchmark"] == "MTEB(eng, v2)"]
    assert row["verdict"] == "declared overlap"
    assert row["tasks"] / 2 < row["overlapping"]
    assert not task(facts, "TRECCOVID")
    assert row["ways"][0].startswith("text → trained on all of MTEB → ")


def test_paws_is_in_paws_x(known_as: KnownAs) -> None:
    """PAWS-X holds PAWS in English, and C-MTEB's part of it is a translation."""
    facts = known_as(None, "datasets: [paws]\n")
    assert (task(facts, "PawsXPairClassification")["relation"], task(facts, "PAWSX")["relation"]) == ("same", "variant")


PAPER_CARD = f"---\n{TAGS}---\n# ours\n\nSee [our paper](https://arxiv.org/abs/2401.01234).\n"


@pytest.mark.parametrize(
    ("summary", "tasks"),
    [
        ("We present ours. We fine-tune it on MS MARCO and HotpotQA.", {"MSMARCO", "HotpotQA"}),
        ("The model is trained on MS MARCO and evaluated on HotpotQA.", {"MSMARCO"}),
        ("Our training data holds MS MARCO. We report results on HotpotQA.", {"MSMARCO"}),
        ("Existing retrievers are trained on MS MARCO. We train on new pairs.", set()),
        ("We did not train on MS MARCO.", set()),
        ("When fine-tuned on MS MARCO, our encoder is strong.", set()),
        ("We outperform models that were trained on MS MARCO.", set()),
        ("We evaluate on MS MARCO.", set()),
        ("", set()),
    ],
)
def test_the_papers_summary(make_model: MakeModel, summary: str, tasks: set[str]) -> None:
    """What the model's own paper says of its training is declared too, and marked as the paper's; what it says of others is not."""
    path = make_model({"README.md": PAPER_CARD})
    answers = {"paper": {"2401.01234": {"title": "Ours: embeddings", "summary": summary}}}
    facts = collect(Subject(str(path), "folder", path, id="acme/ours"), outside=Recorded(answers))
    found = {name for name in ("MSMARCO", "HotpotQA") if task(facts, name)}
    assert found == tasks
    assert all(task(facts, name)["path"].startswith("paper arXiv:2401.01234 → ") for name in found)
    assert verdict(facts, "BEIR") == ("declared overlap" if tasks else "not declared")


@pytest.mark.parametrize("number", ["1908.10084", "2401.09999"])
def test_other_papers_tell_nothing_of_this_model(make_model: MakeModel, number: str) -> None:
    """A paper of a library, or one that the card cites and that does not name the model, is on others' training."""
    path = make_model({"README.md": PAPER_CARD.replace("our paper", "a paper").replace("2401.01234", number)})
    answers = {"paper": {number: {"title": "Sentences", "summary": "We fine-tune it on MS MARCO and much else, " + "with care " * 20}}}
    facts = collect(Subject(str(path), "folder", path, id="acme/zebra"), outside=Recorded(answers))
    assert facts["overlap.papers"] == []
    assert facts["overlap.tasks"] == []


def test_a_hostile_summary(make_model: MakeModel) -> None:
    """A summary of any kind and length ends the audit neither with an exception nor late."""
    path = make_model({"README.md": PAPER_CARD})
    answers = {"paper": {"2401.01234": {"title": "x", "summary": "we trained on " * 5000 + "\u202e\x00" + "MS MARCO, " * 5000}}}
    began = time.process_time()
    facts = collect(Subject(str(path), "folder", path, id="acme/ours"), outside=Recorded(answers))
    assert time.process_time() - began < 3
    assert len(facts["overlap.papers"][0]["summary"]) <= 6000


FIGURE = (
    "<figure class='ltx_table'><table><tr><td>Dataset</td><td>Size</td></tr><tr><td>{}</td><td>500,000</td></tr></table>"
    "<figcaption><span>Table 3: </span>{}</figcaption></figure>"
)


@pytest.mark.parametrize(
    ("pages", "tasks"),
    [
        ([("MS MARCO", "Training data of our model.")], {"MSMARCO"}),
        ([("<a href='x'>MS MARCO</a>", "Datasets for fine-tuning.")], {"MSMARCO"}),
        ([("MS MARCO", "Results on the test data after training.")], set()),
        ([("MS MARCO", "Statistics.")], set()),
        ([("HotpotQA", "Evaluation sets."), ("MS MARCO", "The training mixture of data.")], {"MSMARCO"}),
        ([("our pairs", "Training data.")], set()),
        ([], set()),
    ],
)
def test_the_table_of_a_paper_that_is_linked_as_html(make_model: MakeModel, pages: list[tuple[str, str]], tasks: set[str]) -> None:
    """A table captioned as training data declares what it names; tables of results, and papers without such a page, do not."""
    url = "https://arxiv.org/html/2401.01234v1"
    path = make_model({"README.md": PAPER_CARD + f"\nAs [HTML]({url}).\n"})
    page = {url: {"text": "<html>" + "".join(FIGURE.format(*parts) for parts in pages)}}
    answers = {"paper": {"2401.01234": {"title": "Ours", "summary": "About text."}}, "page": page if pages else {}}
    facts = collect(Subject(str(path), "folder", path, id="acme/ours"), outside=Recorded(answers))
    assert {name for name in ("MSMARCO", "HotpotQA") if task(facts, name)} == tasks
    assert not tasks or task(facts, "MSMARCO")["path"] == "paper arXiv:2401.01234, table → MS MARCO → MSMARCO"


def test_an_html_version_that_is_not_linked_is_not_asked_for(make_model: MakeModel) -> None:
    """No request is made for a table that the card does not point at."""
    path = make_model({"README.md": PAPER_CARD})
    page = {"https://arxiv.org/html/2401.01234": {"text": FIGURE.format("MS MARCO", "Training data.")}}
    answers = {"paper": {"2401.01234": {"title": "Ours", "summary": "About text."}}, "page": page}
    assert not collect(Subject(str(path), "folder", path, id="acme/ours"), outside=Recorded(answers))["overlap.tasks"]


@pytest.mark.parametrize(
    "piece", ["<figure", "<figure><table>", "<figure><figcaption>train data<", "<td>" * 9, "</figure>", "<figure></figure>"]
)
def test_hostile_pages(piece: str) -> None:
    """However broken a page is, reading it ends soon."""
    began = time.process_time()
    read_tables(piece * (2_000_000 // len(piece)))
    read_tables((piece + "</figure>") * 100_000)
    assert time.process_time() - began < 2
