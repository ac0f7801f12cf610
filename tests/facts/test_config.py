"""Configuration files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from conftest import FactsOf, MakeModel

ST = "sentence_transformers.models."
HUGE = '{"%s": 1' + "0" * 400 + "}"


def modules(*kinds: str) -> str:
    """Return a modules.json."""
    return json.dumps(
        [{"idx": n, "name": str(n), "path": f"{n}_{kind.rpartition('.')[2]}" if n else "", "type": kind} for n, kind in enumerate(kinds)]
    )


def test_transformers_configuration(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Type, classes, width and positions are read, with their places."""
    text = '{"model_type": "bert",\n "architectures": ["BertModel"],\n "hidden_size": 384,\n "max_position_embeddings": 512}'
    facts = facts_of(make_model({"config.json": text}))
    assert (facts["config.model_type"], facts["config.architectures"]) == ("bert", ["BertModel"])
    assert (facts["config.hidden_size"], facts["config.max_position_embeddings"]) == (384, 512)
    assert facts.places["config.hidden_size"] == Location("config.json", 3, 2)
    assert facts.sources["config"].state == "known"


@pytest.mark.parametrize("key", ["hidden_size", "d_model", "dim", "n_embd"])
def test_width_under_its_other_names(make_model: MakeModel, facts_of: FactsOf, key: str) -> None:
    """Architectures call the width differently."""
    assert facts_of(make_model({"config.json": json.dumps({key: 64})}))["config.hidden_size"] == 64


@pytest.mark.parametrize("value", ['"384"', "true", "null", "[384]", "NaN", "Infinity", "1e300", "{}"])
def test_values_of_another_type_are_absent(make_model: MakeModel, facts_of: FactsOf, value: str) -> None:
    """A width that is no number of a sensible size is no width."""
    assert facts_of(make_model({"config.json": f'{{"hidden_size": {value}}}'}))["config.hidden_size"] is None


@pytest.mark.parametrize(("path", "key"), [("config.json", "hidden_size"), ("tokenizer_config.json", "model_max_length")])
def test_integers_beyond_any_float_are_absent(make_model: MakeModel, facts_of: FactsOf, path: str, key: str) -> None:
    """An integer of 400 digits is no width and no limit, and no failure of the program."""
    facts = facts_of(make_model({path: HUGE % key}))
    assert facts["config.hidden_size"] is None
    assert facts["tokenizer.model_max_length"] is None


@pytest.mark.parametrize("content", ["", "{", "[]", '"text"', "null", "\x00\x00", "[" * 100_000, '{"a": ' + "9" * 5000 + "}"])
@pytest.mark.parametrize(
    ("path", "source"), [("config.json", "config"), ("tokenizer_config.json", "tokenizer"), ("sentence_bert_config.json", "st")]
)
def test_files_that_cannot_be_read(make_model: MakeModel, facts_of: FactsOf, path: str, source: str, content: str) -> None:
    """A configuration that is no JSON object is listed as broken and its source is unavailable."""
    facts = facts_of(make_model({path: content}))
    assert [row["path"] for row in facts["config.broken"]] == [path]
    assert facts.sources[source].state == "unavailable"
    assert path in facts.sources[source].reason


def test_place_of_broken_json(make_model: MakeModel, facts_of: FactsOf) -> None:
    """The fault in a broken file has line and column."""
    row = facts_of(make_model({"config.json": '{"a": 1,\n  b: 2}'}))["config.broken"][0]
    assert (row["file"], row["line"], row["column"]) == ("config.json", 2, 3)


