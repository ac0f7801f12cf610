"""Base models, names, loads, architectures, citations and paper numbers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts import Facts, collect
from cardcheck.facts.families import MODELS, architectures, cited_family, contradicts
from cardcheck.facts.identity import is_near
from cardcheck.facts.lineage import base_problem, collect_lineage
from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.prose import Prose
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import CardFacts, FactsOf, MakeModel


def known_as(path: Any, hub_id: str) -> Facts:
    """Return the facts of a folder that is known by a Hub id."""
    return collect(Subject(str(path), "folder", path, id=hub_id))


def values(facts: Facts, name: str, key: str) -> list[Any]:
    """Return one key of a fact's rows."""
    return [row[key] for row in facts[name]]


@pytest.mark.parametrize(
    ("value", "problem", "meant"),
    [
        ("acme/base", "", ""),
        ("bert-base-uncased", "", ""),
        ("xlm-roberta-large", "", ""),
        ("https://huggingface.co/acme/base", "address", "acme/base"),
        ("https://hf.co/acme/base/tree/main", "address", "acme/base"),
        ("https://huggingface.co/gpt2", "address", "gpt2"),
        ("https://acme.example/base.zip", "elsewhere", ""),
        ("huggingface.co/acme/base", "elsewhere", ""),
        ("s3://bucket/base", "elsewhere", ""),
        ("./base", "path", ""),
        ("C:\\models\\base", "path", ""),
        ("a/b/c", "path", ""),
        ("outputs/stage1", "path", ""),
        ("acme/checkpoint-500", "path", ""),
        ("None", "nothing", ""),
        ("", "nothing", ""),
        ("a large encoder", "text", ""),
        ("acme/base@main", "text", ""),
        ("bge-m3", "owner", "BAAI/bge-m3"),
        ("my-encoder", "owner", ""),
        ("1.5", "owner", ""),
    ],
)
def test_what_keeps_a_base_model_from_being_an_id(value: str, problem: str, meant: str) -> None:
    """Addresses, paths, remarks and names without an owner are told from ids, and the id that is meant is given where it is sure."""
    assert base_problem(value) == (problem, meant)


def test_declared_bases_have_their_places(card_facts: CardFacts) -> None:
    """Each base model points at its own line, whether one or a list was written."""
    facts = card_facts("---\nlicense: mit\nbase_model:\n- acme/base\n- ./out\n---\n# m\n")
    assert [(row["value"], row["line"], row["column"]) for row in facts["lineage.bases"]] == [("acme/base", 4, 3), ("./out", 5, 3)]
    assert values(card_facts("---\nbase_model: acme/base\n---\n# m\n"), "lineage.bases", "line") == [2]


@pytest.mark.parametrize("value", ["{a: 1}", "[[x], {b: 2}, null, 5, true]", "1.5", "null", "''", "[]", "{}", "'\U0001f600'"])
@pytest.mark.parametrize("key", ["base_model", "new_version", "base_model_relation", "datasets"])
def test_front_matter_of_other_shapes(card_facts: CardFacts, key: str, value: str) -> None:
    """Any type can stand under a key, and none makes reading fail."""
    assert card_facts(f"---\nlicense: mit\n{key}: {value}\n---\n# m\n")["card.has_front_matter"] is True


def test_a_base_that_is_the_subject(make_model: MakeModel) -> None:
    """The subject's own id is recognised in any case."""
    path = make_model({"README.md": "---\nbase_model: [Acme/Ours, acme/base]\n---\n# ours\n"})
    assert values(known_as(path, "acme/ours"), "lineage.bases", "itself") == [True, False]


LINK = "[base](https://huggingface.co/acme/base)"


