"""What the card states of its vectors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts import recipe, statements
from cardcheck.facts.model import Facts
from cardcheck.facts.statements import collect_statements
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from conftest import CardFacts, FactsOf, MakeModel

HEAD = "---\ntags: [sentence-transformers]\n---\n# m\n\n"
PRINTED = """\
```
SentenceTransformer(
  (0): Transformer({'max_seq_length': 128, 'do_lower_case': False}) with Transformer model: BertModel
  (1): Pooling({'word_embedding_dimension': 768, 'pooling_mode_cls_token': False, 'pooling_mode_mean_tokens': True})
  (2): Dense({'in_features': 768, 'out_features': 256, 'bias': True})
  (3): Normalize()
)
```
"""


def rows(facts: Facts, name: str, *keys: str) -> list[tuple[Any, ...]]:
    """Return some keys of a fact's rows."""
    return [tuple(row[key] for key in keys) for row in facts[name]]


def code(text: str) -> str:
    """Return a card with a block of Python."""
    return f"{HEAD}```python\n{text}\n```\n"


@pytest.mark.parametrize(
    ("text", "tokens", "firm"),
    [
        ("Text longer than 512 word pieces is cut.", 512, 3),
        ("- **Maximum Sequence Length:** 8,192 tokens", 8192, 3),
        ("The maximum sequence length is **512** tokens.", 512, 3),
        ("| Max Input Tokens | 32k |", 32768, 3),
        ("Context length: 128K", 131072, 3),
        ("Max tokens: 10k", 10000, 3),
        ("| Sequence length | 2048 |", 2048, 3),
        ("Inputs are truncated to at most 256 tokens.", 256, 3),
        ("Input longer than 512 tokens will be truncated.", 512, 3),
        ("This model supports inputs of up to 2048 tokens.", 2048, 2),
        ("The model can process up to 8k tokens", 8192, 2),
        ("with a context length of 8192", 8192, 2),
        ("a 512-token limit", 512, 2),
        ("Our other model reads up to 8192 tokens.", 8192, 1),
        ("We train with a maximum sequence length of 128.", None, 0),
        ("The sequence length was limited to 128 tokens.", 128, 1),
        ("Molecules longer than 202 tokens were dropped.", 202, 1),
        ("We used a batch size of 32 and a maximum sequence length of 128 tokens.", 128, 1),
        ("### Hyperparameters\n\n- max_seq_length: 128", 128, 1),
        ("It has some tokens, and version 2.512 tokens.", None, 0),
        ("<!-- Maximum sequence length: 99 tokens -->", None, 0),
    ],
)
def test_token_limits(card_facts: CardFacts, text: str, tokens: int | None, firm: int) -> None:
    """Limits are read with how surely they are this model's; those of training runs and of data are not firm."""
    found = rows(card_facts(f"{HEAD}{text}\n"), "card.max_tokens", "tokens", "firm")
    assert found == ([(tokens, firm)] if tokens else [])


def test_thousands_of_tokens_may_be_binary_or_not(card_facts: CardFacts) -> None:
    """What is written as 32k is met by 32,000 and by 32,768."""
    row = card_facts(f"{HEAD}Max tokens: 32k\n")["card.max_tokens"][0]
    assert row["least"] <= 32000
    assert row["most"] >= 32768


@pytest.mark.parametrize(
    ("text", "sets"), [("model.max_seq_length = 64", True), ("tokenizer(x, max_length=64)", False), ('{"max_seq_length": 64}', None)]
)
def test_token_limits_in_code(card_facts: CardFacts, text: str, *, sets: bool | None) -> None:
    """Code that sets the model's limit is told from code that names one; printed settings are none."""
    assert rows(card_facts(code(text)), "card.max_tokens", "firm", "sets") == ([(1, sets)] if sets is not None else [])


