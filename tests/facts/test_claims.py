"""What the card claims, against what it shows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from cardcheck.facts import Facts, collect
from cardcheck.facts.names import mismatch
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import CardFacts, FactsOf, MakeModel

RESULT = """\
  - task: {{type: {task}}}
    dataset: {{type: mteb/x, name: MTEB {name}, config: {config}}}
    metrics:
    - {{type: {kind}, value: {value}}}
"""
HEAD = """\
---
library_name: sentence-transformers
model-index:
- name: ours-small
  results:
{results}---
# ours-small

## Results

{body}"""


def index(*rows: tuple[str, str, object], config: str = "default") -> str:
    """Return results of a model-index from (task, metric, value)."""
    return "".join(RESULT.format(task="Retrieval", name=name, kind=kind, value=value, config=config) for name, kind, value in rows)


TWO = index(("SciFact", "ndcg_at_10", 64.21), ("NFCorpus", "ndcg_at_10", 33.1))


def stated(card_facts: CardFacts, body: str, results: str = TWO) -> list[tuple[str, str, str]]:
    """Return (task, what the table says, what model-index says) of a card's contradictions."""
    facts = card_facts(HEAD.format(results=results, body=body))
    return [(row["task"], row["stated"], row["indexed"]) for row in facts["claims.contradictions"]]


@pytest.mark.parametrize(
    ("name", "mine", "why"),
    [
        ("ours_small", "ours-small", None),
        ("acme/ours-small", "ours-small", None),
        ("jade-embedding-s-en-v2", "jade-embeddings-v2-small-en", None),
        ("jade-7b", "Jade-7B-GGUF", None),
        ("jade-v1.0", "jade-v1", None),
        ("jade", "jade-v1", None),
        ("JADE encoder of the Acme lab", "jade-base", None),
        ("A sentence encoder", "jade-base", None),
        ("SentenceTransformer based on acme/theirs", "jade", None),
        ("PyLate model based on acme/jade-base-32m", "jade-colbert-large-17m", None),
        ("", "jade", None),
        ("jade-7b", "jade-1.5b", "size"),
        ("jade-base", "jade-large", "size"),
        ("jade-v1", "jade-v2", "version"),
        ("jade-1", "jade-1.5", "version"),
        ("jade", "jade-v2", "version"),
        ("jade-L12-v2", "jade-L6-v2", "version"),
        ("jade-en", "jade-zh", "language"),
        ("jade-slate-large", "jade-ruby-large", "words"),
        ("onyx-mixed", "jade-base-v2", "words"),
        ("epoch_0_model", "jade-base", "leftover"),
        ("final_xl_results", "jade-xl", "leftover"),
        ("no_model_name_available", "jade-xl", "placeholder"),
        ("PLACEHOLDER", "jade-xl", "placeholder"),
        ("{MODEL_NAME}", "jade-xl", "placeholder"),
        ("jade-placeholder", "jade-placeholder-xl", None),
        ("jade-base", "jade-110m", None),
        ("jade-small-distil", "jade-248m", None),
        ("onyx-jade-small-distil", "jade-ruby-248m", "words"),
        ("jade-7b", "jade-7b-16k", None),
        ("Jade v1.5 tuned on statutes", "jade-legal-v2", None),
        ("Jade v1.5", "jade-v2", "version"),
        ("Jade base tuned on statutes", "jade-large-legal", "size"),
        ("checkpoint-500", "jade-xl", "leftover"),
    ],
)
def test_names_of_one_model_are_told_from_those_of_another(name: str, mine: str, why: str | None) -> None:
    """Names of one model differ in case, order and additions; size, version, language and words tell models apart."""
    found = mismatch(name, mine)
    assert (found.why if found else None) == why


def test_the_hub_id_goes_before_the_title(make_model: MakeModel) -> None:
    """Results headed by the title of a copied card are not this model's where the size differs."""
    path = make_model({"README.md": "---\nmodel-index:\n- name: jade-base\n  results: []\n---\n# jade-base\n"})
    facts = collect(Subject(str(path), "folder", path, id="acme/jade-large"))
    assert [(row["name"], row["mine"], row["why"]) for row in facts["claims.foreign_names"]] == [("jade-base", "jade-large", "size")]
    assert facts["claims.foreign_names"][0]["line"] == 3
    assert collect(Subject(str(path), "folder", path))["claims.foreign_names"] == []