@pytest.mark.parametrize(
    "text",
    [
        f"This model is a fine-tuned version of {LINK} on pairs.",
        f"It was initialized from {LINK}.",
        f"- **Base model:** {LINK}",
        f"Our encoder is built on top of the strong {LINK}.",
        f"Starting from {LINK}, we trained for a day.",
        "It is based on `acme/base`.",
        "This is a quantized version of https://huggingface.co/acme/base.",
        "We trained it, continuing long,\nbased on [base](https://huggingface.co/acme/base).",
        f"A version of {LINK} that was fine-tuned for law.",
        f"An improved version of {LINK}, trained on more data.",
        f"We use the pretrained {LINK} which is a 6 layer version of [large](https://huggingface.co/acme/large), and train it.",
        f"This is a the sentence-transformers version of the {LINK} model.",
        f"- **Licence:** MIT licence\n- **Finetuned from:** {LINK}",
        f"It was developed from scratch. It is based on the {LINK} architecture as starting point.",
        f"Finetuned from model: {LINK}",
        "It is based on acme/base.".replace("acme/base", "`acme/base`"),
    ],
)
def test_models_that_the_text_says_it_was_made_from(card_facts: CardFacts, text: str) -> None:
    """The usual ways to say it are found."""
    assert values(card_facts(f"# ours\n\n{text}\n"), "lineage.stated", "id") == ["acme/base"]


@pytest.mark.parametrize(
    "text",
    [
        f"The tokenizer is based on {LINK}.",
        f"This card is based on {LINK}.",
        f"For a multilingual version of the model see {LINK}.",
        f"The previous version of this model is {LINK}.",
        f"Unlike models based on {LINK}, it is small.",
        f"It is better than {LINK}.",
        f"Evaluated with the benchmark based on {LINK}.",
        "It was fine-tuned from our encoder on [pairs](https://huggingface.co/datasets/acme/base).",
        "It is based on [our space](https://huggingface.co/spaces/acme/base).",
        "```\nfine-tuned from `acme/base`\n```",
        "<!-- This model is based on `acme/base`. -->",
        "It is based on BERT/RoBERTa.",
        f"Version of today: {LINK}",
        f"This is a multilingual version of {LINK}, trained on nine languages.",
        f"[small](https://acme.example/small) which is a distilled version of {LINK}.",
        f"It is based on the {LINK} architecture.",
        f"We used the pretrained {LINK} to mine hard negatives.",
        f"The vision encoder is initialized from {LINK}.",
    ],
)
def test_models_that_it_was_not_made_from(card_facts: CardFacts, text: str) -> None:
    """Other models, other things made from them, code and comments are no statement on the model's origin."""
    assert card_facts(f"# ours\n\n{text}\n")["lineage.stated"] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"It was **fine-tuned from** the {LINK}.", "fine-tuned from the base"),
        ("It was fine-tuned from https://huggingface.co/acme/base.", "fine-tuned from https://huggingface.co/acme/base"),
        ("- **Base model:** `acme/base`, by Acme", "Base model: acme/base"),
    ],
)
def test_words_of_origin_are_quoted_as_they_stand(card_facts: CardFacts, text: str, words: str) -> None:
    """The words are those of the page, without marks of Markdown."""
    assert values(card_facts(f"# ours\n\n{text}\n"), "lineage.stated", "words") == [words]


def test_what_a_copy_says_of_its_original(make_model: MakeModel) -> None:
    """In another format's copy, words on training are the original's; those on the copying are its own."""
    card = "# chat\n\nchat is a fine-tuned version of `acme/base`. This is a quantized version of `acme/chat`.\n"
    facts = known_as(make_model({"README.md": card}), "copies/chat-gguf")
    assert values(facts, "lineage.stated", "id") == ["acme/chat"]


@pytest.mark.parametrize(
    ("text", "conversion", "untrained"),
    [
        ("This model was converted from the Tensorflow model [st5](https://tfhub.dev/google/st5/1) to PyTorch.", True, True),
        (f"This is the sentence-transformers version of the {LINK} model.", True, True),
        ("Mirror of acme/base.", True, True),
        ("A re-upload of acme/base.", True, True),
        (f"A fine-tuned version of {LINK}.", False, False),
        ("Quantized models are available from [them](https://huggingface.co/them).", False, False),
    ],
)
def test_conversions_by_their_text(card_facts: CardFacts, text: str, *, conversion: bool, untrained: bool) -> None:
    """Copies in another format are told from models of their own."""
    facts = card_facts(f"# ours\n\n{text}\n")
    assert (facts["lineage.is_conversion"], facts["lineage.is_untrained"]) == (conversion, untrained)


