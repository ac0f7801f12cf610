"""Declared data sets, links to data sets, and sentences on training."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts import Facts
from cardcheck.facts.exposure import kinds
from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.prose import Prose
from cardcheck.facts.training import collect_training, dataset_problem

if TYPE_CHECKING:
    from conftest import CardFacts


def values(facts: Facts, name: str, key: str) -> list[Any]:
    """Return one key of a fact's rows."""
    return [row[key] for row in facts[name]]


@pytest.mark.parametrize(
    ("value", "problem", "meant"),
    [
        ("acme/pairs", "", ""),
        ("ms_marco", "", ""),
        ("https://huggingface.co/datasets/acme/pairs", "address", "acme/pairs"),
        ("https://hf.co/datasets/squad?x=1", "address", "squad"),
        ("https://huggingface.co/datasets/acme/pairs/tree/main", "address", "acme/pairs"),
        ("https://huggingface.co/datasets/acme/pairs/viewer", "address", "acme/pairs"),
        ("https://huggingface.co/datasets/acme/pairs/tree/main/sub", "folder", "acme/pairs"),
        ("https://huggingface.co/datasets/acme/pairs/blob/main/a.csv", "folder", "acme/pairs"),
        ("https://acme.example/pairs.zip", "elsewhere", ""),
        ("./data", "path", ""),
        ("train.csv", "path", ""),
        ("private", "private", ""),
        ("Pairs(private)", "private", ""),
        ("None", "nothing", ""),
        ("The Pile", "text", ""),
        ("a/b/c", "text", ""),
    ],
)
def test_what_keeps_a_data_set_from_being_an_id(value: str, problem: str, meant: str) -> None:
    """Addresses, paths and remarks are told from ids, and the id that is meant is given where it is sure."""
    assert dataset_problem(value) == (problem, meant)


@pytest.mark.parametrize(
    ("value", "benchmark", "tests_only"),
    [
        ("mteb/arguana", "MTEB", True),
        ("BeIR/scidocs-qrels", "BEIR", True),
        ("arguana", "MTEB", True),
        ("zeta-alpha-ai/NanoFEVER", "MTEB", True),
        ("sentence-transformers/NanoBEIR-en", "MTEB", True),
        ("mteb/banking77", "MTEB", False),
        ("C-MTEB/T2Retrieval", "C-MTEB", False),
        ("BeIR/msmarco", "", False),
        ("ms_marco", "", False),
        ("acme/arguana-like", "", False),
        ("natural_questions", "", False),
        ("BeIR/scidocs-generated-queries", "", False),
        ("acme/bioasq", "", False),
        ("nguha/legalbench", "", False),
    ],
)
def test_data_sets_of_benchmarks(card_facts: CardFacts, value: str, benchmark: str, *, tests_only: bool) -> None:
    """Sets that hold test data only, and others of a benchmark's own account, are recognised; common training sets are not."""
    (row,) = card_facts(f"---\ndatasets: [{value}]\n---\n# m\n")["training.datasets"]
    assert (row["benchmark"], row["tests_only"]) == (benchmark, tests_only)


def test_repeated_data_sets(card_facts: CardFacts) -> None:
    """The second of two points at itself and gives the line of the first, whatever the case."""
    facts = card_facts("---\ndatasets:\n- acme/pairs\n- other/pairs\n- Acme/Pairs\n---\n# m\n")
    assert [(row["first"], row["line"]) for row in facts["training.datasets"]] == [(0, 3), (0, 4), (3, 5)]