@pytest.mark.parametrize(
    ("text", "dimension", "firm"),
    [
        ("It maps sentences & paragraphs to a 384 dimensional dense vector space.", 384, 2),
        ("- **Output Dimensionality:** 768 dimensions", 768, 2),
        ("| **Dimensions** | **1,024** |", 1024, 2),
        ("Embedding dimension: 1536", 1536, 2),
        ("- sentence embedding dim: 768", 768, 2),
        ("the embedding size is 1024", 1024, 2),
        ("384-dim embeddings", 384, 2),
        ("a 768-d vector", 768, 2),
        ("returns a vector of length 384", 384, 2),
        ("embeddings are 1024-dimensional", 1024, 2),
        ("Vector size: 512", 512, 2),
        ("Its larger sister has 1024 dimensions.", 1024, 1),
        ("It has two dimensions.", None, 0),
        ("A score of 0.768 dimensions", None, 0),
    ],
)
def test_dimensions(card_facts: CardFacts, text: str, dimension: int | None, firm: int) -> None:
    """Dimensions are read in the many ways that they are written in, with how surely they are this model's."""
    found = rows(card_facts(f"{HEAD}{text}\n"), "card.dimensions", "dimension", "firm")
    assert found == ([(dimension, firm)] if dimension else [])


def test_place_and_quotation(card_facts: CardFacts) -> None:
    """A statement stands at its number and is quoted without markup."""
    row = card_facts(f"{HEAD}one\r\n\r\n- **Output Dimensionality:** 512 dimensions\r\n")["card.dimensions"][0]
    assert (row["line"], row["column"], row["text"]) == (8, 30, "Output Dimensionality: 512 dimensions")


@pytest.mark.parametrize(
    ("text", "mode", "where"),
    [
        ("It uses mean pooling.", "mean", "text"),
        ("| Pooling-Method | CLS pooling |", "cls", "text"),
        ("**Pooling strategy**: last token", "lasttoken", "text"),
        ("by averaging the token embeddings", "mean", "text"),
        ("The [CLS] token is used as the sentence embedding.", "cls", "text"),
        ("weighted mean pooling is used", "weightedmean", "text"),
        ("```python\nv = mean_pooling(out, mask)\n```", "mean", "code"),
        ("```python\nv = last_token_pool(out, mask)\n```", "lasttoken", "code"),
        ("```python\nv = model(**x)[0][:, 0]\n```", "cls", "code"),
        ("```python\nv = out.last_hidden_state.mean(dim=1)\n```", "mean", "code"),
        ("```js\nawait extractor(x, { pooling: 'cls' })\n```", "cls", "code"),
        ("```python\nPooling(8, pooling_mode_lasttoken=True)\n```", "lasttoken", "code"),
        ("```python\n# Perform pooling. In this case, max pooling.\n```", "max", "comment"),
    ],
)
def test_pooling(card_facts: CardFacts, text: str, mode: str, where: str) -> None:
    """Pooling is read from text, code and the comment that old templates put above it."""
    assert rows(card_facts(f"{HEAD}{text}\n"), "says.pooling", "mode", "where", "own") == [(mode, where, True)]


@pytest.mark.parametrize(
    "text",
    [
        "Unlike others it does not rely on mean pooling.",
        "Pooling matters.",
        "```python\ndef cls_pooling(out):\n    return out[0][:, 0]\n```",
        "```python\ntext = output[0][len(prompt):]\n```",
    ],
)
def test_what_is_no_pooling(card_facts: CardFacts, text: str) -> None:
    """Definitions, comparisons and other indexing are no statement."""
    assert card_facts(f"{HEAD}{text}\n")["says.pooling"] == []