@pytest.mark.parametrize(
    ("front", "conversion", "untrained"),
    [
        ("base_model: acme/base\nbase_model_relation: quantized", True, True),
        ("base_model: [acme/one, acme/two]\nbase_model_relation: merge", False, True),
        ("base_model: [acme/one, acme/two]\ntags: [mergekit]", False, True),
        ("base_model: acme/base\nlibrary_name: model2vec", False, True),
        ("tags: [mergekit]", False, False),
        ("base_model: acme/base", False, False),
    ],
)
def test_models_that_nobody_trained(card_facts: CardFacts, front: str, *, conversion: bool, untrained: bool) -> None:
    """Merges and static vectors of declared models were put together without training."""
    facts = card_facts(f"---\n{front}\n---\n# ours\n")
    assert (facts["lineage.is_conversion"], facts["lineage.is_untrained"]) == (conversion, untrained)


def test_the_first_line_of_the_text(card_facts: CardFacts) -> None:
    """Blank lines and comments before it do not count; an empty text has none, and no place past its end."""
    facts = card_facts("---\nlicense: mit\n---\n\n<!-- x -->\n\n  Hello\nworld\n")
    assert (facts["lineage.opening"], facts.places["lineage.opening"].line) == ("Hello", 7)
    assert card_facts("---\nlicense: mit\n---\n\n")["lineage.opening"] is None


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("```python\nm = SentenceTransformer('acme/other')\n```", [("acme/other", False, False)]),
        ("Switch to acme/other, please.\n\n```python\nm = SentenceTransformer('acme/other')\n```", [("acme/other", False, True)]),
        ("Switch to acme/other-two.\n\n```python\nm = SentenceTransformer('acme/other')\n```", [("acme/other", False, False)]),
        ("# other\n\n```python\nm = SentenceTransformer('acme/other')\n```", [("acme/other", True, False)]),
        ("# other\n\n```python\nm = SentenceTransformer('them/other')\n```", [("them/other", False, False)]),
        ("## Training\n\n```python\nm = SentenceTransformer('acme/other')\n```", []),
        ("```python\nm = SentenceTransformer('acme/other')\nm.fit(data)\n```", []),
        ("```\npython run.py --model_name_or_path='acme/other'\n```", []),
        ("```python\nm = SentenceTransformer('output/other')\n```", []),
        (
            "```python\na = SentenceTransformer('acme/a')\nb = CrossEncoder('acme/b')\n```",
            [("acme/b", False, False), ("acme/a", False, False)],
        ),
    ],
)
def test_other_models_that_the_code_loads(make_model: MakeModel, card: str, expected: list[tuple[str, bool, bool]]) -> None:
    """What trains or converts does not count; a reranker's card may load a retriever first."""
    facts = known_as(make_model({"README.md": card}), "acme/reranker")
    assert [(row["id"], row["renamed"], row["advised"]) for row in facts["lineage.loads"]] == expected


def test_sections_on_sister_models_say_nothing_of_this_one(make_model: MakeModel) -> None:
    """A family's card describes each member; only the part on this one counts."""
    card = "# family\n\n## encoder-small\n\nBased on `acme/tiny`.\n\n## encoder-large\n\nBased on `acme/huge`.\n"
    facts = known_as(make_model({"README.md": card}), "acme/encoder-large")
    assert values(facts, "lineage.stated", "id") == ["acme/huge"]