def test_a_table_against_model_index(card_facts: CardFacts) -> None:
    """A cell that no metric of the task has is a contradiction, at its own place."""
    facts = card_facts(HEAD.format(results=TWO, body="| Task | ours-small |\n| --- | --- |\n| SciFact | 64.2 |\n| NFCorpus | 33.90 |\n"))
    (row,) = facts["claims.contradictions"]
    assert (row["task"], row["stated"], row["metric"], row["indexed"]) == ("NFCorpus", "33.90", "ndcg_at_10", "33.1")
    line = facts.texts["README.md"].split("\n")[row["line"] - 1]
    assert line[row["column"] - 1 :].startswith("33.90")


def test_many_cells_of_a_row_are_one_contradiction(card_facts: CardFacts) -> None:
    """The first of a model's differing scores is quoted, with a digit more than the table has, and the others are counted."""
    results = index(("SciFact", "ndcg_at_10", 67.277288477), ("NFCorpus", "ndcg_at_10", 33.1))
    body = "| Model | SciFact | NFCorpus |\n| - | - | - |\n| ours-small | 67.6 | 34.0 |\n"
    (row,) = card_facts(HEAD.format(results=results, body=body))["claims.contradictions"]
    assert (row["stated"], row["indexed"], row["count"]) == ("67.6", "67.28", 2)
    results = index(("SciFact", "ndcg_at_10", 0.67277288477))
    (row,) = card_facts(HEAD.format(results=results, body="| Task | ours-small |\n| - | - |\n| SciFact | 67.6 |\n"))[
        "claims.contradictions"
    ]
    assert row["indexed"] == "0.6728"


@pytest.mark.parametrize(
    "body",
    [
        "| Model | SciFact | NFCorpus |\n| - | - | - |\n| theirs | 70 | 39 |\n| **[acme/ours-small](https://x.org)** | **70.0** | 33.1 |\n",
        "| Task | Score |\n| - | - |\n| MTEB SciFact (nDCG@10) | 70.0 |\n| NFCorpus | 33.1 |\n",
        "| Task | theirs | ours-small |\n| - | - | - |\n| Sci Fact | 64.2 | 70.0% |\n| NFCorpus | 30.0 | 33.1 |\n",
        "<table><tr><th></th><th>ours-small</th></tr><tr><td>SciFact</td><td>0.7</td></tr><tr><td>NFCorpus</td><td>.331</td></tr></table>\n",
    ],
)
def test_tables_of_many_forms_are_read(card_facts: CardFacts, body: str) -> None:
    """Models may stand in rows or columns, cells may have markup, scores may be fractions."""
    assert [float(indexed) for _, _, indexed in stated(card_facts, body)] == [64.21]


@pytest.mark.parametrize(
    "body",
    [
        "| Model | SciFact | NFCorpus |\n| - | - | - |\n| theirs | 70.1 | 39.0 |\n",
        "| Model | SciFact | law | news | web |\n| - | - | - | - | - |\n| ours-small | 70.1 | 39.0 | 1.0 | 2.0 |\n",
        "| Model | dim | SciFact | NFCorpus |\n| - | - | - | - |\n| ours-small | 64 | 60.1 | 30.0 |\n| ours-small | 32 | 50.1 | 20.0 |\n",
        "Matryoshka at 64:\n\n| Task | ours-small |\n| - | - |\n| SciFact | 50.0 |\n| NFCorpus | 20.0 |\n",
        "Recall@100\n\n| Task | ours-small |\n| - | - |\n| SciFact | 91.0 |\n| NFCorpus | 50.0 |\n",
        "| Task | Pairs |\n| - | - |\n| SciFact | 809 |\n| NFCorpus | 1200 |\n",
        "| Task | ours-small |\n| - | - |\n| SciFact | n/a |\n| NFCorpus | 33.1 ± 0.4 |\n",
        "| a |\n| - |\n",
    ],
)
def test_tables_of_other_things_are_left_alone(card_facts: CardFacts, body: str) -> None:
    """Other models, other benchmarks, other variants, other metrics and counts contradict nothing."""
    assert stated(card_facts, body) == []