def test_code_that_loads_another_model_is_not_the_cards_own(card_facts: CardFacts, make_model: MakeModel) -> None:
    """With a Hub id known, code that loads a model of another name says nothing of this one."""
    from cardcheck.facts import collect
    from cardcheck.subject import Subject

    text = code("m = AutoModel.from_pretrained('acme/teacher')\nv = cls_pooling(m(x))")
    path = make_model({"README.md": text})
    assert rows(card_facts(text), "says.pooling", "own") == [(True,)]
    assert rows(collect(Subject(str(path), "folder", path, id="acme/pupil")), "says.pooling", "own") == [(False,)]
    assert rows(collect(Subject(str(path), "folder", path, id="other/Teacher")), "says.pooling", "own") == [(True,)]


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ('Start with "query: " or "passage: ".', ["query:", "passage:"]),
        ("```python\nx = f'search_query: {q}'\n```", ["search_query:"]),
        ("Queries start with query: first.", ["query:"]),
        ("```python\nreturn f'Instruct: {task}\\nQuery: {query}'\n```", ["Instruct:"]),
        ("`task: {task description} | query: `", ["task:"]),
        ("`Represent this sentence for searching relevant passages:`", ["Represent this sentence for searching relevant pas"]),
        ('```json\n{"query": "how", "passage": "so"}\n```', []),
        ("Code Llama - Instruct: for instruction following.", []),
    ],
)
def test_prompts(card_facts: CardFacts, text: str, prompts: list[str]) -> None:
    """Texts that go before the input are found in the forms that are in use."""
    facts = card_facts(f"{HEAD}{text}\n")
    assert [row["text"] for row in facts["says.prompts"]] == prompts
    assert sum(row["first"] for row in facts["says.prompts"]) == bool(prompts)


def test_the_prompt_to_point_at(card_facts: CardFacts) -> None:
    """Code comes before text, and tables, which often compare models, are not pointed at."""
    text = '| other | "query: " |\n\nSay "passage: " first.\n\n```python\nx = "search_query: a"\n```\n'
    found = rows(card_facts(HEAD + text), "says.prompts", "where", "first")
    assert found == [("table", False), ("text", False), ("code", True)]


def test_prompt_names(card_facts: CardFacts) -> None:
    """Names of prompts are read from code that encodes, not from other code."""
    assert rows(card_facts(code("model.encode(x, prompt_name='web')")), "says.prompt_names", "name", "own") == [("web", True)]
    assert card_facts(code("prompt_name = 'web'"))["says.prompt_names"] == []


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        ("| Produces normalized embeddings | No |", False),
        ("Note: when loaded, this model produces normalized embeddings.", True),
        ("The embeddings are L2-normalised.", True),
        ("Vectors are not normalized.", False),
        ("Normalized embeddings: yes", True),
        ("If the embeddings are normalized, use dot product.", None),
        ("The embeddings should be normalized.", None),
        ("```python\nF.normalize(x)\n```", None),
    ],
)
def test_normalisation(card_facts: CardFacts, text: str, *, yes: bool | None) -> None:
    """Statements of fact are told from advice and conditions."""
    assert rows(card_facts(f"{HEAD}{text}\n"), "says.normalised", "yes") == ([(yes,)] if yes is not None else [])


@pytest.mark.parametrize(
    ("text", "function", "only"),
    [
        ("- **Similarity Function:** Dot Product", "dot", True),
        ("| Suitable score functions | dot-product (`util.dot_score`) |", "dot", True),
        ("| Suitable score functions | dot-product, cosine-similarity |", "dot", False),
        ("Compare them with cosine similarity.", "cosine", True),
        ("Distance metric: L2 distance", "euclidean", True),
        ("It was trained with cosine similarity loss.", None, None),
        ("The dot is small, and so is the cosine.", None, None),
    ],
)
def test_similarity(card_facts: CardFacts, text: str, function: str | None, *, only: bool | None) -> None:
    """Similarity functions are read from labels and advice; losses are none."""
    found = rows(card_facts(f"{HEAD}{text}\n"), "says.similarity", "function", "only")
    assert found == ([(function, only)] if function else [])