@pytest.mark.parametrize(
    ("hub_id", "card", "expected"),
    [
        ("acme/ours-GGUF", "# m\n", True),
        ("acme/ours.Q4_K_M", "# m\n", True),
        ("acme/ours", "---\ntags: [gguf]\n---\n# m\n", True),
        ("acme/ours", "---\nlibrary_name: transformers.js\n---\n# m\n", True),
        ("acme/ours", "# m\n\nhttps://huggingface.co/acme/base with ONNX weights to be compatible.\n", True),
        ("acme/ours", "# m\n\nThis is a port of the [base](https://huggingface.co/acme/base) model.\n", True),
        ("acme/ours", "# m\n\nIt can be exported to ONNX.\n", False),
        ("acme/monnxter", "# m\n", False),
    ],
)
def test_conversions(make_model: MakeModel, hub_id: str, card: str, *, expected: bool) -> None:
    """Another model's weights in another format are known by name, tags, library or text."""
    assert known_as(make_model({"README.md": card}), hub_id)["lineage.is_conversion"] is expected


@pytest.mark.parametrize(
    ("code", "loads", "names_it"),
    [
        ("SentenceTransformer('acme/base')", ["acme/base"], False),
        ("SentenceTransformer(\n    'acme/base',\n)", ["acme/base"], False),
        ('AutoModel.from_pretrained("acme/base")', ["acme/base"], False),
        ('AutoTokenizer.from_pretrained("acme/base")', [], False),
        ("pipeline('feature-extraction', 'acme/base')", ["acme/base"], False),
        ("model_name = 'acme/base'", ["acme/base"], False),
        ("# SentenceTransformer('acme/base')", [], False),
        ("TextEmbedding(model_name='acme/base')", [], False),
        ("load_dataset('acme/base')", [], False),
        ("SentenceTransformer('Acme/Ours')", ["Acme/Ours"], True),
        ("SentenceTransformer('./models/ours')", [], True),
        ("SentenceTransformer('acme/ours-large')", ["acme/ours-large"], False),
        ("curl https://huggingface.co/acme/ours/resolve/main/a", [], True),
    ],
)
def test_what_the_code_loads(make_model: MakeModel, code: str, loads: list[str], *, names_it: bool) -> None:
    """Models in calls and assignments count; tokenizers, comments and data sets do not; the subject is found by id or folder."""
    facts = known_as(make_model({"README.md": f"# m\n\n```python\n{code}\n```\n"}), "acme/ours")
    assert values(facts, "lineage.loads", "id") == loads
    assert facts["lineage.code_names_it"] is names_it


def test_place_of_a_load(make_model: MakeModel) -> None:
    """A load points at the id in its line."""
    facts = known_as(make_model({"README.md": "# m\n\n```python\nimport x\nm = SentenceTransformer('a/b')\n```\n"}), "acme/ours")
    assert [(row["line"], row["column"]) for row in facts["lineage.loads"]] == [(5, 26)]


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("helpdesk-lab", "helpdesk-labs", True),
        ("helpdesk_labs", "helpdesk-labs", True),
        ("helpdsek-labs", "helpdesk-labs", True),
        ("acme", "acne", True),
        ("acme", "amce", False),
        ("ab", "ac", False),
        ("xcme-research", "acme-research", False),
        ("acme-research", "acme-reading", False),
    ],
)
def test_owners_that_are_one_slip_apart(first: str, second: str, *, near: bool) -> None:
    """Two letters may differ in a long name, one in a short one, and none in the shortest."""
    assert is_near(first, second) is near


def test_an_owner_that_is_spelled_otherwise(make_model: MakeModel) -> None:
    """Only the same name under a similar owner counts, once, and not on other hosts."""
    card = (
        "# m\n\nSee helpdesk-lab/ours and https://huggingface.co/helpdesk-lab/ours. [c](https://github.com/helpdesklabs/ours)\n\n"
        "helpdesk-lab/ours-small other/ours Helpdesk-Labs/ours\n"
    )
    facts = known_as(make_model({"README.md": card}), "helpdesk-labs/ours")
    assert [(row["id"], row["line"], row["column"]) for row in facts["lineage.near_owners"]] == [("helpdesk-lab/ours", 3, 5)]