def test_a_mean_over_languages_is_no_contradiction(card_facts: CardFacts) -> None:
    """A task with several configurations has several scores, and a table's one number is none of them."""
    results = index(("Bitext", "f1", 70), config="de") + index(("Bitext", "f1", 60), config="fr")
    assert stated(card_facts, "| Task | ours-small |\n| - | - |\n| Bitext | 65.0 |\n", results) == []


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("The No.1 embedding model on MTEB.", "rank"),
        ("Our model ranks first on the MTEB leaderboard.", "rank"),
        ("It currently holds the #1 spot on the leaderboard.", "rank"),
        ("It tops the multilingual MTEB leaderboard.", "rank"),
        ("本模型在C-MTEB排名第一。", "rank"),
        ("This model is the best open-source embedding model.", "best"),
        ("It outperforms all other open models.", "best"),
        ("Our model achieves state-of-the-art results.", "art"),
        ("**A SOTA embedding model**", "art"),
        ("We compare with state-of-the-art models.", None),
        ("It is built on BERT, a state-of-the-art encoder.", None),
        ("We don't claim that it is SOTA.", None),
        ("State-of-the-art methods mine hard negatives.", None),
        ("This model uses state-of-the-art techniques.", None),
        ("It ranks passages, and the first in the list is the best.", None),
        ("See *“A state-of-the-art encoder”* of 2020.", None),
        ("Theirs is the first model that supports it.", None),
    ],
)
def test_sentences_that_put_this_model_first(card_facts: CardFacts, sentence: str, kind: str | None) -> None:
    """Only a sentence about this model that says that it is the best is a claim."""
    ranks = card_facts(f"# jade\n\nA small encoder.\n\n{sentence}\n")["claims.ranks"]
    assert [row["kind"] for row in ranks] == ([kind] if kind else [])
    assert all(row["line"] == 5 for row in ranks)


@pytest.mark.parametrize(
    ("text", "shown", "dated"),
    [
        ("Our model is state of the art.", False, False),
        ("Our model is state of the art (nDCG@10 of 71.3).", True, False),
        ("Our model is state of the art, see the [paper](https://arxiv.org/abs/2401.00001).", True, False),
        ("Our model is state of the art as of March 12, 2026.", False, True),
        ("Our model is state of the art.\n\n![scores](scores.png)", True, False),
        ("Our model is state of the art.\n\n## Paper\n\nSee https://arxiv.org/abs/2401.00001.", False, False),
    ],
)
def test_what_stands_with_a_claim(card_facts: CardFacts, text: str, *, shown: bool, dated: bool) -> None:
    """A number, a link or a picture in the same section shows something; another section does not."""
    (row,) = card_facts(f"# jade\n\n{text}\n")["claims.ranks"]
    assert (row["shown"], row["dated"]) == (shown, dated)


@pytest.mark.parametrize(
    ("files", "scores"),
    [
        ({"README.md": "# jade\n"}, False),
        ({"README.md": "# jade\n\n| a | b |\n| - | - |\n| x | 61.2 |\n| y | 55.1 |\n"}, True),
        ({"README.md": "# jade\n\n| a | b |\n| - | - |\n| layers | 12 |\n| heads | 8 |\n"}, False),
        ({"README.md": HEAD.format(results=TWO, body="")}, True),
        ({"README.md": "# jade\n", ".eval_results/a.yaml": "- dataset: {id: cais/hle, task_id: default}\n  value: 20.9\n"}, True),
    ],
)
def test_where_scores_are_shown(make_model: MakeModel, facts_of: FactsOf, files: dict[str, str], *, scores: bool) -> None:
    """Scores stand in model-index, in a table of decimal numbers or in `.eval_results`."""
    assert facts_of(make_model(files))["claims.scores"] is scores


@pytest.mark.parametrize(
    "unit",
    [
        "our model is state of the art. ", "is the no.1 ", "ranks first on the ", "is the best open ", "outperforms all a b ", '"sota" ',
        "排名第一", "# sota\n", "[sota", "sota\n\n",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_no_faster(unit: str) -> None:
    """Two megabytes of a trigger word take no more than a few times as long as a quarter of that."""
    from cardcheck.facts.located import Location
    from cardcheck.facts.prose import Prose
    from cardcheck.facts.ranks import collect_ranks

    def seconds(size: int) -> float:
        facts = Facts()
        facts.set("card.text", unit * (size // len(unit)), Location("README.md", 1, 1))
        start = time.perf_counter()
        collect_ranks(facts, Prose(facts))
        return time.perf_counter() - start

    assert seconds(2_000_000) < 12 * seconds(500_000) + 0.5