def test_oversized_configuration_is_not_read(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A configuration over the size limit is unavailable, with that reason."""
    facts = facts_of(make_model({"config.json": '{"a": "' + "x" * 4_000_000 + '"}'}))
    assert facts.sources["config"].state == "unavailable"
    assert "larger" in facts.sources["config"].reason


@pytest.mark.parametrize(
    ("value", "leaks"),
    [("/home/ada/m", True), ("C:\\models\\m", True), ("./out", True), ("~/m", True), ("acme/base", False), ("/", False), (5, False)],
)
def test_paths_of_somebodys_machine(make_model: MakeModel, facts_of: FactsOf, value: Any, *, leaks: bool) -> None:
    """Paths on a machine are told from ids."""
    facts = facts_of(make_model({"config.json": json.dumps({"_name_or_path": value})}))
    assert bool(facts["config.paths"]) is leaks


def test_sentence_transformers(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Modules, limit, pooling, prompts and similarity are read from their files."""
    facts = facts_of(
        make_model(
            {
                "modules.json": modules(f"{ST}Transformer", f"{ST}Pooling", f"{ST}Normalize"),
                "1_Pooling/config.json": '{"word_embedding_dimension": 8, "pooling_mode_mean_tokens": true}',
                "sentence_bert_config.json": '{"max_seq_length": 128}',
                "config_sentence_transformers.json": '{"prompts": {"query": "q: "}, "similarity_fn_name": "cosine"}',
            }
        )
    )
    assert [row["missing"] for row in facts["st.modules"]] == [False, False, False]
    assert (facts["st.has_modules"], facts["st.normalize"], facts["st.has_dense"]) == (True, True, False)
    assert (facts["st.pooling"], facts["st.pooling_dimension"], facts["st.max_seq_length"]) == (["mean"], 8, 128)
    assert [(row["name"], row["text"]) for row in facts["st.prompts"]] == [("query", "q: ")]
    assert facts["st.similarity"] == "cosine"
    assert facts["st.custom_modules"] == []


def test_pooling_in_its_new_spelling(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Releases from 5.4 on name the mode and the dimension differently."""
    facts = facts_of(make_model({"1_Pooling/config.json": '{"embedding_dimension": 8, "pooling_mode": "cls"}'}))
    assert (facts["st.pooling"], facts["st.pooling_dimension"]) == (["cls"], 8)


def test_missing_and_foreign_modules(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A module whose folder is not there is missing; a type from elsewhere is code of the repository."""
    facts = facts_of(make_model({"modules.json": modules(f"{ST}Transformer", f"{ST}Dense", "ours.Head")}))
    assert [row["missing"] for row in facts["st.modules"]] == [False, True, True]
    assert [row["type"] for row in facts["st.custom_modules"]] == ["ours.Head"]
    assert facts["st.has_dense"] is True


@pytest.mark.parametrize("content", ["[null, 5, []]", '[{"type": [1], "path": {}}]', '[{"type": "x.Pooling", "path": "../../etc"}]'])
def test_modules_of_another_shape(make_model: MakeModel, facts_of: FactsOf, content: str) -> None:
    """Modules that are no mappings, or whose path leads out, are read without failure and without leaving the folder."""
    facts = facts_of(make_model({"modules.json": content}))
    assert facts["st.has_modules"] is True
    assert facts["st.pooling"] == []


@pytest.mark.parametrize(
    ("length", "limit", "placeholder"), [("512", 512, False), ("512.0", 512, False), ("1e30", None, True), ("Infinity", None, True)]
)
def test_token_limit_of_the_tokenizer(
    make_model: MakeModel, facts_of: FactsOf, length: str, limit: int | None, *, placeholder: bool
) -> None:
    """Numbers such as 1e30 stand for `no limit` and are no limit."""
    facts = facts_of(make_model({"tokenizer_config.json": f'{{"model_max_length": {length}}}'}))
    assert facts["tokenizer.model_max_length"] == limit
    assert facts["tokenizer.placeholder_length"] is placeholder


def test_nothing_there_is_absent(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Without configuration files their sources are absent."""
    facts = facts_of(make_model({"README.md": "# m\n"}))
    assert {facts.sources[name].state for name in ("config", "st", "tokenizer", "weights")} == {"absent"}