@pytest.mark.parametrize(
    ("title", "other"),
    [
        ("all-MiniLM-L6-v2", "all-MiniLM-L6-v2"),
        ("Model Card for `other/their-model`", "other/their-model"),
        ("acme/helpdesk", None),
        ("helpdesk", None),
        ("Help desk encoder", None),
        ("SentenceTransformer based on BAAI/bge-m3", None),
        ("Text/Image", None),
        ("elsewhere/helpdesk", None),
        ("bge-m3", None),
    ],
)
def test_titles_that_are_other_models_names(make_model: MakeModel, title: str, other: str | None) -> None:
    """An id or a well-known name counts, unless it can be the subject's or is its declared base."""
    path = make_model({"README.md": f"---\nbase_model: BAAI/bge-m3\n---\n# {title}\n"})
    assert known_as(path, "acme/helpdesk")["lineage.other_title"] == other


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Qwen/Qwen2.5-1.5B", "Qwen2"),
        ("Qwen/Qwen3-Embedding-0.6B", "Qwen3"),
        ("meta-llama/Llama-3-8B", "Llama"),
        ("BAAI/bge-m3", "XLM-RoBERTa"),
        ("answerdotai/ModernBERT-base", "ModernBERT"),
        ("sentence-transformers/all-mpnet-base-v2", "MPNet"),
        ("google-bert/bert-base-uncased", "BERT"),
        ("acme/ours", None),
    ],
)
def test_architectures_by_name(name: str, label: str | None) -> None:
    """Names of well-known models tell one architecture, other names none."""
    assert architectures(name)[0] == ([label] if label else [])


@pytest.mark.parametrize(
    ("name", "model_type", "expected"),
    [
        ("Qwen/Qwen2.5-1.5B", "bert", True),
        ("Qwen/Qwen2.5-1.5B", "qwen2", False),
        ("Qwen/Qwen2-VL-2B", "qwen2_vl", False),
        ("intfloat/multilingual-e5-small", "bert", False),
        ("hfl/chinese-roberta-wwm-ext", "bert", False),
        ("microsoft/Multilingual-MiniLM-L12-H384", "xlm-roberta", False),
        ("intfloat/e5-mistral-7b-instruct", "mistral", False),
        ("vinai/phobert-base", "roberta", False),
        ("google/gemma-3-300m", "gemma3_text", False),
        ("acme/mistral", "our_own", False),
        ("acme/ours", "bert", False),
    ],
)
def test_contradictions_of_architecture(name: str, model_type: str, *, expected: bool) -> None:
    """Only a plain type of another architecture contradicts a name."""
    assert contradicts(model_type, architectures(name)[1]) is expected


def test_well_known_models_contradict_none_of_their_types() -> None:
    """The packaged ids are whole, and each is found by its own name."""
    assert all(name.count("/") == 1 and MODELS[name.rpartition("/")[2].lower()] == name for name in MODELS.values())


def test_architecture_against_the_declared_base(make_model: MakeModel, facts_of: FactsOf) -> None:
    """All bases together must be of another architecture; students of a teacher are left alone."""
    config = '{"model_type": "bert"}'

    def found(card: str) -> list[Any]:
        return values(facts_of(make_model({"README.md": card, "config.json": config})), "lineage.architecture", "where")

    assert found("---\nbase_model: Qwen/Qwen2.5-1.5B\n---\n# m\n") == ["base_model"]
    assert found("# m\n\nFine-tuned from `meta-llama/Llama-3-8B`.\n") == ["text"]
    assert found("# Mistral embedder\n") == ["title"]
    assert found("---\nbase_model: [acme/head, Qwen/Qwen2.5-1.5B]\n---\n# m\n") == []
    assert found("---\nbase_model: Qwen/Qwen2.5-1.5B\n---\n# m\n\nA distilled student.\n") == []