def linked(*names: str) -> str:
    """Return Markdown links to data sets."""
    return "\n".join(f"- [x](https://huggingface.co/datasets/{name})" for name in names)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        (f"## Training data\n\n{linked('acme/a', 'b', 'acme/c', 'acme/d')}\n", [("acme/a, b, acme/c, acme/d", 4)]),
        (f"## Training\n\n{linked(*'abcdefghijkl')}\n", [("a, b, c, d, e, f, g, h, i, j, k, …", 12)]),
        (f"## Training and Fine-tuning process\n\n{linked('acme/sts-benchmark')}\n", [("acme/sts-benchmark", 1)]),
        (f"## Trainingsdaten\n\n{linked('acme/a')}\n", [("acme/a", 1)]),
        (f"## 训练数据\n\n{linked('acme/a')}\n", [("acme/a", 1)]),
        (f"## Training\n\n{linked('acme/a')}, translated from {linked('acme/b')[2:]}\n", [("acme/a", 1)]),
        (f"## Training\n\n### Stage 1: pairs\n\n{linked('acme/a')}\n", [("acme/a", 1)]),
        (f"---\ndatasets: [acme/a-b]\n---\n## Training\n\n{linked('acme/a_b', 'acme/a-b-cleaned')}\n", [("acme/a-b-cleaned", 1)]),
        (f"---\ndatasets: [acme/pairs-clean]\n---\n## Training\n\n{linked('acme/pairs-clean-v2')}\n", []),
        (f"## Evaluation\n\n{linked('acme/a')}\n", []),
        (f"## Evaluation\n\n### Data\n\n{linked('acme/a')}\n", []),
        (f"## Data\n\n{linked('acme/a')}\n", [("acme/a", 1)]),
        (f"## Training\n\nnone\n\n## Use\n\n{linked('acme/a')}\n", []),
        ("## Training\n\nEvaluated on [x](https://huggingface.co/datasets/acme/a).\n", []),
        ("## Training\n\n[x](https://huggingface.co/acme/a)\n", []),
    ],
)
def test_linked_data_sets_that_are_not_declared(card_facts: CardFacts, card: str, expected: list[tuple[str, int]]) -> None:
    """Links in sections on training count, once each, in one row; those of declared sets and of evaluations do not."""
    assert [(row["ids"], row["count"]) for row in card_facts(card)["training.undeclared"]] == expected