def test_printed_modules(card_facts: CardFacts) -> None:
    """What `print(model)` gave tells modules, limit, pooling and the dimension that comes out."""
    facts = card_facts(HEAD + PRINTED)
    assert [row["name"] for row in facts["says.modules"]] == ["Transformer", "Pooling", "Dense", "Normalize"]
    assert (facts["says.printed_tokens"], facts["says.printed_pooling"], facts["says.printed_dimension"]) == (128, "mean", 256)
    assert facts.places["says.printed_pooling"].line == 9


@pytest.mark.parametrize(
    "text",
    [
        PRINTED + PRINTED.replace("768", "384"),
        PRINTED.replace("  (1)", "  (7)"),
        PRINTED.replace("(0): ", "(0):"),
        "```\nSentenceTransformer(\n```\n",
        "```\nSentenceTransformer(\n  (0): \n)\n```\n",
    ],
)
def test_printed_modules_that_say_nothing(card_facts: CardFacts, text: str) -> None:
    """Two different models, or modules that are not in order, say nothing of this one."""
    assert card_facts(HEAD + text)["says.modules"] == []


def test_cards_of_other_models_are_not_searched(card_facts: CardFacts) -> None:
    """A card that speaks of no vectors has no statements on them."""
    assert card_facts("# m\n\nContext length: 4096 tokens, hidden size 512\n")["card.max_tokens"] == []


def test_configuration_makes_any_card_worth_searching(make_model: MakeModel, facts_of: FactsOf) -> None:
    """With settings of sentence-transformers beside it, a card without a word of vectors is searched all the same."""
    path = make_model({"README.md": "# m\n\nMax tokens: 512\n", "sentence_bert_config.json": '{"max_seq_length": 64}'})
    assert len(facts_of(path)["card.max_tokens"]) == 1


@pytest.mark.parametrize(
    "text", ["", "İ" * 50 + " longer than 64 tokens", "\ud800 embedding dimension: 64", "٦٤ tokens", "9" * 5000 + " tokens"]
)
def test_odd_characters(text: str) -> None:
    """Letters whose small form is longer, digits of other scripts and endless numbers are read without failure."""
    facts = Facts()
    from cardcheck.facts.located import Location

    facts.set("card.text", f"embedding\n{text}\n", Location("README.md", 3, 1))
    collect_statements(facts)
    assert all(row["line"] == 4 for name in ("card.max_tokens", "card.dimensions") for row in facts[name])


@pytest.mark.parametrize(
    "repeated",
    [
        "maximum sequence length ", "longer than 1", "truncated to ", "1,", "12 ", "maps to a ", "embedding size **", "| dim | ", "_pool(",
        "pooling: ", "mean pooling is not ", "'query: ", "Instruct: ", "task: a | ", "similarity function: ", "use the dot ", "normalized ",
        "the embeddings ", "SentenceTransformer(\n  (0): ",
        "  (0): Pooling({'pooling_mode': ", "[:, 0", "\n- max tokens: 5", "<!--", "`", "\n    ",
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_faster(repeated: str) -> None:
    """A text made to hurt and four times as long costs less than eight times as much: quadratic time would be sixteen times."""
    from cardcheck.facts.located import Location

    def cost(length: int) -> float:
        text, runs = "embedding\n" + repeated * (length // len(repeated)), []
        for _ in range(3):
            facts = Facts()
            facts.set("card.text", text, Location("README.md", 1, 1))
            begin = time.process_time()
            collect_statements(facts)
            runs.append(time.process_time() - begin)
        return min(runs)

    assert cost(200_000) < max(8 * cost(50_000), 0.3)


def test_patterns_alone_grow_no_faster_than_their_text() -> None:
    """No pattern takes quadratic time on runs of what it repeats."""
    patterns = [value for module in (statements, recipe) for value in vars(module).values() if isinstance(value, Pattern)]
    assert len(patterns) > 15
    for filler in (" ", "*", "1", "a", "a ", "- ", "|", "(", "\n  (0): a("):
        begin = time.process_time()
        for pattern in patterns:
            list(pattern.finditer(filler * (60_000 // len(filler))))
        assert time.process_time() - begin < 3, filler