@pytest.mark.parametrize(
    ("declared", "file", "key", "disagrees"),
    [
        ("acme/base", {"adapter_config.json": '{"base_model_name_or_path": "other/decoder"}'}, "adapter_base", "other/decoder"),
        ("acme/Meta-base-8B", {"adapter_config.json": '{"base_model_name_or_path": "copies/base-8b-bnb-4bit"}'}, "adapter_base", None),
        ("acme/base", {"adapter_config.json": '{"base_model_name_or_path": "/home/ada/x"}'}, "adapter_base", None),
        ("acme/base", {"adapter_config.json": '{"base_model_name_or_path": [1]}'}, "adapter_base", None),
        ("acme/base", {"adapter_config.json": "{"}, "adapter_base", None),
        ("acme/base", {"config.json": '{"_name_or_path": "other/decoder"}'}, "config_base", "other/decoder"),
        ("acme/base", {"config.json": '{"_name_or_path": "acme/ours"}'}, "config_base", None),
        ("acme/base", {"config.json": '{"_name_or_path": ""}'}, "config_base", None),
        ("''", {"config.json": '{"_name_or_path": "other/decoder"}'}, "config_base", None),
    ],
)
def test_bases_of_the_files_against_the_declared(
    make_model: MakeModel, declared: str, file: dict[str, str], key: str, disagrees: str | None
) -> None:
    """A base in a file counts where it is none of the declared ones by any spelling."""
    facts = known_as(make_model({"README.md": f"---\nbase_model: {declared}\n---\n# m\n", **file}), "acme/ours")
    assert facts[f"lineage.{key}"] == disagrees


@pytest.mark.parametrize(
    ("value", "unknown"), [("finetune", None), ('"merge"', None), ("fine-tuned", "fine-tuned"), ("quantized # x", None)]
)
def test_relation_to_the_base(card_facts: CardFacts, value: str, unknown: str | None) -> None:
    """Relations that the Hub knows pass, quoted or with a remark behind."""
    assert card_facts(f"---\nbase_model_relation: {value}\n---\n# m\n")["lineage.unknown_relation"] == unknown


@pytest.mark.parametrize(
    ("number", "impossible"),
    [
        ("2401.01234", False),
        ("2401.01234v3", False),
        ("1412.6980", False),
        ("0704.0001", False),
        ("2413.01234", True),
        ("2400.01234", True),
        ("1234.56789", True),
        ("2401.00000", True),
        ("2401.1234", True),
        ("1412.69801", True),
        ("0601.0001", True),
    ],
)
def test_paper_numbers(card_facts: CardFacts, number: str, *, impossible: bool) -> None:
    """Numbers of arXiv are a year and month from April 2007 on and a serial number, of five digits since 2015."""
    for text in (f"https://arxiv.org/abs/{number}", f"arXiv:{number}"):
        assert bool(card_facts(f"# m\n\n{text}\n")["lineage.impossible_papers"]) is impossible


CPACK = "@misc{bge_embedding,\n title={C-Pack: Packaged Resources},\n}"


@pytest.mark.parametrize(
    ("card", "named"),
    [
        (f"# ours\n\n```\n{CPACK}\n```\n", False),
        (f"# ours\n\n{CPACK}\n", False),
        (f"# ours\n\n| BGE | 60 |\n|---|---|\n\n```\n{CPACK}\n```\n", False),
        (f"# ours\n\nMade from BGE.\n\n```\n{CPACK}\n```\n", True),
        (f"---\nbase_model: BAAI/bge-m3\n---\n# ours\n\n```\n{CPACK}\n```\n", True),
        (f"# bge-ours\n\n```\n{CPACK}\n```\n", True),
        (f"# ours\n\n## SomeLoss\n\n```\n{CPACK}\n```\n", True),
    ],
)
def test_citations_of_well_known_models(card_facts: CardFacts, card: str, *, named: bool) -> None:
    """A known paper is told from others, and whether the card names its models outside of tables and citations."""
    (row,) = card_facts(card)["lineage.citations"]
    assert (row["key"], row["family"], row["named"]) == ("bge_embedding", "BGE", named)