def test_the_heading_above_linked_data_sets(card_facts: CardFacts) -> None:
    """The row of linked data sets names the section of the first."""
    facts = card_facts(f"# m\n\n## Data\n\n{linked('acme/a')}\n\n## Training\n\n{linked('acme/b')}\n")
    assert values(facts, "training.undeclared", "heading") == ["Data"]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("test", "We trained on the train, dev and test splits of STS-B."),
        ("test", "The model was fine-tuned on pairs including the test set."),
        ("test", "The test queries of NFCorpus were also used for training."),
        ("test", "Training data includes the ArguAna test set."),
        ("test", "We included the test set in training."),
        ("test", "It was fine-tuned with SciFact (train and test queries)."),
        ("test", "模型使用了测试集进行训练。"),
        ("benchmark", "The model is trained on all of MTEB."),
        ("benchmark", "It was fine-tuned on the [MTEB](https://x) benchmark."),
        ("benchmark", "The training data includes MTEB and BEIR."),
        ("splits", "It was trained on the training splits of MTEB."),
        ("splits", "We fine-tuned on the MTEB Classification training datasets."),
        ("private", "Trained on 3M proprietary query-document pairs."),
        ("private", "The training data will not be released."),
        ("private", "Internal data was used for training."),
        ("tuned", "Prompts were optimised on the MTEB test queries."),
        ("tuned", "The checkpoint was selected by its BEIR score."),
        ("tuned", "We selected the best checkpoint according to MTEB."),
        ("tuned", "A leaderboard-adapted model."),
        ("router", "A task-type router."),
        ("router", "Queries are routed to one of two models by task type."),
        ("unseen", "No MTEB data was used in training."),
        ("unseen", "It was not trained on any MTEB task."),
        ("unseen", "All scores are zero-shot on BEIR."),
        ("told", "It was fine-tuned on pairs of questions and answers."),
        ("told", "As in https://huggingface.co/acme/base, with the other training conditions unchanged."),
        ("told", "It has the same training recipe as [theirs](https://huggingface.co/acme/base)."),
        ("told", "在两百万对问答数据上进行训练。"),
        ("told", "日本語の質問と回答でファインチューニングしました。"),
        ("told", "한국어 질문과 답변으로 학습되었습니다."),
        ("told", "Es wurde auf zwei Millionen Fragen trainiert."),
        ("told", "Il a été entraîné sur des questions."),
        ("told", "Fue entrenado con preguntas y respuestas."),
        ("told", "Mô hình được huấn luyện trên các câu hỏi."),
        ("unseen", "We did not use MTEB training sets."),
    ],
)
def test_sentences_on_training(kind: str, sentence: str) -> None:
    """The usual ways to say it are found."""
    assert kind in [found for found, _ in kinds(sentence)]


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("test", "We trained on the training set and evaluated on the test set."),
        ("test", "The test set was not used for training."),
        ("test", "We trained on pairs after removing overlap with the test set."),
        ("test", "Trained on pairs, it reaches 90 on the test set."),
        ("test", "It was trained on 80% of the data and the test set is the rest."),
        ("test", "The data set has training, dev and test splits."),
        ("benchmark", "Trained on MS MARCO and evaluated on MTEB."),
        ("benchmark", "It was not trained on MTEB."),
        ("benchmark", "Trained with MTEB-style prompts."),
        ("benchmark", "Fine-tuned to perform well on MTEB."),
        ("private", "Fine-tune it on your private data."),
        ("private", "It was trained on public data only, and keeps private data private."),
        ("tuned", "Prompts were never tuned on MTEB."),
        ("tuned", "It is fine-tuned for search; the results on MTEB follow."),
        ("router", "It works for each task."),
        ("unseen", "It was evaluated on MTEB."),
        ("told", "It was trained on 8 GPUs."),
        ("told", "It was trained on a single A100."),
        ("told", "Wir haben es speziell darauf trainiert, schnell zu sein."),
        ("benchmark", "It was trained by Acme and ranks first on the MTEB leaderboard."),
        ("benchmark", "A model trained with MTEB scores of 60."),
        ("private", "It is competitive with models trained on proprietary data."),
        ("router", "There is no need for a separate model for each task."),
        ("unseen", "Prompts are not used for MTEB."),
    ],
)
def test_sentences_that_say_something_else(kind: str, sentence: str) -> None:
    """Evaluations, denials, hardware and advice to readers are told from training."""
    assert kind not in [found for found, _ in kinds(sentence)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## Training Details\n\nPlease refer to our paper at [https://arxiv.org/abs/2401.00001](https://arxiv.org/abs/2401.00001).", True),
        ("The training details are described in this [technical report](https://arxiv.org/abs/2401.00001).", True),
        ("## Methods and Training\n\nPlease refer to our [technical report](https://arxiv.org/abs/2401.00001).", True),
        ("## Evaluation\n\nPlease refer to our paper.", False),
        ("It was trained for search. It is good.\n\nPaper of the year.", False),
    ],
)
def test_training_that_a_paper_tells(card_facts: CardFacts, text: str, *, expected: bool) -> None:
    """Cards that send their readers to a paper for the training are recognised, by the sentence or by its heading."""
    assert card_facts(f"---\ntags: [sentence-transformers]\n---\n# m\n\n{text}\n")["training.in_paper"] is expected


@pytest.mark.parametrize(
    ("data", "text", "by"),
    [
        ("mteb/banking77", "No MTEB data was used in training.", ["`datasets:` lists mteb/banking77"]),
        ("BeIR/fiqa", "All scores are zero-shot on BEIR.", ["`datasets:` lists BeIR/fiqa"]),
        ("C-MTEB/T2Retrieval", "All scores are zero-shot on BEIR.", []),
        ("mteb/banking77", "All scores are zero-shot on C-MTEB.", []),
        ("squad", "All scores are zero-shot on BEIR. We trained on the training sets of BEIR.",
         ['the text also says "training sets of BEIR"']),
        ("squad", "All scores are zero-shot on BEIR. We trained on the training sets of MTEB.", []),
    ],
)  # fmt: skip
def test_claims_that_the_card_contradicts(card_facts: CardFacts, data: str, text: str, by: list[str]) -> None:
    """What says otherwise must be of the benchmark that the claim names."""
    facts = card_facts(f"---\ntags: [sentence-transformers]\ndatasets: [{data}]\n---\n# m\n\n{text}\n")
    assert values(facts, "training.contradicted", "by") == by