def test_citations_of_losses_and_libraries_are_of_no_model() -> None:
    """What generated cards cite is no model's paper."""
    assert cited_family("reimers-2019-sentence-bert", "Sentence-BERT: Sentence Embeddings using Siamese BERT-Networks") is None
    assert cited_family("ours", "Notes on Embeddings") is None


@pytest.mark.parametrize(
    "entry",
    [
        "@misc{your-model,\n title={A}\n}",
        "@misc{citekey,\n title={A}\n}",
        "@misc{a,\n title={Your Paper Title}\n}",
        "@misc{a,\n title = {{[Insert title]}}\n}",
        "@misc{a,\n title={A},\n author={Your Name}\n}",
        '@misc{a,\n title="A",\n author="First Author and Author 2"\n}',
        "@misc{a,\n title={A},\n author={John Doe}\n}",
        "@misc{a,\n title={A},\n year={20XX}\n}",
        "@misc{a,\n title={A},\n journal={arXiv:XXXX.XXXXX}\n}",
        "@misc{a,\n title={A},\n url={https://huggingface.co/your-username/model}\n}",
    ],
)
def test_what_a_template_left_in_a_citation(card_facts: CardFacts, entry: str) -> None:
    """Keys, titles, authors and numbers of templates are recognised."""
    assert values(card_facts(f"# m\n\n```bibtex\n{entry}\n```\n"), "lineage.citations", "blank") != [""]


@pytest.mark.parametrize(
    "entry",
    [
        "@misc{ours2024,\n title={Your Embeddings and You},\n author={Name, A. and Youring, B.},\n year={2024}\n}",
        "@article{keylog,\n title={{Titles} of {M}odels},\n author={Doe, Jonathan},\n journal={arXiv:2401.01234}\n}",
        "@misc{ours,\n title={The Author of the Model}\n}",
        "@misc{",
        "@misc{a, title={",
    ],
)
def test_citations_that_are_filled_in(card_facts: CardFacts, entry: str) -> None:
    """Entries that only sound like a template's, and broken ones, have nothing left in them."""
    assert values(card_facts(f"# m\n\n```bibtex\n{entry}\n```\n"), "lineage.citations", "blank") == [""]


@pytest.mark.parametrize(
    "repeated",
    [
        "@article{",
        "@misc{a, title={",
        "https://huggingface.co/",
        "based on `a/b` ",
        "[",
        "`",
        "/ours",
        "a/ours ",
        "arxiv:2413.00001 ",
        "'a/b'",
        "we used the pretrained [a](",
        "](x) which is a version of `a/b` ",
        "switch to a/b ",
    ],
)
def test_repetition_does_not_slow_it_down(repeated: str) -> None:
    """A text made to hurt and four times as long costs less than eight times as much: quadratic time would be sixteen times."""

    def cost(length: int) -> float:
        runs = []
        for _ in range(3):
            facts = Facts()
            facts.sources["card"] = Source("known")
            facts.set("subject.id", "acme/ours")
            facts.set("card.text", repeated * (length // len(repeated)), Location("README.md", 1, 1))
            facts.texts["README.md"] = facts["card.text"]
            facts.add("card.code", Location("README.md", 1, 1), language="", text=facts["card.text"])
            prose = Prose(facts)
            begin = time.process_time()
            collect_lineage(facts, prose)
            runs.append(time.process_time() - begin)
        return min(runs)

    assert cost(2_000_000) < max(8 * cost(500_000), 0.3)


def test_hostile_configuration(make_model: MakeModel) -> None:
    """Values of any type in the files are read without failure."""
    hostile: list[Any] = [1, [], {}, None, True, "\u202e", "a/b" * 1000]
    for value in hostile:
        files = {
            "README.md": "---\nbase_model: acme/base\n---\n# m\n",
            "config.json": json.dumps({"model_type": value, "_name_or_path": value}),
            "adapter_config.json": json.dumps({"base_model_name_or_path": value}),
        }
        assert known_as(make_model(files), "acme/ours")["lineage.is_conversion"] is False