def test_statements_have_their_places_and_words(card_facts: CardFacts) -> None:
    """A statement that goes over a line's end points at its beginning; headings and list items are sentences of their own."""
    facts = card_facts(
        "# Trained model\n\nIt works. It was trained on the\ntest set.\n\n- one\n- trained on all of MTEB\n\n```\ntrained on MTEB\n```\n"
    )
    rows = [(row["kind"], row["line"], row["column"]) for row in facts["training.statements"]]
    assert rows == [("told", 3, 18), ("test", 3, 18), ("told", 7, 3), ("benchmark", 7, 3)]
    assert (facts["training.words"], facts["training.numbers"]) == (13, False)


def test_sections_on_training(card_facts: CardFacts) -> None:
    """Sections by the narrower headings have their words, and whether there is a number in them."""
    facts = card_facts(
        "# m\n\n## Training details\n\none two\n\n### Loss\n\nthree 4\n\n## How trained it looks\n\nno\n\n## Fine-tuning\n\nfive\n"
    )
    rows = [(row["heading"], row["words"], row["numbers"]) for row in facts["training.sections"]]
    assert rows == [("Training details", 6, True), ("Fine-tuning", 1, False)]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        ("SciFact (train + test)", True),
        ("SciFact, train+dev+test", True),
        ("SciFact, test split included", True),
        ("SciFact (train and test: 300)", False),
        ("53,997 documents (test split)", False),
        ("train, test 300", False),
        ("train + test, without those of the benchmark", False),
    ],
)
def test_listed_test_data(card_facts: CardFacts, item: str, *, found: bool) -> None:
    """Items of a list in a section on training that join train and test count; sizes of splits and evaluations do not."""
    facts = card_facts(f"# m\n\n## Training data\n\n- pairs\n- {item}\n\n## Evaluation\n\n- X (train + test)\n")
    assert [row["line"] for row in facts["training.statements"] if row["kind"] == "test"] == ([6] if found else [])


@pytest.mark.parametrize("value", ["{a: 1}", "[{a: 1}, [x], null, 5, true]", "5", "''", "'\u202e'"])
def test_declared_data_of_other_shapes(card_facts: CardFacts, value: str) -> None:
    """Any type can stand under `datasets:`, and none makes reading fail."""
    assert card_facts(f"---\nlicense: mit\ndatasets: {value}\n---\n# m\n")["card.has_front_matter"] is True


@pytest.mark.parametrize(
    "repeated",
    [
        "trained on ", "trained on the ", "no MTEB ", "training data ", "# Training\n", "a\n", "- trained on the train the train\n",
        "trained proprietary ", "beir is not ", "x. X", "prompts were selected on MTEB ", "train test sets of \n\n",
        "refer to our paper ", "https://x same other training ", "auf mit trainiert ", "학습 ", "# a\nsee paper\n",
    ],
)  # fmt: skip
def test_repetition_does_not_slow_it_down(repeated: str) -> None:
    """A text made to hurt and four times as long costs less than eight times as much: quadratic time would be sixteen times."""

    def cost(length: int) -> float:
        facts = Facts()
        facts.sources["card"] = Source("known")
        facts.set("card.text", repeated * (length // len(repeated)), Location("README.md", 1, 1))
        prose = Prose(facts)
        begin = time.process_time()
        collect_training(facts, prose)
        return time.process_time() - begin

    assert min(cost(2_000_000) for _ in range(2)) < max(8 * min(cost(500_000) for _ in range(2)), 1.5)
